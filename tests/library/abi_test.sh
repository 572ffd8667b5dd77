#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: abi_test.sh LIBRARY SOURCE
# Programs that were linked with the last release run with LIBRARY: abidiff finds every function and type of
# released.cpp in it, unchanged. Both sides are compiled here, so that compilers and releases of Debian make no
# difference. That abidiff sees what it must see is tested with planted changes.
set -euo pipefail
library=$1 source=$2/tests/library
soname=libmemonline.so.0  # of the last release
for program in abidiff:abigail-tools c++:g++; do
  command -v "${program%:*}" >/dev/null ||
    { echo "skipped: abi: not installed: ${program%:*} (${program#*:})"; exit 77; }
done
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ global: extern "C++" { memonline::lib::*; }; local: *; };' >names.map
abidw --exported-interfaces-only --out-file library.abi "$library"  # read once: it takes longest

compare() {  # compare [SED-SCRIPT]: compares the interface of the last release, or one changed by SED-SCRIPT, with LIBRARY
  sed -E "${1:-}" "$source/released.cpp" >released.cpp
  c++ -std=c++20 -g -fPIC -shared "-Wl,-soname,$soname,--version-script=names.map" released.cpp -o released.so ||
    exit 1  # where `compare` is a condition, `set -e` does not hold
  abidiff --no-added-syms released.so library.abi >differences
}

compare || { cat differences; echo "the library differs from the last release (CONTRIBUTING.md, Releasing)"; exit 1; }

wrong=0
catches() {  # catches TEXT SED-SCRIPT: had the release been as SED-SCRIPT makes it, abidiff would print TEXT
  if compare "$2"; then
    echo "not caught: $1"
    wrong=1
  elif cmp -s released.cpp "$source/released.cpp" || ! grep -qF -- "$1" differences; then
    cat differences
    echo "abidiff did not print: $1"
    wrong=1
  fi
}
catches 'memonline::lib::gone' 's/^std::string_view version.*/&\nint gone() { return 0; }/'
catches "'int gone'" 's/bool done;/&\nint gone;/'
catches 'return type changed' 's/^std::string_view version/const char* version/; s/(const char.*)\{\}/\1nullptr/'
compare '/^Answer format/d' || { cat differences; echo "a new function was taken for a break"; wrong=1; }
exit $wrong
