// SPDX-License-Identifier: LGPL-2.1-or-later
// Every host and every policy up to a bound, each planned by compile() and compared block by block
// with the definition of the language (oracle.hpp). No case is chosen by chance. Prints a table of
// the cases, and the first counterexample as a policy and the lines of a unit test.
//
// Hosts: memory0 is boot memory of node 0 in several zones, as on each x86 machine. Up to N block
// ranges follow, each on node 0 or 1, of 1 or 3 blocks, and offline, in a kernel zone or in
// Movable, as a DIMM of its own or as boot memory. Policies: one or two rules, up to M shares in a
// rule, with each target, place and kind of amount, with limits and `rezone`. families.cpp lists
// the products.
//
// For each host and policy:
// 1. Each block ends with the target that its share promises, and the step names that share.
// 2. A block is onlined at most once and offlined at most once, and only to change it.
// 3. Memory that is to stay offline, or as it is, is not written.
// 4. The steps are in the order of compiler/plan/README.md: kernel memory, `auto`, Movable.
// 5. The kernel model accepts each step, the zones are those predicted, the report of the plan adds
//    up, and a second plan has no steps.
// A policy is refused, without a plan for any host, exactly where the language calls it an error.
//
// Exceptions, all from the documents:
// - `rezone = allowed`: a block that changes its zone is offlined by one step, onlined by another.
// - `auto`: the kernel chooses the zone; it has to be online, in the zone that the model says.
// - A limit together with `auto`, `rezone` or a kernel before 4.14: which blocks it refuses is not
//   compared. It holds for each block that becomes Movable, no block becomes online that no share
//   requested, no kernel memory is lost, and without `rezone` nothing online moves.
// - A limit and online memory: if counting it in another way shows that only blocks are missing
//   that the limit refuses, nothing is done ("resting"). Then the same policy leads to this host
//   from a host where some of these blocks are offline. If a rule has both `auto` and `movable`
//   shares, kernel memory may be what is missing.
// - Before 4.14: there may be no legal order (ML0506, "no order"), and kernel memory is written
//   after Movable of its node if the kernel refuses it earlier.
// Not enumerated: unknown facts, memory hot-added a moment ago, other devices than DIMMs, several
// limits, `when`, kernel parameters, the room for used pages.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/bounded/checks.hpp"
#include "tests/bounded/families.hpp"

using namespace memonline;
using namespace memonline::bounded;

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  Bound bound;
  std::uint64_t shard = 1;
  std::uint64_t shards = 1;
  std::string_view family;  // only this one
};

constexpr const char* kUsage =
    "usage: planner_bounded [--ranges N] [--shares M] [--shard i/n] [--family NAME]\n"
    "  --ranges N   hosts of up to N block ranges (default: 2)\n"
    "  --shares M   policies of up to M shares (default: 2)\n"
    "  --shard i/n  the i-th of n parts of all policies, counted from 1\n"
    "  --family NAME  only this row of the table\n";

[[noreturn]] void wrong_usage() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) wrong_usage();
  return value;
}

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) wrong_usage();
    const std::string_view value = argv[i + 1];
    if (name == "--ranges") {
      options.bound.ranges = static_cast<unsigned>(number(value));
    } else if (name == "--shares") {
      options.bound.shares = static_cast<unsigned>(number(value));
    } else if (name == "--family") {
      options.family = value;
    } else if (name == "--shard" && value.find('/') != std::string_view::npos) {
      options.shard = number(value.substr(0, value.find('/')));
      options.shards = number(value.substr(value.find('/') + 1));
    } else {
      wrong_usage();
    }
  }
  const bool in_range = options.bound.ranges >= 1 && options.bound.ranges <= 4 &&
                        options.bound.shares >= 1 && options.bound.shares <= 4 &&
                        options.shard >= 1 && options.shard <= options.shards;
  if (!in_range) wrong_usage();
  return options;
}

// CPU time: on a busy machine, too, it says what the bound costs.
double cpu_seconds(std::clock_t since) {
  return static_cast<double>(std::clock() - since) / CLOCKS_PER_SEC;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Run {
 public:
  explicit Run(const Options& options) : options_(options) {
    fmt::print("{:<20} {:>6} {:>6} {:>8} {:>8} {:>10} {:>9} {:>8} {:>7} {:>15} {:>7}\n", "family",
               "ranges", "shares", "hosts", "policies", "cases", "refused", "no order", "resting",
               "counterexamples", "CPU s");
  }

  void visit(const Family& family) {
    if (!options_.family.empty() && family.name != options_.family) return;
    const std::clock_t start = std::clock();
    Counts counts;
    std::uint64_t policies = 0;
    for (const Policy& policy : family.policies) {
      if (next_++ % options_.shards != options_.shard - 1) continue;
      ++policies;
      const CheckedPolicy checked(policy);
      for (const BoundedHost& host : family.hosts) {
        const auto problem = checked.check(host, counts);
        if (problem && !first_) first_ = *problem;
      }
      show_progress(family.name, counts);
    }
    row(family.name, std::to_string(family.ranges), std::to_string(family.shares),
        std::to_string(family.hosts.size()), policies, counts, cpu_seconds(start));
    total_ += counts;
    policies_ += policies;
  }

  int finish() {
    row("all", "", "", "", policies_, total_, cpu_seconds(0));
    if (!first_) return 0;
    fmt::print("\nthe first counterexample: {}", *first_);
    return 1;
  }

 private:
  static void row(std::string_view name, const std::string& ranges, const std::string& shares,
                  const std::string& hosts, std::uint64_t policies, const Counts& counts,
                  double seconds) {
    fmt::print("{:<20} {:>6} {:>6} {:>8} {:>8} {:>10} {:>9} {:>8} {:>7} {:>15} {:>7.1f}\n", name,
               ranges, shares, hosts, policies, counts.cases, counts.refused, counts.no_order,
               counts.resting, counts.counterexamples, seconds);
    std::fflush(stdout);
  }

  void show_progress(std::string_view family, const Counts& counts) {
    if (!terminal_ || seconds_since(shown_) < 10) return;
    shown_ = Clock::now();
    fmt::print(stderr, "{}: {} cases so far, {} counterexamples\n", family,
               total_.cases + counts.cases, total_.counterexamples + counts.counterexamples);
  }

  const Options options_;
  Clock::time_point shown_ = Clock::now();
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::uint64_t next_ = 0;
  std::uint64_t policies_ = 0;
  Counts total_;
  std::optional<std::string> first_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = options_of(argc, argv);
  Run run(options);
  for_each_family(options.bound, [&](const Family& family) { run.visit(family); });
  return run.finish();
}
