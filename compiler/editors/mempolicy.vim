" SPDX-License-Identifier: LGPL-2.1-or-later
" Vim syntax file: policies of memonline, *.mempolicy (mempolicy(5))
if exists("b:current_syntax")
  finish
endif

syntax case match
" Words may contain a minus, so that `rest` does not match inside a name.
syntax iskeyword @,48-57,_,-

syntax keyword mempolicyStatement limit set when else
syntax keyword mempolicyShare each except first last rest to per is not blocks
syntax keyword mempolicyTarget movable normal auto offline keep
syntax keyword mempolicyClass all boot hotplugged cpuless virtio-mem standby system-ram driver address
syntax match mempolicyClass "\<\(node\|dimm\|block\|dax\)\(\d[0-9,.-]*\)\?\>"
syntax keyword mempolicySetting rezone hotplug memmap-on-memory boot-parameters
syntax keyword mempolicyValue never allowed best kernel service leave on off force suggest write ignore
syntax keyword mempolicyFact arch virtualization memory nodes vendor product family
syntax match mempolicyNumber "\<\d\+\(\.\d\+\)\?\(%\|[KMGT]\(iB\)\?\>\|x\>\|\>\)"
syntax match mempolicyNumber "\<0x\x\+\>"
syntax region mempolicyString start=+"+ skip=+\\"+ end=+"+ oneline
syntax match mempolicyComment "#.*$" contains=@Spell

highlight default link mempolicyStatement Statement
highlight default link mempolicyShare Keyword
highlight default link mempolicyTarget Constant
highlight default link mempolicyClass Type
highlight default link mempolicySetting Identifier
highlight default link mempolicyValue Constant
highlight default link mempolicyFact Identifier
highlight default link mempolicyNumber Number
highlight default link mempolicyString String
highlight default link mempolicyComment Comment

let b:current_syntax = "mempolicy"
