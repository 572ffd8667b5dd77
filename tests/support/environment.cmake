# SPDX-License-Identifier: LGPL-2.1-or-later
# The environment of every test; ctest reads this file. No __pycache__ is left in the source tree.
set(ENV{PYTHONDONTWRITEBYTECODE} 1)
# Hosts are thousands of small files: in memory, where there is room and programs may run.
if(NOT DEFINED ENV{TMPDIR})
  execute_process(COMMAND sh -c [[
      probe=$(mktemp /dev/shm/memonline.XXXXXX) && cp /bin/true "$probe" && chmod 700 "$probe" && "$probe"
      status=$?
      rm -f "$probe"
      [ $status = 0 ] && [ "$(df --output=avail -m /dev/shm | tail -n 1)" -gt 1024 ]
    ]] RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(ENV{TMPDIR} /dev/shm)
  endif()
endif()
