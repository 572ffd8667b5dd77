// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/deciders.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "runtime/host/text.hpp"
#include "runtime/host/udev_rules.hpp"

namespace memonline::runtime {

using diag::Code;

namespace {

constexpr std::string_view kKnob = "auto_online_blocks";

std::string what_comes_of(const StateRule& rule) {
  if (rule.program) return "udev runs a program that writes the state of memory blocks";
  if (rule.value == "online_movable") return "udev brings new memory online in Movable";
  if (rule.value == "online_kernel") return "udev brings new memory online in a kernel zone";
  if (rule.value == "online" || rule.value == "1")
    return "udev brings new memory online, in the zone that the kernel picks";
  if (rule.value == "offline" || rule.value == "0") return "udev takes new memory offline";
  return fmt::format("udev writes `{}` into the state of new memory", printable(rule.value));
}

std::string remedy_for(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (path.starts_with("etc/")) return "take it out of the file";
  return fmt::format(
      "`ln -s /dev/null /etc/udev/rules.d/{0}` takes the file out; to keep the rest of it, copy it "
      "to /etc/udev/rules.d and take the line out there",
      name);
}

class Finder {
 public:
  Finder(const Tree& root, const model::Host& host, const plan::Plan& plan)
      : root_(root), host_(host), plan_(plan) {
    const auto at = plan.hotplug.knobs.find(std::string(kKnob));
    if (at != plan.hotplug.knobs.end()) wanted_ = at->second;
  }

  std::vector<Decider> find() && {
    udev();
    // Where the policy says nothing of new memory, the kernel may do as it likes.
    if (wanted_) {
      kernel();
      boot();
    }
    daxctl();
    return std::move(found_);
  }

 private:
  Decider& add(Code code, const std::string& path, const std::string& content, std::size_t begin,
               std::size_t end) {
    Decider decider;
    decider.code = code;
    decider.path = '/' + path;
    decider.line = static_cast<std::uint32_t>(
        1 +
        std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
    decider.text = content.substr(begin, end - begin);
    decider.content = content;
    decider.begin = begin;
    return found_.emplace_back(std::move(decider));
  }

  void udev() {
    for (const RulesFile& file : udev_rules(root_))
      for (const StateRule& rule : rules_for_blocks(file.text, host_)) {
        Decider& decider = add(Code::UdevDecides, file.path, file.text, rule.begin, rule.end);
        decider.does = what_comes_of(rule);
        decider.remedy = remedy_for(file.path);
      }
  }

  void kernel() {
    const auto& now = host_.knobs.auto_online_blocks;
    if (!now || *now == "offline" || *now == *wanted_) return;
    Decider& decider = add(Code::KernelDecides, "sys/devices/system/memory/auto_online_blocks",
                           *now, 0, now->size());
    decider.does = fmt::format("the kernel onlines new memory as `{}`, and the policy wants `{}`",
                               printable(*now), *wanted_);
    decider.remedy = fmt::format("write `{}` into it", *wanted_);
    for (const plan::Step& step : plan_.steps) {
      const auto* set = std::get_if<plan::SetKnob>(&step.action);
      if (set == nullptr || set->knob != kKnob || set->scope != plan::KnobScope::Stay) continue;
      decider.settled = true;
      decider.remedy = fmt::format("step {} of the plan sets it", step.number);
    }
  }

  // The command line has the last word, else what the kernel was built with.
  void boot() {
    if (const auto word = host_.command_line_value("memhp_default_state")) {
      if (*word == *wanted_ || *word == "offline") return;  // offline leaves it to others
      std::string line;
      for (const std::string& one : host_.command_line) line += (line.empty() ? "" : " ") + one;
      const std::string text = "memhp_default_state=" + *word;
      const std::size_t at = line.rfind(text);
      if (at == std::string::npos) return;
      boots_with(*word, "proc/cmdline", line, at, at + text.size());
      return;
    }
    const std::string path = "boot/config-" + host_.kernel;
    if (host_.kernel.empty() || host_.kernel.find('/') != std::string::npos) return;
    const std::string config = read_through_links(root_, path);
    // 6.14 made four choices of what was yes or no (contract 3.7).
    static const std::map<std::string, std::string> options{
        {"CONFIG_MEMORY_HOTPLUG_DEFAULT_ONLINE=y", "online"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_AUTO=y", "online"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_KERNEL=y", "online_kernel"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_MOVABLE=y", "online_movable"}};
    for (const auto& [option, word] : options) {
      const std::size_t at = ('\n' + config).find('\n' + option + '\n');
      if (at != std::string::npos && word != *wanted_)
        boots_with(word, path, config, at, at + option.size());
    }
  }

  void boots_with(const std::string& word, const std::string& path, const std::string& content,
                  std::size_t begin, std::size_t end) {
    Decider& decider = add(Code::BootDecides, path, content, begin, end);
    decider.does =
        fmt::format("the kernel boots with auto_online_blocks `{}`, and the policy wants `{}`",
                    printable(word), *wanted_);
    decider.remedy = fmt::format("boot with `memhp_default_state={}`", *wanted_);
  }

  // What daxctl-reconfigure-device(1) calls its configuration: sections that name devices by their
  // firmware, and what becomes of those when udev sees them.
  void daxctl() {
    auto names = root_.list("etc/daxctl.conf.d");
    if (!names) return;
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) {
      const std::string path = "etc/daxctl.conf.d/" + name;
      if (name.ends_with(".conf")) daxctl_file(path, read_through_links(root_, path));
    }
  }

  struct Section {
    bool reconfigures = false;
    std::optional<std::pair<std::size_t, std::size_t>> system_ram;  ///< where it says so
    bool online = true;
    bool movable = true;
  };

  void daxctl_file(const std::string& path, const std::string& text) {
    Section section;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      const std::string_view line = trimmed(std::string_view(text).substr(start, end - start));
      if (line.starts_with('[')) {
        end_section(section, path, text);
        section = {};
        section.reconfigures = line.starts_with("[reconfigure-device");
      } else if (!line.empty() && line.front() != '#' && line.front() != ';') {
        std::string_view value = line;
        const std::string_view key = trimmed(take_until(value, '='));
        value = trimmed(value);
        const bool no = value == "false" || value == "no" || value == "0";
        const auto begin = static_cast<std::size_t>(line.data() - text.data());
        if (key == "mode" && value == "system-ram")
          section.system_ram = {begin, begin + line.size()};
        if (key == "online") section.online = !no;
        if (key == "movable") section.movable = !no;
      }
      start = end + 1;
    }
    end_section(section, path, text);
  }

  void end_section(const Section& section, const std::string& path, const std::string& text) {
    if (!section.reconfigures || !section.system_ram || !section.online) return;
    Decider& decider =
        add(Code::DaxctlDecides, path, text, section.system_ram->first, section.system_ram->second);
    decider.does = fmt::format("daxctl turns devices into memory and brings it online in {}",
                               section.movable ? "Movable" : "a kernel zone");
    decider.remedy = "write `online = false` into this section";
  }

  const Tree& root_;
  const model::Host& host_;
  const plan::Plan& plan_;
  std::optional<std::string> wanted_;
  std::vector<Decider> found_;
};

}  // namespace

std::vector<Decider> find_deciders(const Tree& root, const model::Host& host,
                                   const plan::Plan& plan) {
  return Finder(root, host, plan).find();
}

void report_deciders(const std::vector<Decider>& deciders, bool strict, source::SourceSet& files,
                     diag::Sink& sink) {
  std::map<std::string, std::uint32_t> numbers;
  for (const Decider& decider : deciders) {
    const auto [at, fresh] =
        numbers.emplace(decider.path, static_cast<std::uint32_t>(files.size()));
    if (fresh) files.emplace_back(decider.path, decider.content);
    const source::SourceSpan span{at->second, static_cast<std::uint32_t>(decider.begin),
                                  static_cast<std::uint32_t>(decider.begin + decider.text.size())};
    diag::Severity severity = strict ? diag::Severity::Error : diag::Severity::Warning;
    if (decider.settled) severity = diag::Severity::Note;
    sink.add_as(severity, decider.code, span, decider.does).help = decider.remedy;
  }
}

}  // namespace memonline::runtime
