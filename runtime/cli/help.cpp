// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/help.hpp"

#include <array>

namespace memonline::cli {

const char* const kMainFooter =
    R"(Examples:
  memonline plan                              what the active policies would do here
  memonline plan -e 'hotplugged: movable'     what this policy would do here
  memonline status                            current memory, and where it drifts
  memonline apply --dry-run                   show what would be done; change nothing
  memonline apply                             carry out the plan
  memonline explain memory42                  why block 42 is in its state and zone

Policies are read from /etc/memonline/policy.d, /run/memonline/policy.d and
/usr/lib/memonline/policy.d; a file in an earlier directory replaces one of the same name in a
later directory.
Only `apply`, `undo`, `confirm` and `boot` change the machine.

Exit status: 0 done or nothing to do; 1 failure; 2 invalid usage or policy; 3 changes pending;
4 only a reboot pending; 64 partial success.
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
  memonline plan --policy db.mempolicy --root host.tar.xz     plan for another host
  memonline plan -o plan.json                                 save the plan for an audit
  memonline plan --format shell                               a script that needs only sh
  memonline plan --add 64GiB@node1,dimm=8GiB                  does it fit, and in which zones?
  memonline plan --unplug dimm1 -o plan.json                  blocks that `apply plan.json` offlines
  memonline plan --exit-code >/dev/null; test $? -eq 3        test for pending changes
  memonline plan --hosts captured/                            one line per host of a fleet

Exit status: 0; 1 no plan is possible on this host; 2 invalid usage or policy;
with --exit-code, as `status`: 3 changes pending, or drift that the plan cannot correct; 4 only a
reboot pending.)"},
    {"apply", R"(Examples:
  memonline apply                             what the active policies require
  memonline apply -e 'hotplugged: movable'    this policy
  memonline apply plan.json                   exactly the plan that `plan -o plan.json` wrote
  memonline apply --confirm 120s              undo the changes unless confirmed in time
  memonline apply --json >report.json

Each block is written, read back and compared with the prediction. EBUSY, EAGAIN, ENOMEM and EINTR
are retried, in up to six rounds per step within 1.6 s; offlining a block ends at its deadline. ^C
stops after the current block; a second ^C also interrupts offlining. The recovery journal is
written to /run/memonline before the first write.

Exit status: 0 done or nothing to do; 1 failure, or not confirmed; 2 invalid usage or policy;
64 partial success.)"},
    {"undo", R"(Examples:
  memonline undo                              return to the state before the last apply

Blocks that were offline are offlined again, Movable first, each within its deadline. Blocks that
were in another zone return there, and kernel settings get their previous values. Kernel memory in
use stays online.

Exit status: 0; 1 nothing could be undone; 64 partial success.)"},
    {"confirm", R"(Examples:
  memonline apply --confirm 120s              on one terminal, or in a script
  memonline confirm                           on another, once the machine works as expected

Exit status: 0; 1 no changes await confirmation.)"},
    {"boot", R"(Examples:
  memonline boot show                         the boot loader, and the parameters that it passes
  memonline boot apply --dry-run              which files would be written, which tools run
  memonline boot apply                        write the parameters that the active policies need
  memonline boot remove                       remove all of memonline's parameters
  memonline boot show --root /mnt --format json

memonline changes and removes only its own parameters; `show` lists those that were set by others.
Files are written atomically, read back, and restored if a tool fails.

Exit status: 0 done or nothing to do; 1 failure; 2 invalid usage or policy.)"},
    {"check", R"(Examples:
  memonline check                             the active policies
  memonline check db.mempolicy packages/*.yaml
  memonline check -e 'node1: 80% movble'      a policy on the command line
  memonline check --json db.mempolicy         for editors

Exit status: 0 no errors, possibly warnings; 2 errors.)"},
    {"status", R"(Examples:
  memonline status
  memonline status --root host.tar.xz --policy db.mempolicy
  memonline status --format json | jq '.blocks[] | select(.drift)'

A block drifts if the plan would change it, or if its state or zone is not what its rule requires.
"Remains" lines say what no step of the plan corrects, why, and what would help; "Competing onlining
agent" lines say what else onlines memory on this host.
After a boot with kernel parameters that memonline wrote, the zones are compared with the
prediction.
Exit status: 0 as the policy says, or no policy; 1 failure; 2 invalid usage or policy;
3 changes pending, or drift that the plan cannot correct; 4 only a reboot pending.)"},
    {"explain", R"(Examples:
  memonline explain memory42                  a block: its rule, its zone, its step in the plan
  memonline explain 0x150000000               the block that holds this physical address
  memonline explain memory32-39 node1 dimm1   the block ranges of each
  memonline explain ML0503                    a diagnostic code

Exit status: 0; 1 no such block, node or device; 2 invalid usage or policy.)"},
    {"capture", R"(Examples:
  memonline capture -o host.yaml
  memonline plan --root host.yaml -e 'hotplugged: movable'      later, elsewhere

The file holds what planning needs; it contains no network addresses, host names or secrets.
Exit status: 0; 1 failure.)"},
    {"map", R"(Examples:
  memonline map                               one row per device of each node
  memonline map --root host.tar.xz            another host
  memonline map -o memory.svg                 for a report; hover to see block names
  memonline map -o memory.html                the picture and a table of block ranges
  memonline plan -o plan.svg                  before and after the plan

Exit status: 0; 1 the host cannot be read.)"},
    {"generate", R"(Examples:
  memonline generate udev -o /etc/udev/rules.d/40-memory.rules
  memonline generate cmdline -e 'hotplugged: movable'         memhp_default_state=online_movable
  memonline generate tmpfiles -o /etc/tmpfiles.d/memory.conf
  memonline generate tuned -o /etc/tuned/memory/tuned.conf

For hosts without memonlined. If the target cannot express the policy, the error names the rule,
and nothing is written.

Exit status: 0; 1 the target cannot express the policy; 2 invalid usage or policy.)"},
    {"fmt", R"(Examples:
  memonline fmt db.mempolicy                  print it in canonical form
  memonline fmt -w *.mempolicy policies/*.yaml
  memonline fmt --check *.mempolicy           for hooks: list the files that would change

In a package, only the policy block is formatted. Comments are preserved.
Exit status: 0; 1 files would change (--check) or could not be written; 2 errors in a file, or
a file that cannot be read.)"},
    {"test", R"(Examples:
  memonline test policies
  memonline test 50-database.yaml

Exit status: 0 all passed; 1 a test failed; 2 a package is invalid or cannot be read.)"},
    {"cat-policy", R"(Examples:
  memonline cat-policy                        the active policies, in order
  memonline cat-policy --list                 all files: used, masked or replaced
  memonline cat-policy --root /mnt

Exit status: 0; 1 failure; 2 no policy is active, or a file cannot be read.)"},
}};

}  // namespace

std::string_view footer_of(std::string_view command) {
  for (const Footer& footer : kFooters)
    if (footer.command == command) return footer.text;
  return {};
}

}  // namespace memonline::cli
