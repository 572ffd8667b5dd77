// SPDX-License-Identifier: LGPL-2.1-or-later
// kernel_replay OBJECT HOST LOG: compares a kernel's own code (OBJECT) with what that kernel did in
// a guest. HOST and LOG are what tests/vm/model_test.py keeps of a session, and what model_replay
// holds against the model. Exit 0: no difference; 1: one; 2: something cannot be read.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <dlfcn.h>
#include <fmt/format.h>

#include "compiler/kernel/boot_zones.hpp"
#include "runtime/host/read_host.hpp"
#include "tests/kernel_source/sequence.hpp"
#include "tests/vm/replay/replay.hpp"

namespace {

using namespace memonline;

constexpr std::array<std::string_view, 4> kZones{"DMA", "DMA32", "Normal", "Movable"};
constexpr std::uint64_t kMostBlocks = 512;

using vm::words_of;

class Replay {
 public:
  Replay(const ks_api& kernel, const model::Host& host) : kernel_(kernel) {
    boot(host);
    for (const auto& [parameter, setting] :
         {std::pair("memhp_default_state", "auto_online_blocks"),
          std::pair("memory_hotplug.online_policy", "online_policy"),
          std::pair("memory_hotplug.auto_movable_ratio", "auto_movable_ratio"),
          std::pair("memory_hotplug.auto_movable_numa_aware", "auto_movable_numa_aware")})
      if (const auto value = host.command_line_value(parameter))
        kernel.set(setting, value->c_str());
    // Memory devices that were there at boot come in the order of their addresses.
    for (std::size_t i = 0; i < host.blocks.size();) {
      const model::BlockRun& run = host.blocks[i];
      std::uint64_t count = 0;
      for (; i < host.blocks.size() && host.blocks[i].device == run.device; ++i)
        count += host.blocks[i].count;
      const model::Device& device = host.devices[run.device];
      if (device.origin != model::Origin::Hotplugged) continue;
      const bool grows = device.kind == model::Device::Kind::VirtioMem;
      add(run.first.value(), count, static_cast<int>(run.node->value()), grows,
          host.pages_per_block());
    }
  }

  std::vector<std::string> step(const vm::Step& step) {
    const vm::Facts before = facts_;
    for (const std::string& fact : step.facts) vm::learn(facts_, fact);
    std::vector<std::string> differences;
    const std::string answer = perform(words_of(step.operation), step.error, before);
    if (answer != step.error)
      differences.push_back(
          fmt::format("the guest answers {}, the kernel's code {}", step.error, answer));
    for (const auto& [key, value] : facts_) compare(key, value, differences);
    return differences;
  }

 private:
  void boot(const model::Host& host) {
    const kernel::BootMemory memory = kernel::boot_memory_of(host);
    std::vector<ks_region> regions;
    for (const kernel::BootNodeMemory& node : memory.nodes)
      for (const model::PageRange& range : node.ranges)
        regions.push_back(
            {range.begin, range.end, static_cast<int>(node.id.value()),
             node.hotpluggable_from && range.begin >= *node.hotpluggable_from ? 1 : 0});
    std::sort(regions.begin(), regions.end(),
              [](const ks_region& a, const ks_region& b) { return a.begin < b.begin; });
    block_pages_ = host.pages_per_block();
    kernel_source::start(
        kernel_,
        {std::move(regions), block_pages_, host.command_line_value("kernelcore").value_or(""),
         host.command_line_value("movablecore").value_or(""), host.movable_node()});
  }

  void add(std::uint64_t first, std::uint64_t count, int node, bool grows, std::uint64_t unit) {
    const int group = kernel_.group(node, grows ? 1 : 0, grows ? unit : count * block_pages_);
    if (grows) growing_[first] = {node, group};
    kernel_.add(first, count, node, group, 0);
    kernel_.auto_online(first, count);
  }

  std::string perform(const std::vector<std::string>& words, const std::string& error,
                      const vm::Facts& before) {
    const std::string& verb = words.at(0);
    const auto number = [&](std::size_t i) { return std::stoull(words.at(i)); };
    if (verb == "look" || vm::could_not_migrate(error)) return error;
    int answer = 0;
    if (verb == "state") answer = kernel_.write_state(number(1), words.at(2).c_str());
    if (verb == "attribute") answer = kernel_.write_online(number(1), words.at(2) == "1" ? 1 : 0);
    if (verb == "set") answer = kernel_.set(words.at(1).c_str(), words.at(2).c_str());
    if (verb == "add") add(number(1), number(2), static_cast<int>(number(3)), false, 0);
    if (verb == "remove" && error == "0") {
      for (std::uint64_t block = number(1); block < number(1) + number(2); ++block) {
        ks_block shown{};
        if (kernel_.block(block, &shown) != 0 && shown.online != 0)
          kernel_.write_state(block, "offline");
      }
      answer = kernel_.remove(number(1), number(2));
    }
    if (verb == "grow") grow(before);
    return answer == 0 ? "0" : strerrorname_np(-answer);
  }

  void grow(const vm::Facts& before) {
    for (std::uint64_t block = 0; block < kMostBlocks; ++block) {
      const std::string key = fmt::format("b {}", block);
      if (facts_.count(key) == 0 || before.count(key) != 0) continue;
      auto device = growing_.upper_bound(block);
      if (device == growing_.begin()) continue;
      --device;
      const auto [node, group] = device->second;
      kernel_.add(block, 1, node, group, 0);
      kernel_.auto_online(block, 1);
    }
  }

  void compare(const std::string& key, const std::string& guest,
               std::vector<std::string>& differences) const {
    const std::vector<std::string> words = words_of(key);
    std::string ours;
    std::string theirs = guest;
    if (words[0] == "b") {
      ks_block shown{};
      std::array<char, 128> zones{};
      const std::uint64_t block = std::stoull(words[1]);
      if (kernel_.block(block, &shown) != 0) {
        kernel_.valid_zones(block, zones.data());
        ours = fmt::format("{} {}", shown.online != 0 ? "online" : "offline", zones.data());
      }
      theirs = guest.substr(guest.find(' ') + 1);
    } else if (words[0] == "z") {
      const auto zone = std::find(kZones.begin(), kZones.end(), words[2]);
      if (zone == kZones.end()) return;
      ks_zone shown{};
      kernel_.zone(std::stoi(words[1]), static_cast<int>(zone - kZones.begin()), &shown);
      ours = fmt::format("{} {} {}", shown.start, shown.spanned, shown.present);
    } else {
      return;
    }
    if (ours != theirs)
      differences.push_back(
          fmt::format("{}: the guest says `{}`, the kernel's code `{}`", key, theirs, ours));
  }

  const ks_api& kernel_;
  std::uint64_t block_pages_ = 0;
  vm::Facts facts_;
  std::map<std::uint64_t, std::pair<int, int>>
      growing_;  ///< virtio-mem by first block: node, group
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: kernel_replay OBJECT HOST LOG\n";
    return 2;
  }
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  using Entry = const ks_api* (*)();
  const auto entry =
      library == nullptr ? nullptr : reinterpret_cast<Entry>(dlsym(library, "ks_kernel"));
  const auto host = runtime::read_host(argv[2]);
  const std::ifstream file(argv[3]);
  if (entry == nullptr || !host || !file) {
    std::cerr << (entry == nullptr ? dlerror() : "HOST or LOG cannot be read") << '\n';
    return 2;
  }
  std::ostringstream log;
  log << file.rdbuf();
  const std::vector<vm::Step> steps = vm::steps_of(log.str());
  Replay player(*entry(), *host);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<std::string> differences = player.step(steps[i]);
    if (differences.empty()) continue;
    std::cout << fmt::format("difference after operation {} (line {}): {}\n", i, steps[i].line,
                             steps[i].operation);
    for (const std::string& difference : differences) std::cout << "  " << difference << '\n';
    return 1;
  }
  std::cout << fmt::format("{} operations of a guest, no difference\n", steps.size());
  return steps.empty() ? 2 : 0;
}
