// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/finish.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/model/detect_era.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/model/zone_evidence.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/base/digest.hpp"

namespace memonline::runtime {

void make_printable(model::Host& host) {
  const auto clean = [](std::string& text) { text = memonline::printable(text); };
  for (std::string* text :
       {&host.kernel, &host.arch, &host.virtualization, &host.vendor, &host.product, &host.family,
        &host.era_evidence, &host.nvidia_driver, &host.dlpar})
    clean(*text);
  for (std::optional<std::string>* text :
       {&host.knobs.auto_online_blocks, &host.knobs.online_policy, &host.knobs.memmap_on_memory,
        &host.auto_online_before})
    if (*text) clean(**text);
  for (std::vector<std::string>* words : {&host.command_line, &host.own_parameters})
    for (std::string& word : *words) clean(word);
  for (model::Device& device : host.devices) {
    clean(device.name);
    clean(device.driver);
  }
  for (model::DaxDevice& device : host.dax_devices) {
    for (std::string* text : {&device.name, &device.driver, &device.state, &device.region})
      clean(*text);
    for (std::string& name : device.memory_devices) clean(name);
  }
  for (model::MemoryTier& tier : host.memory_tiers) clean(tier.name);
  for (model::OnliningAgent& agent : host.agents) {
    for (std::string* text : {&agent.path, &agent.text, &agent.program}) clean(*text);
    for (std::vector<std::string>* words : {&agent.states, &agent.only_with})
      for (std::string& word : *words) clean(word);
  }
  for (model::Unread& unread : host.unread) {
    clean(unread.path);
    clean(unread.reason);
  }
}

namespace {

// Devices do not overlap; of a source that says so, what comes later is not known.
void separate(std::vector<model::DaxDevice>& devices) {
  std::vector<std::pair<model::BlockRange, std::size_t>> all;
  for (std::size_t i = 0; i < devices.size(); ++i)
    for (const model::BlockRange& range : devices[i].blocks) all.emplace_back(range, i);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.first, a.second) < std::pair(b.first.first, b.second);
  });
  const std::pair<model::BlockRange, std::size_t>* before = nullptr;
  for (const auto& one : all) {
    if (before != nullptr && one.first.first <= before->first.last)
      devices[one.second].blocks.clear();
    else
      before = &one;
  }
}

}  // namespace

void finish(model::Host& host) {
  separate(host.dax_devices);
  make_printable(host);
  model::DetectedEra era = model::detect_era(host);
  host.era = era.era;
  host.era_evidence = std::move(era.evidence);
  model::settle_zones(host);
  host.fingerprint = sha256_of(model::canonical_text(host));
}

}  // namespace memonline::runtime
