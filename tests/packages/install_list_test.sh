#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: install_list_test.sh SOURCE: the list of files of the package `memonline` has the units, wherever
# systemd.pc says they are, and a build that cannot know where, or has none, fails and says why.
set -eu
list=$1/policies/packaging/debian/memonline.install
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir pc empty
export PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR="$scratch/pc"

refused() {  # refused WORDS: the list ends with an error that says so, and names no file
  if "$list" >out 2>err; then echo "should have failed: $1" >&2 && exit 1; fi
  grep -qF "$1" err || { echo "expected: $1" >&2 && cat err >&2 && exit 1; }
  [ ! -s out ] || { echo "a list in spite of: $1" >&2 && exit 1; }
}
systemd_pc() { printf 'Name: systemd\nDescription: a test\nVersion: 1\n%s\n' "$1" >pc/systemd.pc; }

if ! command -v pkg-config >/dev/null; then echo "skipped: pkg-config is not installed"; exit 77; fi
refused 'install systemd-dev (Debian 13), or systemd (Debian 12)'
systemd_pc 'other=/x'
refused 'systemd.pc does not define systemdsystemunitdir'
for directory in /lib/systemd/system /usr/lib/systemd/system; do
  systemd_pc "systemdsystemunitdir=$directory"
  refused "debian/tmp$directory/memonlined.service is missing"
  mkdir -p "debian/tmp$directory"
  for unit in memonlined.service memonline-apply.service memonline-bootparams.service memonline-hooks.service \
    memonline-settings.service; do
    : >"debian/tmp$directory/$unit"
  done
  refused "debian/tmp$directory/memonline-hooks.path is missing"
  : >"debian/tmp$directory/memonline-hooks.path"
  "$list" >out
  [ "$(head -n 1 out)" = "${directory#/}" ] || { cat out >&2 && exit 1; }
done
# The units that it wants are all that there are.
for unit in "$1"/dbus/systemd/*.service.in "$1"/dbus/systemd/*.path; do
  name=$(basename "$unit" .in)
  grep -qw -- "$name" "$list" || { echo "memonline.install does not look for $name" >&2 && exit 1; }
done
echo "a list with the units, or none"
