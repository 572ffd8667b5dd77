#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# blockops.cpp for guests of other architectures, in the shell of busybox: the same operations and the same answers
# (see there). What an answer has read is in files of one line per fact, sorted, in /run.
memory=/sys/devices/system/memory
parameters=/sys/module/memory_hotplug/parameters
before=/run/blockops
now=/run/blockops.now
said=/run/blockops.said

errno_of() {  # errno_of STATUS: the name of what a write answered, by the message of the shell
  if [ "$1" = 0 ]; then errno=0; return; fi
  if [ "$1" -ge 128 ]; then errno=EINTR; return; fi  # ended by timeout
  IFS= read -r message <$said
  case $message in
    *"Invalid argument"*) errno=EINVAL ;;
    *"nonexistent directory"* | *"No such file"*) errno=ENOENT ;;
    *"No such device"*) errno=ENODEV ;;
    *"resource busy"* | *"Resource busy"*) errno=EBUSY ;;
    *"temporarily unavailable"*) errno=EAGAIN ;;
    *"Interrupted"*) errno=EINTR ;;
    *"Cannot allocate"* | *"Out of memory"*) errno=ENOMEM ;;
    *"not permitted"*) errno=EPERM ;;
    *"Permission denied"*) errno=EACCES ;;
    *"out of range"*) errno=ERANGE ;;
    *) errno="($message)" ;;
  esac
}

write() {  # write FILE WORD: in one write
  echo "$2" 2>$said >"$1"
} 2>$said

write_within_3s() {  # the same; a write that takes longer is ended by a signal
  # shellcheck disable=SC2016  # the inner shell expands them
  timeout -s TERM 3 sh -c 'echo "$2" >"$1"' sh "$1" "$2" 2>$said
}

blocks() {  # all blocks as "b NUMBER NODES STATE ZONES"; a kernel without NUMA has one node, and no links
  without=-
  [ -d /sys/devices/system/node ] || without=0
  for path in $memory/memory[0-9]*; do
    nodes=
    for link in "$path"/node[0-9]*; do
      [ -e "$link" ] && nodes=${nodes:+$nodes,}${link##*/node}
    done
    read -r state <"$path/state" && read -r zones <"$path/valid_zones" &&
      echo "b ${path##*/memory} ${nodes:-$without} $state $zones"
  done 2>/dev/null
}

zones() {  # /proc/zoneinfo as "z NODE ZONE START SPANNED PRESENT"; start_pfn only where there are pages
  awk 'function fact() { if (zone != "" && (spanned != 0 || present != 0))
                           print "z " zone " " start + 0 " " spanned " " present
                         zone = start = ""; spanned = present = 0 }
       $1 == "Node" { fact(); if ($3 == "zone") { sub(",", "", $2); zone = $2 " " $4 } }
       $1 == "spanned" { spanned = $2 }
       $1 == "present" { present = $2 }
       $1 == "start_pfn:" { start = $2 }
       END { fact() }' /proc/zoneinfo
}

knobs() {
  for path in $memory/auto_online_blocks $parameters/online_policy $parameters/auto_movable_ratio \
    $parameters/auto_movable_numa_aware; do
    [ -e "$path" ] && read -r value <"$path" && echo "k ${path##*/} $value"
  done
}

wait_for() {  # wait_for FIRST COUNT WANTED: until so many of the blocks are there
  tries=0
  while :; do
    there=0 number=$1
    while [ "$number" -lt $(($1 + $2)) ]; do
      [ ! -e "$memory/memory$number" ] || there=$((there + 1))
      number=$((number + 1))
    done
    [ "$there" != "$3" ] || break
    tries=$((tries + 1))
    if [ $tries -gt 400 ]; then errno=ETIMEDOUT; return; fi
    usleep 50000
  done
  # Writing `online` into a block that is online does nothing but take the hotplug lock.
  for path in $memory/memory[0-9]*; do
    read -r state <"$path/state"
    if [ "$state" = online ]; then write "$path/state" online; break; fi
  done
  errno=0
}

carry_out() {
  case $1 in
    look) errno=0 ;;
    state)
      if [ "$3" = offline ]; then write_within_3s "$memory/memory$2/state" "$3"
      else write "$memory/memory$2/state" "$3"; fi
      errno_of $? ;;
    attribute)
      if [ "$3" = 0 ]; then write_within_3s "$memory/memory$2/online" "$3"
      else write "$memory/memory$2/online" "$3"; fi
      errno_of $? ;;
    set)
      case $2 in
        auto_online_blocks) write "$memory/$2" "$3" ;;
        *) write "$parameters/$2" "$3" ;;
      esac
      errno_of $? ;;
    present) wait_for "$2" "$3" "$3" ;;
    absent) wait_for "$2" "$3" 0 ;;
    *) errno=ENOSYS ;;
  esac
}

differences() {  # what is new since the answer before, and what is gone
  awk 'function key() { return $1 == "z" ? $1 " " $2 " " $3 : $1 " " $2 }
       NR == FNR { old[key()] = $0; next }
       { seen[key()]; if (old[key()] != $0) print }
       END { for (one in old) if (!(one in seen)) print one " gone" }' "$before" "$now"
}

[ -e $before ] || : >$before
while IFS= read -r operation; do
  # shellcheck disable=SC2086  # words
  carry_out $operation
  { blocks; zones; knobs; } >$now
  if [ -s $before ]; then differences; else cat $now; fi >$now.changed
  printf '= %s\n' "$errno"
  cat $now.changed
  printf '.\n'
  mv $now $before
done
