// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/help.hpp"

#include <array>

namespace memonline::cli {

const char* const kMainFooter =
    R"(Examples:
  memonline plan                              what the policies in force would do here
  memonline plan -e 'hotplugged: movable'     what this policy would do here
  memonline status                            memory as it is, and where it drifts
  memonline apply --dry-run                   everything that would be said and done, unwritten
  memonline apply                             carry it out
  memonline explain memory42                  why block 42 is as it is

Policies are read from /etc/memonline/policy.d, /run/memonline/policy.d and
/usr/lib/memonline/policy.d; a file name higher up replaces the same name below.
Only `apply`, `undo`, `confirm` and `boot` change anything on the machine.

Exit status: 0 done or nothing to do; 1 failure; 2 wrong usage or policy; 3 changes pending;
4 only a reboot pending; 64 part of it worked.
Environment: MEMONLINE_ROOT, NO_COLOR, CLICOLOR_FORCE.)";

namespace {

struct Footer {
  std::string_view command;
  std::string_view text;
};

constexpr std::array<Footer, 14> kFooters{{
    {"plan", R"(Examples:
  memonline plan
  memonline plan -e 'node1: last 80% movable, rest normal'
  memonline plan --policy db.mempolicy --root host.tar.xz     for another host, on this one
  memonline plan -o plan.json                                 for the audit
  memonline plan --format shell                               a script that needs only sh
  memonline plan --add 64GiB@node1,dimm=8GiB                  would it fit, what becomes of it?
  memonline plan --unplug dimm1 -o plan.json                  what `apply plan.json` takes offline
  memonline plan --exit-code >/dev/null; test $? -eq 3        are there changes to make?
  memonline plan --hosts captured/                            a line for each host of a fleet

Exit status: 0; 1 no plan is possible on this host; 2 wrong usage or policy;
with --exit-code: 3 there are steps, 4 only a reboot is pending.)"},
    {"apply", R"(Examples:
  memonline apply                             the policies in force
  memonline apply -e 'hotplugged: movable'    this policy
  memonline apply plan.json                   exactly the plan that `plan -o plan.json` wrote
  memonline apply --confirm 120s              undone again unless somebody confirms it in time
  memonline apply --json >report.json

Each block is written, read back and held against the prediction. EBUSY, EAGAIN, ENOMEM and EINTR
are tried again, six times a step within 1.6 s; an offline ends at its deadline. ^C stops after the
current block, a second one ends an offline under way. What is needed to put things back is in
/run/memonline before the first write.

Exit status: 0 done or nothing to do; 1 nothing could be done, or it was not confirmed; 2 wrong
usage or policy; 64 part of it was done.)"},
    {"undo", R"(Examples:
  memonline undo                              back to how it was before the last apply

What was offline goes offline again, Movable first, each block within its deadline; what had another
zone goes back there; the kernel's switches get their old values. Kernel memory in use stays.

Exit status: 0; 1 nothing could be undone; 64 part of it was.)"},
    {"confirm", R"(Examples:
  memonline apply --confirm 120s              on one terminal, or in a script
  memonline confirm                           on another, once the machine is seen to be well

Exit status: 0; 1 nothing waits to be confirmed.)"},
    {"boot", R"(Examples:
  memonline boot show                         the boot loader, our words there, those of others
  memonline boot apply --dry-run              which files would be written, which tools run
  memonline boot apply                        what the policies in force need, and nothing else
  memonline boot remove                       all that is ours
  memonline boot show --root /mnt --format json

Only words of ours are ever changed or taken out; a parameter that somebody else set stays and is
named. Files are written whole or not at all, read back, and put back where a tool fails.

Exit status: 0 done or nothing to do; 1 failure; 2 wrong usage or policy.)"},
    {"check", R"(Examples:
  memonline check                             the policies in force
  memonline check db.mempolicy packages/*.yaml
  memonline check -e 'node1: 80% movble'      a text
  memonline check --json db.mempolicy         for editors

Exit status: 0 no errors (warnings may be); 2 errors.)"},
    {"status", R"(Examples:
  memonline status
  memonline status --root host.tar.xz --policy db.mempolicy
  memonline status --format json | jq '.blocks[] | select(.drift)'

A block drifts if the plan would change it, or if it stands where its rule does not want it.
After a boot with kernel parameters that memonline wrote, the zones are held against what was
predicted for them.
Exit status: 0 as the policy says, or no policy; 1 failure; 2 wrong usage or policy;
3 changes pending; 4 only a reboot pending.)"},
    {"explain", R"(Examples:
  memonline explain memory42                  a block: its rule, its zone, its place in the plan
  memonline explain 0x150000000               the block that holds this physical address
  memonline explain memory32-39 node1 dimm1   each range of blocks there
  memonline explain ML0503                    a diagnostic code

Exit status: 0; 1 there is no such block, node or device; 2 wrong usage or policy.)"},
    {"capture", R"(Examples:
  memonline capture -o host.yaml
  memonline plan --root host.yaml -e 'hotplugged: movable'      later, elsewhere

The file holds what planning needs; it contains no network addresses, host names or secrets.
Exit status: 0; 1 failure.)"},
    {"map", R"(Examples:
  memonline map                               a row for each device of each node
  memonline map --root host.tar.xz            of another host
  memonline map -o memory.svg                 for a report; hovering names the blocks
  memonline map -o memory.html                the picture and a table of the runs
  memonline plan -o plan.svg                  before and after

Exit status: 0; 1 the host cannot be read.)"},
    {"generate", R"(Examples:
  memonline generate udev -o /etc/udev/rules.d/40-memory.rules
  memonline generate cmdline -e 'hotplugged: movable'         memhp_default_state=online_movable
  memonline generate tmpfiles -o /etc/tmpfiles.d/memory.conf
  memonline generate tuned -o /etc/tuned/memory/tuned.conf

For hosts that are to do without memonlined. What the target cannot express is refused, and the
rule that is in the way is named: then nothing is written.

Exit status: 0; 1 the target cannot express it; 2 wrong usage or policy.)"},
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
