// What the samples include.
#pragma once
// As kernel rule 9.9 and contract 3.7 have it.
void make_plan();
inline void plans_around_compile() { make_plan(); }
