#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# capture.cpp for guests of other architectures, in the shell of busybox: the named files and directories as a tar on
# standard output. cp reads files of /sys and /proc to their end, whatever size stat gives; what cannot be read is
# left out.
copy=/tmp/capture
rm -rf $copy
for path in "$@"; do
  [ -e "$path" ] || continue
  mkdir -p "$copy${path%/*}"
  cp -a "$path" "$copy${path%/*}/" 2>/dev/null
done
find $copy -type f ! -perm -400 -exec rm -f {} +
find $copy -type d -name power -prune -exec rm -rf {} +
cd $copy && tar c -- *
