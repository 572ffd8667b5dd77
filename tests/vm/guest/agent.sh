#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# agent.cpp for guests of other architectures, in the shell of busybox: no compiler for them is needed. The same
# protocol on the serial line, whose requests are read exactly to their last byte.
line=$1
exec 3<>"$line"
stty raw -echo <&3  # while it is open: some drivers forget it with the last close
scratch=${2:-/run/agent}
mkdir -p $scratch

receive() {  # receive BYTES FILE: an acknowledgment per 2 KiB
  left=$1
  : >"$2"
  while [ "$left" -gt 0 ]; do
    part=$left
    [ "$part" -le 2048 ] || part=2048
    dd bs="$part" count=1 iflag=fullblock <&3 >>"$2" 2>/dev/null
    printf + >&3
    left=$((left - part))
  done
}

printf 'ready\n' >&3
while read -r command_size input_size <&3; do
  receive "$command_size" $scratch/command
  receive "$input_size" $scratch/input
  setsid sh $scratch/command <$scratch/input >$scratch/output 2>$scratch/errors 3>&-
  status=$?
  # shellcheck disable=SC2046  # two numbers
  set -- $(stat -c %s $scratch/output $scratch/errors)
  printf '%d %d %d\n' $((status << 8)) "$1" "$2" >&3
  cat $scratch/output $scratch/errors >&3
done
