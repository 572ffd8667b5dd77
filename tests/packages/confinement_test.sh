#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: confinement_test.sh apparmor|selinux SOURCE BUILD: the host's own compiler takes the AppArmor
# profiles, or the SELinux module; and the units name what is in them.
set -eu
kind=$1 source=$2 build=$3
PATH=$PATH:/usr/sbin:/sbin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$1" >&2; exit 1; }

unit=$build/dbus/systemd/memonline-apply.service
case $kind in
apparmor)
  profile=$build/policies/apparmor/memonline
  named=$(sed -n 's/^AppArmorProfile=-//p' "$unit")
  grep -q "^profile $named " "$profile" || fail "no profile \`$named\`, which $unit asks for"
  program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$build/dbus/systemd/memonlined.service")
  grep -q "^profile memonlined $program " "$profile" || fail "no profile is attached to $program"
  grep -v '^  deny ' "$profile" | grep ' [rwkml]*[iuUpPcC]*x,' && fail "a profile lets a program be run"
  if ! command -v apparmor_parser >/dev/null; then
    echo "skipped: apparmor: not installed: apparmor_parser (apparmor)"; exit 77
  fi
  # Neither loaded nor cached.
  apparmor_parser -Q -K "$profile" 2>"$scratch/said" || { cat "$scratch/said" >&2; fail "the profiles are wrong"; }
  sed 's/peer=memonlined,/peer=,/' "$profile" >"$scratch/wrong"
  ! apparmor_parser -Q -K "$scratch/wrong" 2>/dev/null || fail "apparmor_parser takes anything" ;;
selinux)
  context=$(sed -n 's/^SELinuxContext=-//p' "$unit")
  type=$(echo "$context" | cut -d: -f3)
  grep -q "^type $type;" "$source/policies/packaging/selinux/memonline.te" ||
    fail "no type \`$type\`, which $unit asks for"
  makefile=/usr/share/selinux/devel/Makefile
  if [ ! -e $makefile ] || ! command -v checkmodule >/dev/null; then
    echo "skipped: selinux: not installed: the SELinux policy's headers, checkmodule (selinux-policy-dev, checkpolicy)"; exit 77
  fi
  cp "$source"/policies/packaging/selinux/* "$scratch"
  make -C "$scratch" -f $makefile NAME=devel memonline.pp >"$scratch/said" 2>&1 ||
    { cat "$scratch/said" >&2; fail "the module is wrong"; } ;;
esac
echo "$kind: right"
