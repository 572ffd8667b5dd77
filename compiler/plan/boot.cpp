// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/boot.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/kernel/boot_zones.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/plan/default_state.hpp"
#include "compiler/plan/sources.hpp"

namespace memonline::plan {

using kernel::BootMemory;
using kernel::BootZones;
using model::Host;
using model::NodeId;
using model::Zone;
using Wish = std::map<NodeId, std::uint64_t>;  // pages of Movable

namespace {

// The kernel keeps at least this part of boot memory: one fifth.
constexpr std::uint64_t kKernelPart = 5;
// A parameter must reduce the difference from the request by at least a quarter: it costs a reboot,
// and on each node one block that spans two zones.
constexpr std::uint64_t kWorthwhile = 4;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
constexpr std::string_view kMemmap = "memory_hotplug.memmap_on_memory";
constexpr std::string_view kMovableNode = "movable_node";
constexpr std::string_view kDefaultState = "memhp_default_state";

std::string_view key_of(std::string_view word) { return word.substr(0, word.find('=')); }

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::uint64_t movable_of(const BootZones& zones) {
  return zones.present[static_cast<std::size_t>(Zone::Movable)];
}

class BootPlanner {
 public:
  BootPlanner(const Allocation& allocation, const HotplugPart& hotplug,
              const sema::FlatPolicy& policy, const Host& host, diag::Sink& sink)
      : allocation_(allocation),
        hotplug_(hotplug),
        policy_(policy),
        host_(host),
        sink_(sink),
        memory_(kernel::boot_memory_of(host)) {}

  BootPart make() {
    if (policy_.settings.is(language::BootParameters::Ignore)) return {};
    zones();
    memmap_on_memory();
    default_state();
    for (const std::string& word : boot_.parameters)
      if (!has(host_.command_line, word)) boot_.set.push_back(word);
    for (const std::string& word : host_.own_parameters)
      if (!has(boot_.parameters, word) && has(host_.command_line, word))
        boot_.remove.push_back(word);
    boot_.reboot_required = !boot_.set.empty() || !boot_.remove.empty();
    const auto added = [&](const std::string& word) {
      return has(boot_.set, word) ? word : std::string();
    };
    const std::string split = added(splits_);
    const std::string dimms = added(places_dimms_);
    return {std::move(boot_), split, dimms};
  }

 private:
  // --- what is there --------------------------------------------------------------------------

  /// The user's kernel parameter with one of these keys, if any.
  const std::string* foreign(std::initializer_list<std::string_view> keys) const {
    for (const std::string& word : host_.command_line)
      for (const std::string_view key : keys)
        if (key_of(word) == key && !has(host_.own_parameters, word)) return &word;
    return nullptr;
  }

  diag::Diagnostic& say_foreign(const std::string& word, std::string_view wanted) {
    auto& d = sink_.add(diag::Code::ForeignParameter, std::nullopt,
                        fmt::format("`{}` is on the kernel command line, not set by memonline: it "
                                    "determines {}",
                                    word, wanted));
    d.help = fmt::format("remove `{}` where it was set, or `set boot-parameters = ignore`", word);
    return d;
  }

  // --- zones of boot memory -------------------------------------------------------------------

  std::uint64_t pages_in(const model::BlockRun& blocks) const {
    const model::PageRange all = host_.pages_of(blocks.first, blocks.count);
    std::uint64_t pages = 0;
    for (const model::PageRange& range : host_.boot_memory) {
      const std::uint64_t from = std::max(all.begin, range.begin);
      const std::uint64_t to = std::min(all.end, range.end);
      if (from < to) pages += to - from;
    }
    return pages;
  }

  /// Boot memory that should be Movable and that no write of this plan makes so.
  Wish wish() const {
    Wish wish;
    for (const Decision& decision : allocation_.decisions)
      if (is_wish(decision)) wish[*decision.blocks.node] += pages_in(decision.blocks);
    return wish;
  }
  bool is_wish(const Decision& decision) const {
    const model::BlockRun& blocks = decision.blocks;
    return decision.target == sema::Target::Movable && !decision.change && blocks.node &&
           host_.devices.at(blocks.device).origin == model::Origin::Boot &&
           blocks.state == model::State::Online;
  }

  void zones() {
    // Where blocks may change their zone, they do so at run time, each node by itself.
    if (policy_.settings.is(language::Rezone::Allowed) || memory_.nodes.empty()) return;
    const Wish wished = wish();
    if (wished.empty()) return;
    if (const auto outcome = outcome_for(wished)) compare(wished, *outcome);
  }

  /// The zones of boot memory, with the user's own parameters or with those that the plan sets.
  /// Empty: it cannot be predicted.
  std::optional<std::vector<BootZones>> outcome_for(const Wish& wished) {
    constexpr std::string_view kSplit = "how boot memory is split";
    if (const std::string* word = foreign({kMovableNode})) {
      decided_by_ = *word;
      auto& d = say_foreign(*word, kSplit);
      if (memory_.hotpluggable_known) return kernel::boot_zones(memory_, whole_nodes());
      d.notes.emplace_back(
          "its effect depends on the firmware's table of hot-pluggable memory (SRAT), which is "
          "unknown here");
      return std::nullopt;
    }
    if (const std::string* word = foreign({"kernelcore", "movablecore"})) {
      decided_by_ = *word;
      auto& d = say_foreign(*word, kSplit);
      if (host_.command_line_value("kernelcore") != "mirror")
        return kernel::boot_zones(memory_, foreign_request());
      d.notes.emplace_back(
          "its effect depends on the memory that the firmware mirrors, which no running system "
          "shows");
      return std::nullopt;
    }
    const auto best = closest(wished);
    if (!best) return kernel::boot_zones(memory_, {});
    boot_.parameters.push_back(best->word);
    return kernel::boot_zones(memory_, best->request);
  }

  kernel::CoreRequest foreign_request() const {
    kernel::CoreRequest request;
    if (const auto value = host_.command_line_value("kernelcore"))
      request.kernelcore = kernel::parse_core(*value, host_.page_size);
    if (const auto value = host_.command_line_value("movablecore"))
      request.movablecore = kernel::parse_core(*value, host_.page_size);
    return request;
  }

  kernel::CoreRequest request(std::uint64_t mebibytes) const {
    return {kernel::CoreAmount{mebibytes * kMebibyte / host_.page_size, std::nullopt}, {}};
  }

  static std::uint64_t wished_of(const Wish& wished, NodeId node) {
    const auto found = wished.find(node);
    return found == wished.end() ? 0 : found->second;
  }

  static std::uint64_t distance(const Wish& wished, const std::vector<BootZones>& outcome) {
    std::uint64_t sum = 0;
    for (const BootZones& node : outcome) {
      const std::uint64_t wish = wished_of(wished, node.id);
      const std::uint64_t got = movable_of(node);
      sum += wish > got ? wish - got : got - wish;
    }
    return sum;
  }

  /// The pages that the kernel must keep; a limit on Movable counts, too.
  std::uint64_t least_for_kernel(std::uint64_t total) const {
    std::uint64_t least = total / kKernelPart;
    for (const sema::Limit& limit : policy_.limits)
      if (const auto* times = std::get_if<sema::Limit::TimesNormal>(&limit.bound))
        least = std::max(least, total * 1000 / (1000 + times->thousandths) + 1);
    return least;
  }

  struct Setting {
    std::string word;
    kernel::CoreRequest request;
  };

  static kernel::CoreRequest whole_nodes() {
    kernel::CoreRequest request;
    request.movable_node = true;
    return request;
  }

  /// The parameter with the smallest difference. Empty: no parameter is an improvement.
  std::optional<Setting> closest(const Wish& wished) const {
    std::uint64_t nearest = distance(wished, kernel::boot_zones(memory_, {}));
    nearest -= nearest / kWorthwhile;
    std::optional<Setting> best;
    if (const auto mebibytes = closest_kernelcore(wished, nearest)) {
      best = Setting{fmt::format("kernelcore={}M", *mebibytes), request(*mebibytes)};
      nearest = distance(wished, kernel::boot_zones(memory_, best->request));
    }
    if (!memory_.hotpluggable_known) return best;
    const auto outcome = kernel::boot_zones(memory_, whole_nodes());
    std::uint64_t movable = 0;
    for (const BootZones& node : outcome) movable += movable_of(node);
    const std::uint64_t total = memory_.pages();
    if (movable > 0 && total - movable >= least_for_kernel(total) &&
        distance(wished, outcome) <= nearest)
      best = Setting{std::string(kMovableNode), whole_nodes()};
    return best;
  }

  /// Movable shrinks on every node as kernelcore grows, so the best amount is where one node gets
  /// its requested Movable, or just before. In MiB; empty: none is as close as `nearest`.
  std::optional<std::uint64_t> closest_kernelcore(const Wish& wished, std::uint64_t nearest) const {
    const std::uint64_t page = host_.page_size;
    const std::uint64_t total = memory_.pages() * page / kMebibyte;
    const std::uint64_t least =
        (least_for_kernel(memory_.pages()) * page + kMebibyte - 1) / kMebibyte;
    std::optional<std::uint64_t> best;
    const auto consider = [&](std::uint64_t mebibytes) {
      if (mebibytes < least || mebibytes == 0 || mebibytes > total) return;
      const std::uint64_t d = distance(wished, kernel::boot_zones(memory_, request(mebibytes)));
      if (d > nearest || (d == nearest && (!best || mebibytes < *best))) return;
      nearest = d;
      best = mebibytes;
    };
    for (std::size_t node = 0; node < memory_.nodes.size(); ++node) {
      const std::uint64_t wish = wished_of(wished, memory_.nodes[node].id);
      std::uint64_t low = std::max<std::uint64_t>(least, 1);
      std::uint64_t high = total + 1;
      while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const auto outcome = kernel::boot_zones(memory_, request(middle));
        if (movable_of(outcome[node]) <= wish)
          high = middle;
        else
          low = middle + 1;
      }
      consider(low);
      consider(low - 1);
    }
    return best;
  }

  void compare(const Wish& wished, const std::vector<BootZones>& outcome) {
    bool near = true;
    std::vector<std::string> notes;
    for (const BootZones& node : outcome) {
      std::uint64_t all = 0;
      BootNode shown;
      shown.node = node.id;
      for (std::size_t zone = 0; zone < model::kZoneCount; ++zone) {
        if (node.present.at(zone) == 0) continue;
        all += node.present.at(zone);
        shown.predicted[std::string(model::zone_name(static_cast<Zone>(zone)))] =
            node.present.at(zone) * host_.page_size;
      }
      const std::uint64_t wish = wished_of(wished, node.id);
      const std::uint64_t got = movable_of(node);
      shown.wished["Movable"] = wish * host_.page_size;
      shown.wished["Normal"] = (all - std::min(all, wish)) * host_.page_size;
      near = near && std::max(wish, got) - std::min(wish, got) <= host_.pages_per_block();
      const auto text = [&](std::uint64_t pages) {
        return model::human(model::Bytes(pages * host_.page_size));
      };
      notes.push_back(fmt::format("node{}: {} of {} would be Movable, the policy requires {}",
                                  node.id, text(got), text(all), text(wish)));
      boot_.nodes.push_back(std::move(shown));
    }
    if (near) {
      if (!boot_.parameters.empty()) splits_ = boot_.parameters.front();
      return;
    }
    auto& d = sink_.add(
        diag::Code::BootWishNotMet, std::nullopt,
        !decided_by_.empty()
            ? fmt::format("`{}` does not split boot memory as the policy requires", decided_by_)
        : boot_.parameters.empty()
            ? "no kernel parameter splits boot memory as the policy requires"
            : fmt::format("`{}` comes closest to the policy for boot memory, but still "
                          "differs from it",
                          boot_.parameters.front()));
    diag::add_first_few(d, notes);
    const bool some_can_move =
        std::any_of(allocation_.decisions.begin(), allocation_.decisions.end(),
                    [&](const Decision& one) { return is_wish(one) && !one.fixed; });
    d.help = host_.era < model::Era::C1 || !some_can_move
                 ? "request less Movable boot memory, or the same amount of kernel memory on each "
                   "node"
                 : "`set rezone = allowed` offlines boot blocks and re-onlines them in Movable, on "
                   "each node separately";
  }

  // --- hot-added memory -----------------------------------------------------------------------

  void memmap_on_memory() {
    const char* value = nullptr;
    switch (policy_.settings.get<language::MemmapOnMemory>()) {
      case language::MemmapOnMemory::Leave:
      case language::MemmapOnMemory::Off: break;  // off by default
      case language::MemmapOnMemory::On: value = "1"; break;
      case language::MemmapOnMemory::Force: value = "force"; break;
    }
    if (value != nullptr && has_no_effect()) {
      // A reboot to remove it would be as useless as one to set it.
      const std::string word = fmt::format("{}={}", kMemmap, value);
      if (has(host_.own_parameters, word)) boot_.parameters.push_back(word);
      return;
    }
    if (!host_.knobs.memmap_on_memory) return;
    const std::string* there = foreign({kMemmap});
    if (there != nullptr && !policy_.settings.is(language::MemmapOnMemory::Leave)) {
      const std::string_view now = *host_.knobs.memmap_on_memory;
      const bool same = value == nullptr ? now == "N" : now == (*value == '1' ? "Y" : "force");
      if (!same) say_foreign(*there, "where the memory map of hot-added memory is stored");
      return;
    }
    if (value != nullptr) boot_.parameters.push_back(fmt::format("{}={}", kMemmap, value));
  }

  bool has_no_effect() {
    const std::string why = host_.knobs.memmap_on_memory
                                ? no_own_map(host_)
                                : std::string("this kernel has no such parameter");
    if (why.empty()) return false;
    auto& d = sink_.add(diag::Code::MemmapHasNoEffect, std::nullopt,
                        fmt::format("`set memmap-on-memory` has no effect on this host: {}", why));
    d.help = "remove the setting; the plan requests no kernel parameter and no reboot for it";
    return true;
  }

  /// The kernel onlines DIMMs present at boot before a process can write auto_online_blocks.
  void default_state() {
    const auto wanted = hotplug_.knobs.find(model::Knob::AutoOnlineBlocks);
    if (wanted == hotplug_.knobs.end()) return;
    const std::string word = fmt::format("{}={}", kDefaultState, wanted->second);
    const bool ours = has(host_.own_parameters, word);
    const bool wrong = std::any_of(
        allocation_.decisions.begin(), allocation_.decisions.end(), [&](const Decision& d) {
          const bool came_online = d.blocks.state == model::State::Online && !d.change;
          const bool kernel = d.blocks.zones.kind() == model::ValidZones::Kind::Listed &&
                              model::is_kernel_zone(d.blocks.zones[0]);
          const model::Device& device = host_.devices.at(d.blocks.device);
          return came_online && kernel && d.target == sema::Target::Movable &&
                 device.kind == model::Device::Kind::Dimm &&
                 device.origin == model::Origin::Hotplugged;
        });
    if (!ours && !wrong) return;
    if (const std::string* there = foreign_state()) {
      // The plan onlines memory that stays offline at boot.
      if (*there != word && *there != fmt::format("{}=offline", kDefaultState))
        say_foreign(*there, "the zone of DIMMs present at boot");
      return;
    }
    boot_.parameters.push_back(word);
    places_dimms_ = word;
  }

  /// The user's memhp_default_state= that applies: the last one that the kernel supports.
  const std::string* foreign_state() const {
    const auto state = default_state_of(host_);
    if (!state) return nullptr;
    const std::string word = fmt::format("{}={}", kDefaultState, *state);
    if (has(host_.own_parameters, word)) return nullptr;
    return &*std::find(host_.command_line.begin(), host_.command_line.end(), word);
  }

  const Allocation& allocation_;
  const HotplugPart& hotplug_;
  const sema::FlatPolicy& policy_;
  const Host& host_;
  diag::Sink& sink_;
  BootMemory memory_;
  std::string splits_;        ///< our word that splits boot memory as the policy says
  std::string places_dimms_;  ///< our word for DIMMs present at boot
  std::string decided_by_;    ///< the user's own word that splits boot memory
  Boot boot_;
};

}  // namespace

BootPart plan_boot(const Allocation& allocation, const HotplugPart& hotplug,
                   const sema::FlatPolicy& policy, const Host& host, diag::Sink& sink) {
  return BootPlanner(allocation, hotplug, policy, host, sink).make();
}

}  // namespace memonline::plan
