#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: docs_test.sh SOURCE: Doxygen makes the reference of libmemonline without a warning, every function is in it, and
# a declaration without a comment is an error.
set -euo pipefail
command -v doxygen >/dev/null || { echo "skipped: docs: not installed: doxygen"; exit 77; }
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/runtime"
cp -r "$1/runtime/library" "$tree/runtime/"
chmod -R u+w "$tree"
cd "$tree"
header=runtime/library/memonline.hpp
export VERSION=0 DOCS=html
mkdir html

doxygen runtime/library/Doxyfile
functions=$(sed -nE 's/^MEMONLINE_API .* ([a-z_]+)\(.*/\1/p' $header)
[ -n "$functions" ] || { echo "found no function in $header"; exit 1; }
for function in $functions; do
  grep -q "<li>$function()" html/html/namespacemembers_func.html || { echo "not documented: $function"; exit 1; }
done

sed -i 's/^MEMONLINE_API std::string_view version.*/&\nMEMONLINE_API int planted();/' $header
if doxygen runtime/library/Doxyfile 2>errors || ! grep -q 'planted.* is not documented' errors; then
  cat errors
  echo "a function without a comment was not reported"
  exit 1
fi
