#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: live_host_test.sh SOURCE: what debhelper makes of the rules neither starts nor restarts
# memonline-apply.service when the package is installed or upgraded; memonlined.service it does.
set -eu
if ! command -v dh_installsystemd >/dev/null; then echo "skipped: live_host: not installed: debhelper"; exit 77; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$1/policies/packaging/debian" "$scratch/debian"
cd "$scratch"
# Where Debian 12's debhelper looks for units, and where 13's does.
for units in debian/memonline/lib/systemd/system debian/memonline/usr/lib/systemd/system; do
  mkdir -p $units
  for unit in "$1"/dbus/systemd/*.service.in "$1"/dbus/systemd/*.path; do
    cp "$unit" "$units/$(basename "$unit" .in)"
  done
  make -s -f debian/rules override_dh_installsystemd 2>err && break
  rm -r "${units%/system}" debian/*.debhelper
done
[ -d $units ] || { cat err >&2 && exit 1; }
# Each call is a line of its own; words that stand before the units are no units.
grep -h 'deb-systemd-invoke' debian/memonline.*.debhelper debian/.debhelper/generated/memonline/* 2>/dev/null >calls || :
grep -q 'memonlined.service' calls || { echo "nothing restarts memonlined:" >&2 && cat calls >&2 && exit 1; }
if grep 'memonline-apply.service' calls >&2; then echo "a script of the package runs memonline-apply" >&2 && exit 1; fi
# Enabled it is: the next boot is what it is for.
grep -qh "deb-systemd-helper enable 'memonline-apply.service'" debian/memonline.postinst.debhelper \
  debian/.debhelper/generated/memonline/postinst* 2>/dev/null ||
  { echo "memonline-apply.service is not enabled" >&2 && exit 1; }
echo "an upgrade leaves a running host as it is"
