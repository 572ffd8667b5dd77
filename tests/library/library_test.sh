#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: library_test.sh BUILD SOURCE
#        library_test.sh --unpacked ROOT SOURCE
# The library as others meet it: installed, found by CMake and by pkg-config, giving the bytes that the
# command gives, and showing nothing but its own names. With --unpacked as packages in ROOT install it.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
if [ "$1" = --unpacked ]; then
  prefix=$2/usr source=$3 memonline=$2/usr/bin/memonline
else
  prefix=$directory/usr source=$2 memonline=$1/bin/memonline
  cmake --install "$1/runtime/library" --prefix "$prefix" >install.log
fi
library=$(find "$prefix" -name libmemonline.so)
lib=$(dirname "$library")

shown=$(nm -D --defined-only -C "$library" | cut -d' ' -f3- | grep -v '^memonline::lib::' || true)
[ -z "$shown" ] || { echo "libmemonline shows more than its own: $shown"; exit 1; }

mkdir project
cp "$source/tests/library/consumer.cpp" project/
cp "$source/tests/library/consumer.cmake" project/CMakeLists.txt
# CMake alone would take make, which a machine that builds with ninja need not have.
command -v ninja >/dev/null && export CMAKE_GENERATOR=Ninja
cmake -S project -B by-cmake -DCMAKE_PREFIX_PATH="$prefix" >cmake.log
cmake --build by-cmake >build.log

# Its prefix is where it is to be installed, and this is somewhere else.
flags=$(PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=includedir="$prefix/include" \
  --define-variable=libdir="$lib" --cflags --libs memonline)
read -ra flags <<<"$flags"
c++ -std=c++17 project/consumer.cpp -o by-pkg-config "${flags[@]}"

policy='each dimm: first 25% normal, rest movable'
host=$source/policies/hosts/two-dimms.yaml
"$memonline" plan -e "$policy" --root "$host" --format json >expected.json
for consumer in by-cmake/consumer ./by-pkg-config; do
  LD_LIBRARY_PATH=$lib $consumer "$policy" "$host" >seen.json
  cmp expected.json seen.json
done
