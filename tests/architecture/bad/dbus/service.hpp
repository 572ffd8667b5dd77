// What the samples include.
#pragma once
// As kernel rule 9.9 and contract 3.7 have it.
