// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/udev_event.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fnmatch.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

Truth negated(Truth truth) {
  if (truth == Truth::Perhaps) return truth;
  return truth == Truth::Yes ? Truth::No : Truth::Yes;
}

Truth with_operator(const UdevPart& part, Truth truth) {
  return part.op == "!=" ? negated(truth) : truth;
}

/// Calls `each` with every pattern of "memory|cpu".
template <class Each>
void patterns(std::string_view text, Each each) {
  do each(std::string(take_until(text, '|')));
  while (!text.empty());
}

bool fits(std::string_view value, const std::string& text) {
  bool any = false;
  patterns(value, [&](const std::string& pattern) {
    const bool literal = pattern.find_first_of("*?[\\") == std::string::npos;
    any = any || (literal ? pattern == text : ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0);
  });
  return any;
}

// systemd's names (systemd.unit(5), ConditionArchitecture=) for those of uname.
std::string udev_arch(const std::string& arch) {
  static const std::map<std::string, std::string, std::less<>> names{{"x86_64", "x86-64"},
                                                                     {"i686", "x86"},
                                                                     {"aarch64", "arm64"},
                                                                     {"ppc64", "ppc64"},
                                                                     {"ppc64le", "ppc64-le"}};
  const auto at = names.find(arch);
  return at == names.end() ? arch : at->second;
}

/// Machines whose firmware has no DMI tables: an attribute that does not exist matches nothing.
bool has_no_dmi(const model::Host& host) {
  return host.vendor.empty() && (host.arch.starts_with("s390") || host.arch.starts_with("ppc"));
}

std::optional<std::string> known(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

bool is_match(const UdevPart& part) {
  // These run something and match if that works, whatever the operator says.
  return part.matches() || part.key == "PROGRAM" || part.key == "IMPORT";
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

}  // namespace

Truth UdevEvent::apply(const UdevRule& rule) {
  Truth all = Truth::Yes;
  for (const UdevPart& part : rule)
    if (is_match(part) && part.key != "PROGRAM" && part.key != "RESULT")
      all = std::min(all, holds(part));
  // udev runs a program only if everything else matches, and checks its result after that.
  for (const UdevPart& part : rule)
    if (all != Truth::No && part.key == "PROGRAM") all = std::min(all, program(part));
  for (const UdevPart& part : rule)
    if (part.key == "RESULT" && part.matches())
      all = std::min(all, with_operator(part, !result_                     ? Truth::Perhaps
                                              : fits(part.value, *result_) ? Truth::Yes
                                                                           : Truth::No));
  if (all == Truth::No) return all;
  for (const UdevPart& part : rule)
    if (!part.matches()) assign(part, all);
  return all;
}

Truth UdevEvent::holds(const UdevPart& part) const {
  if (part.key == "KERNEL" || part.key == "KERNELS") return kernel_name(part);
  if (part.key == "SUBSYSTEMS") return subsystems(part);
  if (part.key == "ENV") return environment(part);
  if (part.key == "TEST") return test(part);
  if (lacks_attribute(part)) return Truth::No;
  const auto value = fact(part);
  if (!value) return Truth::Perhaps;
  return with_operator(part, fits(part.value, *value) ? Truth::Yes : Truth::No);
}

std::optional<std::string> UdevEvent::fact(const UdevPart& part) const {
  if (part.key == "SUBSYSTEM") return std::string(kind_.subsystem);
  if (part.key == "ACTION") return std::string(kind_.action);
  if (part.key == "DEVPATH" && of_memory()) return "/devices/system/memory/memory32";
  if (part.key == "DEVPATH" && kind_.subsystem == "node") return "/devices/system/node/node1";
  if (part.key == "CONST" && part.attribute == "arch") return known(udev_arch(host_.arch));
  if (part.key == "CONST" && part.attribute == "virt") return known(host_.virtualization);
  const bool system = of_memory() || kind_.subsystem == "node";
  if ((part.key == "DRIVER" || part.key == "DRIVERS") && system) return "";
  return attribute(part);
}

bool UdevEvent::lacks_attribute(const UdevPart& part) const {
  const bool attribute = part.key == "ATTR" || part.key == "ATTRS";
  return attribute && part.attribute.starts_with("[dmi/") && has_no_dmi(host_);
}

std::optional<std::string> UdevEvent::attribute(const UdevPart& part) const {
  if (part.key != "ATTR" && part.key != "ATTRS") return std::nullopt;
  const std::string& name = part.attribute;
  if (name == "[dmi/id]sys_vendor") return known(host_.vendor);
  if (name == "[dmi/id]product_name") return known(host_.product);
  if (name == "[dmi/id]product_family") return known(host_.family);
  if (!of_memory()) return std::nullopt;
  const bool before = kind_.action != "online";
  // The kernel may have onlined it before udev receives the uevent.
  if (name == "state" && kind_.action == "add" && part.value.starts_with("online"))
    return std::nullopt;
  if (name == "state") return before ? "offline" : "online";
  if (name == "online") return before ? "0" : "1";
  if (name == "../auto_online_blocks" || (part.key == "ATTRS" && name == "auto_online_blocks"))
    return setting_;
  return std::nullopt;
}

Truth UdevEvent::kernel_name(const UdevPart& part) const {
  const bool parents = part.key == "KERNELS";
  std::string name;
  if (of_memory()) name = "memory32";
  if (kind_.subsystem == "node") name = "node1";
  if (kind_.subsystem == "dax") name = "dax0.0";
  if (name.empty()) return Truth::Perhaps;
  if (fits(part.value, name) || (parents && fits(part.value, std::string(kind_.subsystem))))
    return with_operator(part, Truth::Yes);
  // A pattern for some of them, as memory4* or dax1.0.
  const std::string stem = name.substr(0, name.find_first_of("0123456789"));
  bool some = parents && kind_.subsystem == "dax";
  patterns(part.value, [&](const std::string& pattern) {
    some = some || (pattern.starts_with(stem) && pattern.size() > stem.size() &&
                    std::isdigit(static_cast<unsigned char>(pattern[stem.size()])) != 0);
  });
  return some ? Truth::Perhaps : with_operator(part, Truth::No);
}

Truth UdevEvent::subsystems(const UdevPart& part) const {
  if (fits(part.value, std::string(kind_.subsystem))) return with_operator(part, Truth::Yes);
  const bool system = of_memory() || kind_.subsystem == "node";
  return system ? with_operator(part, Truth::No) : Truth::Perhaps;
}

Truth UdevEvent::environment(const UdevPart& part) const {
  const std::string& name = part.attribute;
  if (name == "SUBSYSTEM" || name == "ACTION")
    return with_operator(
        part, fits(part.value, std::string(name == "ACTION" ? kind_.action : kind_.subsystem))
                  ? Truth::Yes
                  : Truth::No);
  const auto at = env_.find(name);
  if (at == env_.end()) {
    // Names with a dot are private to rules; these others come with devices of other kinds.
    const bool unset = name.starts_with('.') || name == "DEVTYPE" || name == "MODALIAS";
    if (!unset || kind_.subsystem == "dax" || kind_.subsystem == "nd" || kind_.subsystem == "cxl")
      return Truth::Perhaps;
    return with_operator(part, fits(part.value, "") ? Truth::Yes : Truth::No);
  }
  const auto fitting = std::count_if(at->second.begin(), at->second.end(),
                                     [&](const std::string& one) { return fits(part.value, one); });
  if (fitting == 0) return with_operator(part, Truth::No);
  const bool all = static_cast<std::size_t>(fitting) == at->second.size();
  return all ? with_operator(part, Truth::Yes) : Truth::Perhaps;
}

Truth UdevEvent::test(const UdevPart& part) const {
  constexpr std::array<std::string_view, 4> kFiles{"state", "online", "removable", "phys_index"};
  const std::string& path = part.value;
  if (of_memory() && std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end())
    return with_operator(part, Truth::Yes);
  std::optional<bool> setting = host_.facts.auto_online_blocks;
  const bool of_setting = path == "/sys/devices/system/memory/auto_online_blocks" ||
                          (of_memory() && path == "../auto_online_blocks");
  if (of_setting && setting) return with_operator(part, *setting ? Truth::Yes : Truth::No);
  if (tree_ != nullptr && path.starts_with('/') && tree_->exists(path.c_str() + 1))
    return with_operator(part, Truth::Yes);
  return Truth::Perhaps;
}

// Of programs, those that rules ask for the architecture and for the hypervisor are known.
Truth UdevEvent::program(const UdevPart& part) {
  command_ = part.value;
  result_.reset();
  Truth works = Truth::Perhaps;
  if (contains(command_, "systemd-detect-virt")) {
    const auto virt = known(host_.virtualization);
    const bool quiet = contains(command_, " -q") || contains(command_, "--quiet");
    result_ = quiet ? std::optional(std::string()) : virt;
    // Its status says whether this is a virtual machine.
    if (virt) works = *virt != "none" || contains(command_, "||") ? Truth::Yes : Truth::No;
    if (works == Truth::No) result_ = std::string();
  } else if (contains(command_, "uname -m") || contains(command_, "uname -p")) {
    result_ = known(host_.arch);
    works = Truth::Yes;
  } else if (contains(command_, "systemd-escape")) {
    works = Truth::Yes;
  }
  return with_operator(part, works);
}

void UdevEvent::assign(const UdevPart& part, Truth truth) {
  if (part.key == "TAG" && part.value == "systemd" && part.op != "-=") tagged_ = true;
  if (part.key != "ENV") return;
  std::set<std::string> values = values_of(part.value);
  if (part.op == "-=" || part.op == "+=" || values.empty()) {
    // The value is unknown.
    if (part.op != "-=") env_.erase(part.attribute);
    return;
  }
  std::set<std::string>& now = env_[part.attribute];
  if (truth == Truth::Yes) now.clear();
  if (truth != Truth::Yes && now.empty()) now.emplace();
  now.insert(values.begin(), values.end());
}

std::set<std::string> UdevEvent::values_of(std::string_view value) const {
  std::set<std::string> all{""};
  const auto extend = [&](const std::set<std::string>& tails) {
    std::set<std::string> longer;
    for (const std::string& head : all)
      for (const std::string& tail : tails) longer.insert(head + tail);
    all = std::move(longer);
  };
  while (!value.empty()) {
    const bool env = value.starts_with("$env{") || value.starts_with("%E{");
    if (env) {
      const std::size_t open = value.find('{');
      const std::size_t close = value.find('}');
      if (close == std::string_view::npos) return {};
      const std::string name(value.substr(open + 1, close - open - 1));
      const auto at = env_.find(name);
      if (at != env_.end())
        extend(at->second);
      else if (name.starts_with('.'))
        extend({""});
      else
        return {};
      value.remove_prefix(close + 1);
    } else if (value.starts_with("$result") || value.starts_with("%c")) {
      if (!result_) return {};
      extend({*result_});
      value.remove_prefix(value.front() == '$' ? 7 : 2);
    } else if (value.front() == '$' || value.front() == '%') {
      return {};
    } else {
      extend({std::string(1, value.front())});
      value.remove_prefix(1);
    }
    if (all.size() > 16) return {};
  }
  return all;
}

std::string UdevEvent::unit_of(const std::string& value) const {
  constexpr std::string_view kTemplate = "--template=";
  const std::size_t at = command_.find(kTemplate);
  if ((value != "%c" && value != "$result") || at == std::string::npos) return value;
  const std::size_t begin = at + kTemplate.size();
  return command_.substr(begin, command_.find_first_of(" '\"", begin) - begin);
}

}  // namespace memonline::runtime
