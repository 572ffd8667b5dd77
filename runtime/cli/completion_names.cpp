// SPDX-License-Identifier: LGPL-2.1-or-later
// The names that shells offer after `explain` and `--unplug`, from the host.
#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/unplug.hpp"
#include "runtime/cli/completion.hpp"
#include "runtime/cli/inputs.hpp"

namespace memonline::cli {

namespace {

using model::Device;
using options::Offers;

/// Of more blocks, only the ends of each range are offered: half a million are too many to choose
/// from.
constexpr std::uint64_t kMaxBlocks = 1024;

/// The value of --root. bash breaks words at `=`, so that `--root=DIR` may be three words.
std::string root_in(const std::vector<std::string>& words) {
  const char* variable = std::getenv("MEMONLINE_ROOT");
  std::string root = variable == nullptr || *variable == '\0' ? "/" : variable;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view name : {"--root", "--sysroot"}) {
      const std::string_view word = words[i];
      if (word.starts_with(name) && word.size() > name.size() + 1 && word[name.size()] == '=')
        root = word.substr(name.size() + 1);
      const std::size_t value = i + (i + 1 < words.size() && words[i + 1] == "=" ? 2 : 1);
      if (word == name && value < words.size()) root = words[value];
    }
  }
  return root;
}

void add_blocks(const model::Host& host, std::vector<std::string>& names) {
  std::uint64_t all = 0;
  for (const model::BlockRun& run : host.blocks) all += run.count;
  for (const model::BlockRun& run : host.blocks)
    for (std::uint64_t i = 0; i < run.count; ++i)
      if (all <= kMaxBlocks || i == 0 || i + 1 == run.count)
        names.push_back(fmt::format("memory{}", (run.first + i).value()));
}

void add_devices(const model::Host& host, Offers offers, std::vector<std::string>& names) {
  std::set<std::string> found;
  if (offers == Offers::Removable)
    for (const std::string& name : plan::removable_devices(host)) found.insert(name);
  for (const model::BlockRun& run : host.blocks) {
    const Device& device = host.devices.at(run.device);
    const bool has_name = device.kind != Device::Kind::None && device.kind != Device::Kind::Unknown;
    if (offers == Offers::Explainable && has_name) found.insert(device.name);
  }
  names.insert(names.end(), found.begin(), found.end());
}

}  // namespace

std::string offered_names(Offers offers, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  diag::Sink ignored;
  Where where;
  where.root = root_in(words);
  where.to_write = true;
  if (const auto host = load_host(where, ignored)) {
    add_blocks(*host, names);
    add_devices(*host, offers, names);
    for (const model::Node& node : host->nodes)
      names.push_back(fmt::format("node{}", node.id.value()));
  }
  if (offers == Offers::Explainable)
    for (const diag::CodeEntry& entry : diag::all_codes())
      names.emplace_back(diag::name_of(entry.code));
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

}  // namespace memonline::cli
