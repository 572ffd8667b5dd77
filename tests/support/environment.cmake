# SPDX-License-Identifier: LGPL-2.1-or-later
# The environment of every test; ctest reads this file. No __pycache__ is left in the source tree.
set(ENV{PYTHONDONTWRITEBYTECODE} 1)
