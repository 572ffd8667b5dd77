// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/findings.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/language/settings.hpp"

namespace memonline::plan {

using sema::Target;
using Kind = Finding::Kind;

namespace {

/// The findings of all groups of one share, added up.
struct Sum {
  Finding total;  ///< its `group` is not used
  std::vector<std::string> groups;
};

void add(Finding& total, const Finding& one) {
  total.blocks += one.blocks;
  total.of += one.of;
  total.of_group += one.of_group;
  total.misplaced.boot += one.misplaced.boot;
  total.misplaced.dimms += one.misplaced.dimms;
  total.misplaced.others += one.misplaced.others;
  total.misplaced.fixed += one.misplaced.fixed;
}

std::vector<Sum> added_up(const std::vector<Finding>& findings) {
  std::vector<Sum> sums;
  std::map<std::pair<const sema::Share*, Kind>, std::size_t> index;
  for (const Finding& one : findings) {
    const auto [at, is_new] = index.emplace(std::pair(one.share, one.kind), sums.size());
    Sum& sum = is_new ? sums.emplace_back(Sum{one, {}}) : sums[at->second];
    if (!is_new) add(sum.total, one);
    if (!one.group.empty()) sum.groups.push_back(one.group);
  }
  return sums;
}

std::string_view is_or_are(std::uint64_t count) { return count == 1 ? "is" : "are"; }

class Reporter {
 public:
  Reporter(const BootPart& boot, const sema::FlatPolicy& policy, const model::Host& host,
           diag::Sink& sink)
      : boot_(boot), policy_(policy), host_(host), sink_(sink) {}

  void report(const Sum& sum) const {
    const Finding& total = sum.total;
    const std::string of_group = sum.groups.size() > 1 ? "the groups'" : "the group's";
    switch (total.kind) {
      case Kind::ExceedsGroup:
        add(diag::Code::AmountExceedsGroup, sum,
            fmt::format("this share requests {} blocks, but only {} of {} {} are left for it",
                        total.of, total.blocks, of_group, total.of_group));
        return;
      case Kind::RoundsToNothing:
        add(diag::Code::ShareRoundsToNothing, sum,
            fmt::format("this share is less than one block of {} here",
                        model::human(host_.block_size)));
        return;
      case Kind::NotReached: {
        const bool offline = total.share->target == Target::Offline;
        add(diag::Code::ShareNotReached, sum,
            fmt::format("{} of the {} requested blocks {} online{}", total.blocks, total.of,
                        is_or_are(total.blocks), offline ? "" : " in another zone"))
            .help = remedy(total);
        return;
      }
      case Kind::Unusable:
        add(diag::Code::ShareNotReached, sum,
            fmt::format("{} of the {} requested blocks cannot be used now", total.blocks, total.of))
            .help = "another process is offlining them: plan again later";
        return;
      case Kind::OutOfPosition:
        add(diag::Code::PositionDrift, sum,
            fmt::format(
                "{} of the {} blocks are elsewhere in {}; online blocks stay where they are",
                total.blocks, total.of, sum.groups.size() > 1 ? "their groups" : "the group"));
        return;
    }
  }

 private:
  diag::Diagnostic& add(diag::Code code, const Sum& sum, const std::string& message) const {
    return sink_.add(
        code, sum.total.share->span,
        sum.groups.empty() ? message : fmt::format("{}: {}", diag::first_few(sum.groups), message));
  }

  [[nodiscard]] std::string remedy(const Finding& total) const {
    const Misplaced& lack = total.misplaced;
    const bool offline = total.share->target == Target::Offline;
    if (total.share->target == Target::Movable) {
      std::string words = at_next_boot(lack);
      if (!words.empty()) return words;
    }
    const std::uint64_t free = lack.all() - lack.fixed;
    if (free == 0) return no_way_offline(total);
    if (policy_.settings.is(language::Rezone::Allowed))  // else they would have been taken
      return "before Linux 4.14, a policy with a `limit` offlines no memory permanently: remove "
             "the limit, or offline these blocks by hand";
    const std::string which =
        lack.fixed == 0 ? std::string("them") : fmt::format("{} of them", free);
    if (!offline)
      return fmt::format(
          "`set rezone = allowed` lets memonline offline {} and re-online them there", which);
    return fmt::format("`set rezone = allowed` lets memonline offline {}", which);
  }

  /// How the plan's own boot parameters place all of them; empty where they do not.
  [[nodiscard]] std::string at_next_boot(const Misplaced& lack) const {
    std::vector<std::string> words;
    const auto settles = [&](std::uint64_t blocks, const std::string& word) {
      if (blocks == 0) return true;
      words.push_back(fmt::format("`{}`", word));
      return !word.empty();
    };
    const bool settled = lack.others == 0 && settles(lack.boot, boot_.splits_boot_memory) &&
                         settles(lack.dimms, boot_.places_dimms);
    if (!settled || words.empty()) return {};
    // The boot loader and its other parameters decide whether they are written.
    return fmt::format(
        "booting with {} places them there; `memonline boot show` lists the next boot's parameters",
        diag::first_few(words));
  }

  [[nodiscard]] std::string no_way_offline(const Finding& total) const {
    std::string text = "these blocks cannot be offlined";
    if (total.share->target == Target::Offline)
      return text + "; `except` leaves them out of the rule";
    if (total.misplaced.boot == 0) return text;
    if (policy_.settings.is(language::BootParameters::Ignore))
      return text + "; `set boot-parameters = suggest` shows what could place boot memory";
    // Where boot memory lies, and so what a parameter would make of it, must be known.
    if (host_.boot_memory.empty()) return text;
    return text + "; boot parameters can place boot memory";
  }

  const BootPart& boot_;
  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  diag::Sink& sink_;
};

}  // namespace

void report_findings(const std::vector<Finding>& findings, const BootPart& boot,
                     const sema::FlatPolicy& policy, const model::Host& host, diag::Sink& sink) {
  const Reporter reporter(boot, policy, host, sink);
  for (const Sum& sum : added_up(findings)) reporter.report(sum);
}

}  // namespace memonline::plan
