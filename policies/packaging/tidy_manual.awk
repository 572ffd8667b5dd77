# SPDX-License-Identifier: LGPL-2.1-or-later
# Usage: scdoc <PAGE.scd | awk -f tidy_manual.awk: the same page without what `mandoc -Tlint` reports.
# scdoc 1.11 writes empty paragraphs (around headings, before .RE), the title in lower case, and long
# lines.

function emit(line) {
  print line
  last = line
}

# In filled text a line may end at any space, but the next one must not start with a control character.
function wrapped(line,    cut) {
  while (length(line) > 80) {
    for (cut = 80; cut > 1; --cut)
      if (substr(line, cut, 1) == " " && substr(line, cut + 1, 1) !~ /[ .']/ &&
          substr(line, cut - 1, 1) != "\\") break
    if (cut <= 1) break
    emit(substr(line, 1, cut - 1))
    line = substr(line, cut + 1)
  }
  emit(line)
}

/^\.P$/ { paragraph = 1; next }
/^\.TH / { $2 = toupper($2); emit($0); next }
/^\.S[HS] / { paragraph = 0; emit($0); next }
# The paragraph ends the indented text: it starts after it.
/^\.RE$/ { emit($0); next }
paragraph {
  if (last !~ /^\.S[HS] /) emit(".P")
  paragraph = 0
}
/^\.nf$/ { verbatim = 1 }
/^\.fi$/ { verbatim = 0 }
verbatim || /^[.']/ { emit($0); next }
{ wrapped($0) }
