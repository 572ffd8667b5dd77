# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: zsh_offers.zsh "WORDS SO FAR", in a directory with functions/_memonline
# What zsh offers after the words so far, a line each: a terminal of its own, in which Tab is pressed.
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell 'PROMPT= RPROMPT= PS2=; unsetopt prompt_sp; fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D
compadd() {
  local argument found=()
  for argument; do
    case $argument in (-|--) break ;; (-[OAD]*) builtin compadd "$@"; return ;; esac
  done
  builtin compadd -A found "$@"
  print -r -l -- offered\ $^found
  builtin compadd "$@"
}
ends() { print -r -- "that is all"; exit }
comppostfuncs=(ends)
bindkey "^I" complete-word; print -r -- "ready ""now"'
zpty -r -m shell answer '*ready now*'
zpty -w -n shell "$1"$'\t'
zpty -r -m shell answer '*that is all*'
print -r -- ${${answer//$'\r'/}} | sed -n 's/.*offered //p'
