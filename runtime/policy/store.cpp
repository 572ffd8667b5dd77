// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/policy/store.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

namespace memonline::policy {

namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

/// Directories with a leading root, without a doubled slash.
std::string below(const std::string& root, std::string_view path) {
  std::string_view start = root;
  while (!start.empty() && start.back() == '/') start.remove_suffix(1);
  return std::string(start) + std::string(path);
}

Result<std::vector<std::string>, runtime::FileError> list_names(const std::string& root,
                                                                std::string_view directory) {
  auto names = runtime::list_below(root, std::string(directory));
  if (!names) return names;
  std::erase_if(*names, [](const std::string& name) { return !is_policy_name(name); });
  std::sort(names->begin(), names->end());
  return names;
}

/// A link whose text leads to /dev/null. A captured tree lacks that device, so the text counts, not
/// what it resolves to.
bool links_to_null(const std::string& path) {
  std::array<char, 256> text{};
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  if (size < 0) return false;
  const std::string_view target(text.data(), static_cast<std::size_t>(size));
  return target == "/dev/null" || (target.substr(0, 3) == "../" && ends_with(target, "/dev/null"));
}

}  // namespace

std::string_view file_state_name(FileState state) {
  switch (state) {
    case FileState::Used: return "used";
    case FileState::Masks: return "mask";
    case FileState::Masked: return "masked";
    case FileState::Replaced: return "replaced";
    case FileState::Unreadable: return "unreadable";
  }
  return "used";
}

std::vector<const PolicyFile*> Store::used() const {
  std::vector<const PolicyFile*> result;
  for (const PolicyFile& file : files)
    if (file.state == FileState::Used) result.push_back(&file);
  return result;
}

bool is_policy_name(std::string_view name) {
  return !name.empty() && name.front() != '.' &&
         (ends_with(name, ".mempolicy") || ends_with(name, ".yaml"));
}

Result<Store, runtime::FileError> read_store(const std::string& root) {
  Store store;
  std::map<std::string, std::size_t> highest;  // name -> index of the file that decides
  for (const std::string_view directory : kPolicyDirectories) {
    const std::string shown = below(root, directory);
    store.directories.push_back(shown);
    auto names = list_names(root, directory);
    if (!names) return fail(std::move(names.error()));
    for (const std::string& name : *names) {
      PolicyFile file{fmt::format("{}/{}", shown, name), name, FileState::Used, {}, {}};
      const auto [above, first] = highest.emplace(name, store.files.size());
      if (!first) {
        const PolicyFile& winner = store.files[above->second];
        file.state = winner.state == FileState::Masks ? FileState::Masked : FileState::Replaced;
        file.by = winner.path;
      } else if (links_to_null(file.path)) {
        file.state = FileState::Masks;
      } else {
        auto text = runtime::read_regular_file_below(root, std::string(directory) + "/" + name);
        if (!text) {
          file.state = FileState::Unreadable;
          store.unreadable.push_back(std::move(text.error()));
        } else {
          if (text->empty()) file.state = FileState::Masks;
          file.text = std::move(*text);
        }
      }
      store.files.push_back(std::move(file));
    }
  }
  std::stable_sort(store.files.begin(), store.files.end(),
                   [](const PolicyFile& a, const PolicyFile& b) { return a.name < b.name; });
  return store;
}

}  // namespace memonline::policy
