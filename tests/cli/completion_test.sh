#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: completion_test.sh MEMONLINE: completions as a shell asks for them; zsh and fish are asked
# where they are installed.
set -euo pipefail
memonline=$1 here=$(dirname "$(readlink -f "$0")")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
touch db.mempolicy
cp "$here/../hosts/6.1-b1.tar.xz" host.tar.xz
# Completions ask `memonline` for names of the host.
PATH=$(dirname "$(readlink -f "$memonline")"):$PATH

for shell in bash zsh fish; do
  "$memonline" completion $shell >memonline.$shell
  if command -v $shell >/dev/null; then
    $shell -n memonline.$shell
  else
    echo "skipped: completions: $shell: not installed: $shell"
  fi
done
# shellcheck disable=SC1091
. ./memonline.bash

# NAME_offers "WORDS SO FAR": what that shell would offer, a line each.
bash_offers() {
  # As bash breaks words: `=` is one of its own.
  read -ra COMP_WORDS <<<"memonline ${1//=/ = }"
  [[ $1 == *' ' || -z $1 ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _memonline
  printf '%s\n' "${COMPREPLY[@]}"
}
fish_offers() { fish --no-config -c "source memonline.fish; complete -C 'memonline $1'" | cut -f1; }
zsh_offers() { timeout 60 zsh -f "$here/zsh_offers.zsh" "memonline $1"; }

shell=bash
expect() {  # expect "WORDS SO FAR" WORD...: what is offered has all of them
  local line=$1 word offered
  shift
  offered=$(${shell}_offers "$line")
  for word; do
    grep -qxF -e "$word" <<<"$offered" ||
      { echo "$shell: after \`memonline $line\` there is no $word but: $offered"; exit 1; }
  done
}
refuse() {  # refuse "WORDS SO FAR" WORD: is not offered
  if ${shell}_offers "$1" | grep -qxF -e "$2"; then
    echo "$shell: after \`memonline $1\` there is $2"; exit 1
  fi
}

mkdir functions
cp memonline.zsh functions/_memonline
for shell in bash fish zsh; do
  command -v $shell >/dev/null || continue
  expect "" plan apply status map generate boot
  refuse "" completion
  expect "pl" plan
  expect "plan --" --root --policy --expression --add --unplug --hosts --format --exit-code
  expect "plan --format " text json yaml shell svg
  expect "--" --root --color --help --version
  expect "help " plan boot
  expect "check d" db.mempolicy
  expect "capture --" --root --output
  refuse "capture --" --format
  expect "explain --root host.tar.xz " memory0 memory42 node0 node1 dimm1 boot ML0503
  expect "explain --root=host.tar.xz dim" dimm0 dimm1
  refuse "explain --root host.tar.xz " memory20
  expect "plan --root host.tar.xz --unplug " memory42 dimm0
  refuse "plan --root host.tar.xz --unplug " ML0503
  expect "plan --root host.tar.xz --unplug " node0
  expect "plan --format j" json
  expect "map --format " text svg html
  refuse "map --format " json
  expect "boot " show apply remove
  expect "generate " udev tmpfiles cmdline tuned
  expect "status --color " auto always never
  expect "plan --policy d" db.mempolicy
  expect "fmt d" db.mempolicy
  refuse "plan " db.mempolicy
  expect "apply d" db.mempolicy
done
shell=bash

# Every command and option of --help is there.
while read -r command; do
  expect "" "$command"
  while read -r option; do expect "$command --" "$option"; done < \
    <("$memonline" "$command" --help | sed -n '/^Options:/,/^$/s/^  \(-.*\)/\1/p' | sed 's/   *.*//' |
      grep -o -- '--[a-z-]*' | sort -u)
done < <("$memonline" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')

# In bash the value after `=` is completed: alone, or with the option where bash does not break there.
expect "plan --root host.tar.xz --unplug=d" dimm0 dimm1
expect "plan --root=host.tar.xz --unplug=" memory42 dimm0
expect "plan --format=" text json yaml shell svg
expect "plan --format=j" json
expect "check --policy=d" db.mempolicy
expect "--color=" auto always never
refuse "check -e a=" plan
COMP_WORDS=(memonline plan --root=host.tar.xz --unplug=dimm1) COMP_CWORD=3 COMPREPLY=()
_memonline
[ "${COMPREPLY[*]}" = --unplug=dimm1 ] || { echo "bash: --unplug=dimm1: ${COMPREPLY[*]}"; exit 1; }

# Names of a host are text: nothing in them is executed or expanded, and what is inserted is quoted.
# shellcheck disable=SC2016
for name in 'dimm$(touch${IFS}PWNED)' 'dimm`touch${IFS}PWNED`' 'dimm${PATH}' "dimm';touch PWNED;'" \
  'dimm*' 'dimm<(touch${IFS}PWNED)'; do
  sed "s|\"dimm1\"|\"$name\"|" "$here/../../policies/hosts/two-dimms.yaml" >named.yaml
  grep -qF -e "\"$name\"" named.yaml
  printf -v quoted %q "$name"
  expect "explain --root named.yaml " "$quoted"
  expect "explain --root=named.yaml dim" dimm0 "$quoted"
  expect "plan --root named.yaml --unplug dim" "$quoted"
  expect "plan --root named.yaml --unplug=dim" "$quoted"
  expect "plan --root named.yaml --unplug ${quoted%% *}" "$quoted"
  [ ! -e PWNED ] || { echo "bash: completion executed the device name $name"; exit 1; }
done
