#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks for memory that changed: which of them run, that none runs for ever, and when kdump's has the
# crash kernel loaded anew.
# Usage: hooks_test.sh DIRECTORY   (dbus/systemd)
set -euo pipefail
systemd=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
hook() {
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\n%s\n' "$2" >"$1"
  chmod +x "$1"
}

# ---- run-hooks ----
hook "$work/vendor/10-first" "echo first >>'$work/ran'"
hook "$work/vendor/20-replaced" "echo vendor >>'$work/ran'"
hook "$work/vendor/30-masked" "echo masked >>'$work/ran'"
hook "$work/admin/20-replaced" "echo admin >>'$work/ran'"
ln -s /dev/null "$work/admin/30-masked"
hook "$work/admin/40-sleeps" "echo sleeps >>'$work/ran'; sleep 600; echo woke >>'$work/ran'"
hook "$work/admin/50-last" "echo last >>'$work/ran'; [ ! -e '$work/flag' ]"
touch "$work/flag"
began=$SECONDS
if HOOK_SECONDS=1 "$systemd/run-hooks" "$work/flag" "$work/vendor" "$work/admin" "$work/absent" >"$work/said"; then
  fail "a hook that was ended is no success"
fi
((SECONDS - began < 60)) || fail "the hook that sleeps was not ended"
[[ $(<"$work/ran") == $'first\nadmin\nsleeps\nlast' ]] || fail "these ran: $(<"$work/ran")"
# 124 is timeout's word for it; the last one found the flag gone.
[[ $(<"$work/said") == "$work/admin/40-sleeps ended with 124" ]] || fail "it said: $(<"$work/said")"

# ---- 50-kdump ----
hook "$work/bin/systemctl" "echo \"\$*\" >>'$work/asked'
case \"\$*\" in *is-active\\ kdump.service) exit 0;; *is-active*) exit 3;; esac"
kdump() {
  rm -f "$work/asked"
  PATH=$work/bin:$PATH "$systemd/memory-changed.d/50-kdump" "$1" || fail "50-kdump ended with $?"
  cat "$work/asked" 2>/dev/null || true
}
echo 1 >"$work/one"
echo 0 >"$work/zero"
[[ -z $(kdump "$work/one") ]] || fail "the kernel keeps its crash headers up to date itself"
wanted=$'--quiet is-active kdump-tools.service\n--quiet is-active kdump.service\ntry-restart kdump.service'
for file in "$work/zero" "$work/absent"; do
  [[ $(kdump "$file") == "$wanted" ]] || fail "$file: asked $(<"$work/asked")"
done
