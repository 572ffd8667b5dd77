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

[ "$(cat "$sys/devices/system/memory/block_size_bytes")" = 8000000 ] || die "the block size differs from the plan"

# 1. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 37 36 Movable

# 2. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 42 41 Movable

# 3. t.mempolicy:1:12: last 75% movable
#    offline first: the kernel assigns the zone when it onlines a block
run offline 35 32 Normal

# 4. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 35 32 Movable

# 5. t.mempolicy:1:12: last 75% movable
#    offline first: the kernel assigns the zone when it onlines a block
run offline 3 3 DMA32

# 6. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 3 3 Movable

# 7. t.mempolicy:1:12: last 75% movable
#    offline first: the kernel assigns the zone when it onlines a block
run offline 40 40 Normal

# 8. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 40 40 Movable

# 9. t.mempolicy:1:12: last 75% movable
#    offline first: the kernel assigns the zone when it onlines a block
run offline 6 6 DMA32

# 10. t.mempolicy:1:12: last 75% movable
#    after kernel memory; from the top down, because the kernel walks the zone after each block
run online_movable 6 6 Movable

