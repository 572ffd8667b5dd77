// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/help.hpp"

#include <array>

namespace memonline::cli {

const char* const kMainFooter =
    R"(Examples:
  memonline plan                              what the policies in force would do here
  memonline plan -e 'hotplugged: movable'     what this policy would do here
  memonline status                            memory as it is, and where it drifts
  memonline explain memory42                  why block 42 is as it is

Policies are read from /etc/memonline/policy.d, /run/memonline/policy.d and
/usr/lib/memonline/policy.d; a file name higher up replaces the same name below.
Nothing here writes to the machine.

Exit status: 0 done or nothing to do; 1 failure; 2 wrong usage or policy; 3 changes pending;
4 only a reboot pending; 64 part of it worked.
Environment: MEMONLINE_ROOT, NO_COLOR, CLICOLOR_FORCE.)";

namespace {

struct Footer {
  std::string_view command;
  std::string_view text;
};

constexpr std::array<Footer, 8> kFooters{{
    {"plan", R"(Examples:
  memonline plan
  memonline plan -e 'node1: last 80% movable, rest normal'
  memonline plan --policy db.mempolicy --root host.tar.xz     for another host, on this one
  memonline plan -o plan.json                                 for the audit
  memonline plan --format shell                               a script that needs only sh
  memonline plan --exit-code >/dev/null; test $? -eq 3        are there changes to make?

Exit status: 0; 1 no plan is possible on this host; 2 wrong usage or policy;
with --exit-code: 3 there are steps, 4 only a reboot is pending.)"},
    {"check", R"(Examples:
  memonline check                             the policies in force
  memonline check --policy db.mempolicy       one file
  memonline check -e 'node1: 80% movble'      a text
  memonline check --format json               for editors

Exit status: 0 no errors (warnings may be); 2 errors.)"},
    {"status", R"(Examples:
  memonline status
  memonline status --root host.tar.xz --policy db.mempolicy
  memonline status --format json | jq '.blocks[] | select(.drift)'

A block drifts if the plan would change it, or if it stands where its rule does not want it.
Exit status: 0 as the policy says, or no policy; 1 failure; 2 wrong usage or policy;
3 changes pending; 4 only a reboot pending.)"},
    {"explain", R"(Examples:
  memonline explain memory42                  a block: its rule, its zone, its place in the plan
  memonline explain 0x150000000               the block that holds this physical address
  memonline explain ML0503                    a diagnostic code

Exit status: 0; 1 there is no such block; 2 wrong usage or policy.)"},
    {"capture", R"(Examples:
  memonline capture -o host.yaml
  memonline plan --root host.yaml -e 'hotplugged: movable'      later, elsewhere

The file holds what planning needs and no addresses of yours, names or secrets.
Exit status: 0; 1 failure.)"},
    {"fmt", R"(Examples:
  memonline fmt db.mempolicy                  print it in canonical form
  memonline fmt -w *.mempolicy policies/*.yaml
  memonline fmt --check *.mempolicy           for hooks: names what would change

In a package only the policy in its block is formatted. Comments stay.
Exit status: 0; 1 files would change (--check) or could not be written; 2 errors in a file.)"},
    {"test", R"(Examples:
  memonline test policies
  memonline test 50-database.yaml

Exit status: 0 all passed; 1 a test failed; 2 a package is wrong.)"},
    {"cat-policy", R"(Examples:
  memonline cat-policy                        what is read, in its order
  memonline cat-policy --list                 all files: used, masked, replaced
  memonline cat-policy --root /mnt

Exit status: 0; 1 a file cannot be read; 2 there is no policy.)"},
}};

}  // namespace

std::string_view footer_of(std::string_view command) {
  for (const Footer& footer : kFooters)
    if (footer.command == command) return footer.text;
  return {};
}

}  // namespace memonline::cli
