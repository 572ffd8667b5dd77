// SPDX-License-Identifier: LGPL-2.1-or-later
// The page that kept a block online: from the kernel's log, in the formats of its versions, or else
// from the contents of the block. And how long offlining may take by what has to be moved.
#include "runtime/apply/stuck_pages.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "runtime/apply/program.hpp"
#include "runtime/apply/report_json.hpp"
#include "runtime/apply/runner.hpp"
#include "runtime/host/tree.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::KernelLog;
using apply::Outcome;
using apply::Report;
using apply::ReportedPage;
using apply::Task;
using model::BlockId;
using model::PageUse;
using model::Pfn;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kBlock = 16 * kPage;  // small, so that the flags of a few blocks are short

// The format of 5.10 in /dev/kmsg; tests/vm/unplug_test.py reads the logs of real kernels.
const char* const kOld =
    "4,371,8113507,-;page:00000000a6a3e1a6 refcount:1 mapcount:0 mapping:0000000000000000 "
    "index:0x0 pfn:0x25\n"
    "4,372,8113512,-;flags: 0xfffffc0000200(slab)\n"
    "4,373,8113518,-;raw: 000fffffc0000200 dead000000000100 dead000000000122 ffff888003841300\n"
    "4,374,8113524,-;page dumped because: unmovable page\n";
// That of 6.12 and later, as printed by dmesg.
const char* const kNew =
    "[   12.250871] migrating pfn 31 failed ret:1 \n"
    "[   12.250880] page: refcount:3 mapcount:1 mapping:0000000000000000 index:0x7f6b0 pfn:0x31\n"
    "[   12.250890] anon flags: 0x100000000020849(locked|owner_2|swapbacked)\n"
    "[   12.250899] page dumped because: migration failure\n"
    "[   12.251000] page: refcount:3 mapcount:1 mapping:0000000000000000 index:0x7f6b1 pfn:0x32\n"
    "[   12.251001] page dumped because: migration failure\n";

/// A report of one offline step with one finding.
Report refused(std::uint64_t first, std::uint64_t last, Outcome outcome, int error) {
  Report report;
  report.block_size = kBlock;
  apply::StepReport step;
  step.number = 1;
  step.kind = Task::Kind::Offline;
  step.wanted = last - first + 1;
  apply::Finding finding;
  finding.blocks = {BlockId(first), BlockId(last)};
  finding.result.outcome = outcome;
  finding.result.error = static_cast<std::uint8_t>(error);
  finding.text = "EBUSY";
  step.findings.push_back(finding);
  report.steps.push_back(step);
  return report;
}

/// Pages of slab (flag 7) among anonymous ones (mapped, anonymous, on a list of pages to reclaim).
std::string flags_with_slab_at(std::initializer_list<std::uint64_t> pages) {
  constexpr std::uint64_t kAnonymous = 1U << 11U | 1U << 12U | 1U << 5U;
  std::string words;
  for (std::uint64_t page = 0; page < 8 * kBlock / kPage; ++page) {
    const bool slab = std::find(pages.begin(), pages.end(), page) != pages.end();
    const std::uint64_t flags = slab ? 1U << 7U : kAnonymous;
    for (unsigned byte = 0; byte < 8; ++byte)
      words += static_cast<char>(flags >> (8 * byte) & 0xffU);
  }
  return words;
}

}  // namespace

TEST_CASE("stuck pages: as kernels report them, and nothing else") {
  CHECK(apply::reported_pages(kOld) == std::vector<ReportedPage>{{Pfn(0x25), "unmovable page"}});
  CHECK(apply::reported_pages(kNew) == std::vector<ReportedPage>{{Pfn(0x31), "migration failure"},
                                                                 {Pfn(0x32), "migration failure"}});
  CHECK(apply::reported_pages("page dumped because: unmovable page\n").empty());
  CHECK(apply::reported_pages("x pfn:0xzz\npage dumped because: unmovable page\n").empty());
  CHECK(apply::reported_pages("x pfn:0x25").empty());
  CHECK(apply::reported_pages("").empty());
  // A process can write a line into the log, but no control characters into the report.
  const auto hostile = apply::reported_pages("a pfn:0x1\nb page dumped because: \x1b[2J\n");
  REQUIRE(hostile.size() == 1);
  CHECK(hostile[0].why.find('\x1b') == std::string::npos);
}

TEST_CASE("stuck pages: the last one that the kernel reported in the block, and its use") {
  runtime::MemoryTree tree;
  tree.add_file("proc/kpageflags", flags_with_slab_at({0x25}));
  Report report = refused(3, 3, Outcome::Deadline, EINTR);
  apply::name_stuck_pages(report, apply::reported_pages(std::string(kOld) + kNew), tree, kPage);
  CHECK(report.steps[0].findings[0].text ==
        "EBUSY; blocking page: pfn 0x32 (anonymous; the kernel logged `migration failure`)");
  CHECK(apply::to_json(report).find(R"("pfn": 50)") != std::string::npos);
  Report other = refused(2, 2, Outcome::Refused, EBUSY);
  apply::name_stuck_pages(other, apply::reported_pages(std::string(kOld) + kNew), tree, kPage);
  CHECK(other.steps[0].findings[0].page ==
        apply::StuckPage{Pfn(0x25), "unmovable page", PageUse::Slab});
}

TEST_CASE("stuck pages: without the kernel's log, the first page that cannot be moved") {
  runtime::MemoryTree tree;
  tree.add_file("proc/kpageflags", flags_with_slab_at({0x2a, 0x2b}));
  Report report = refused(2, 2, Outcome::Refused, EBUSY);
  apply::name_stuck_pages(report, {}, tree, kPage);
  CHECK(report.steps[0].findings[0].text == "EBUSY; blocking page: pfn 0x2a (slab)");
  // The report of the service is for all users.
  Report shown = refused(2, 2, Outcome::Refused, EBUSY);
  apply::name_stuck_pages(shown, {}, tree, kPage, true);
  CHECK(shown.steps[0].findings[0].text == "EBUSY; blocking page: slab");
  CHECK(apply::to_json(shown).find(R"("pfn": null)") != std::string::npos);
  // Nothing is named where nothing is known, or where pages are not the reason.
  for (Report none :
       {refused(4, 4, Outcome::Refused, EBUSY), refused(2, 2, Outcome::Refused, EPERM),
        refused(2, 2, Outcome::TakenBack, EBUSY)}) {
    apply::name_stuck_pages(none, {}, tree, kPage);
    CHECK(none.steps[0].findings[0].text == "EBUSY");
  }
  Report unread = refused(2, 2, Outcome::Refused, EBUSY);
  apply::name_stuck_pages(unread, {}, runtime::MemoryTree(), kPage);
  CHECK(unread.steps[0].findings[0].text == "EBUSY");
}

TEST_CASE("stuck pages: the log from the start of a run on") {
  const auto root =
      std::filesystem::temp_directory_path() / ("memonline-stuck-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "dev");
  std::ofstream(root / "dev/kmsg") << "before\n";
  KernelLog log(root.string());
  CHECK(log.read().empty());
  std::ofstream(root / "dev/kmsg", std::ios::app) << kOld;
  CHECK(log.read() == kOld);
  CHECK(log.read().empty());
  CHECK(KernelLog((root / "missing").string()).read().empty());
  std::filesystem::remove_all(root);
}

TEST_CASE("deadline: 30 s, and a second for each 64 MiB that has to move") {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
  Task task;
  apply::Limits limits;
  using std::chrono::seconds;
  CHECK(apply::deadline_for(task, limits) == seconds(30));
  task.moves = 1;
  CHECK(apply::deadline_for(task, limits) == seconds(31));
  task.moves = 64 * kMiB;
  CHECK(apply::deadline_for(task, limits) == seconds(31));
  task.moves = 2048 * kMiB;
  CHECK(apply::deadline_for(task, limits) == seconds(62));
  limits.offline_deadline = seconds(2);
  CHECK(apply::deadline_for(task, limits) == seconds(2));
}

TEST_CASE("deadline: by the pages in use of the plan, and by the block where they are unknown") {
  const auto host = test::HostBuilder().boot(0, 0, 32).build();
  plan::Plan plan;
  plan::OfflineBlocks offline;
  offline.blocks = {BlockId(31), BlockId(28)};
  offline.moves = model::Bytes(4 * 1000 + 1);
  plan.steps.push_back({1, offline, {}, {}});
  offline.blocks = {BlockId(27), BlockId(27)};
  offline.moves = std::nullopt;
  plan.steps.push_back({2, offline, {}, {}});
  const apply::Program program = apply::program_of(plan, host);
  CHECK(program.tasks.at(0).moves == 4001);
  CHECK(program.tasks.at(1).moves == host.block_size.value());
  // A plan may come from a file.
  offline.moves = model::Bytes(std::uint64_t{1} << 62U);
  plan.steps = {{1, offline, {}, {}}};
  CHECK(apply::program_of(plan, host).tasks.at(0).moves == host.block_size.value());
}

}  // namespace memonline
