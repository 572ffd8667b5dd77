#!/bin/sh
# A memonline plan as a script. Kernel 6.12.107+deb13-cloud-amd64, sha256:93d29053baafe5eebcd2c1d42cb0795ea477b820f9a66801c36b9517e7d2a478.
# Policy t.mempolicy
# Valid only for this host in its present state: generate it again if its memory changes.
set -eu
sys=${MEMONLINE_ROOT:-}/sys
die() { echo "memonline: $*" >&2; exit 1; }

# one BLOCK WORD ZONE: writes WORD unless the block is there already, then checks the zone.
one() {
  block=$sys/devices/system/memory/memory$1
  if [ "$2" = offline ]; then want=offline; else want=online; fi
  if [ "$(cat "$block/state")" != "$want" ]; then
    echo "$2" > "$block/state" || die "memory$1: writing $2 failed"
  fi
  [ "$want" = online ] && [ -r "$block/valid_zones" ] || return 0
  read -r zone _ < "$block/valid_zones" || true
  [ "$zone" = "$3" ] || die "memory$1 is in $zone, not in $3 as planned"
}

# run WORD FIRST LAST ZONE: block by block, from the top down if LAST is below FIRST.
run() {
  n=$2
  while :; do
    one "$n" "$1" "$4"
    [ "$n" -ne "$3" ] || break
    if [ "$3" -gt "$n" ]; then n=$((n + 1)); else n=$((n - 1)); fi
  done
}

# Restores kernel settings that are changed only while this script runs, even if it fails.
held_auto_online_blocks=
put_back() {
  [ -z "$held_auto_online_blocks" ] || echo "$held_auto_online_blocks" > "$sys/devices/system/memory/auto_online_blocks"
}
trap put_back EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(cat "$sys/devices/system/memory/block_size_bytes")" = 8000000 ] || die "the block size differs from the plan"

# 1. t.mempolicy:1:1: hotplugged: movable
#    first, and while the plan runs, so that memory added meanwhile stays offline
held_auto_online_blocks=$(cat "$sys/devices/system/memory/auto_online_blocks")
echo offline > "$sys/devices/system/memory/auto_online_blocks"

# 2. t.mempolicy:1:13: movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 37 36 Movable

# 3. t.mempolicy:1:13: movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 42 41 Movable

# 4. t.mempolicy:1:1: hotplugged: movable
#    last, when all other steps are done
echo online_movable > "$sys/devices/system/memory/auto_online_blocks"
held_auto_online_blocks=

# Remains: memory32..35, memory40 (640 MiB) should be movable: online in Normal beyond what the rule requests; `rezone` is `never`; help: `set rezone = allowed` lets memonline offline and re-online such blocks
# Competing onlining agent: /sys/devices/system/memory/auto_online_blocks:1:1: the kernel onlines new memory as `online`, but the policy requires `online_movable` (step 4 of the plan sets it)
