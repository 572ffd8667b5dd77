// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/onlining_agents.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/host/proc.hpp"
#include "runtime/host/text.hpp"
#include "runtime/host/udev_rules.hpp"
#include "runtime/host/udev_walk.hpp"

namespace memonline::runtime {

namespace {

using model::OnliningAgent;
using Kind = OnliningAgent::Kind;

OnliningAgent agent_at(Kind kind, const std::string& path, std::string_view content,
                       std::size_t begin, std::size_t end) {
  OnliningAgent agent;
  agent.kind = kind;
  agent.path = '/' + path;
  agent.line = static_cast<std::uint32_t>(
      1 + std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
  const std::size_t before = begin == 0 ? std::string_view::npos : content.rfind('\n', begin - 1);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t stop = std::min(content.find('\n', begin), content.size());
  agent.column = static_cast<std::uint32_t>(1 + begin - start);
  agent.source = content.substr(start, stop - start);
  if (agent.source.ends_with('\r')) agent.source.pop_back();
  agent.text = content.substr(begin, std::min(end, stop) - begin);
  return agent;
}

class Reader {
 public:
  Reader(const Tree& root, const model::Host& host) : root_(root), host_(host) {}

  std::vector<OnliningAgent> read() && {
    udev();
    command_line();
    built_in();
    daxctl();
    return std::move(agents_);
  }

 private:
  void udev() {
    const std::vector<RulesFile> files = udev_rules(root_);
    for (StateRule& rule : onlining_rules(files, host_, &root_)) {
      const RulesFile& file = files.at(rule.file);
      OnliningAgent agent = agent_at(rule.program ? Kind::UdevProgram : Kind::UdevRule, file.path,
                                     file.text, rule.begin, rule.end);
      agent.states = std::move(rule.states);
      agent.program = std::move(rule.command);
      agent.certain = rule.certain;
      agent.writes_setting = rule.writes_setting;
      agent.only_with = std::move(rule.only_with);
      agents_.push_back(std::move(agent));
    }
  }

  void command_line() {
    const auto text = root_.read("proc/cmdline");
    if (!text) return;
    for (const KernelWord& word : kernel_words(*text)) {
      if (word.name != "memhp_default_state" || !word.value) continue;
      OnliningAgent agent =
          agent_at(Kind::BootParameter, "proc/cmdline", *text, word.begin, word.end);
      agent.states = {*word.value};
      agents_.push_back(std::move(agent));
    }
  }

  // The default without a parameter: yes or no until 6.13, one of four words since 6.14.
  void built_in() {
    if (host_.kernel.empty() || host_.kernel.find('/') != std::string::npos) return;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOptions{{
        {"CONFIG_MEMORY_HOTPLUG_DEFAULT_ONLINE=y", "online"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_AUTO=y", "online"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_KERNEL=y", "online_kernel"},
        {"CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_MOVABLE=y", "online_movable"},
    }};
    for (const std::string& path :
         {"boot/config-" + host_.kernel, "usr/lib/modules/" + host_.kernel + "/config",
          "lib/modules/" + host_.kernel + "/config"}) {
      const std::string config = read_through_links(root_, path);
      if (config.empty()) continue;
      for (const auto& [option, state] : kOptions) {
        const std::size_t at = ('\n' + config).find('\n' + std::string(option) + '\n');
        if (at == std::string::npos) continue;
        agents_.push_back(agent_at(Kind::BootDefault, path, config, at, at + option.size()));
        agents_.back().states = {std::string(state)};
      }
      return;
    }
  }

  // What daxctl-reconfigure-device(1) calls its configuration: sections that name devices by their
  // firmware, and what becomes of those when udev sees them.
  void daxctl() {
    if (is_masked("udev/rules.d/90-daxctl-device.rules") ||
        is_masked("systemd/system/daxdev-reconfigure@.service"))
      return;
    auto names = root_.list("etc/daxctl.conf.d");
    if (!names) return;
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) {
      const std::string path = "etc/daxctl.conf.d/" + name;
      if (name.ends_with(".conf")) daxctl_file(path, read_through_links(root_, path));
    }
  }

  /// Whether a file of /usr/lib is there, and taken out by an empty one in /etc or /run.
  [[nodiscard]] bool is_masked(const std::string& path) const {
    for (const char* directory : {"etc/", "run/"}) {
      const std::string above = directory + path;
      if (root_.link(above.c_str()) || root_.exists(above.c_str()))
        return read_through_links(root_, above).empty();
    }
    return false;
  }

  struct Section {
    bool reconfigures = false;
    std::optional<std::pair<std::size_t, std::size_t>> system_ram;  ///< where it says so
    bool online = true;
    bool movable = true;
  };

  static std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
  }

  /// Without a comment behind it, and without quotes.
  static std::string plain_value(std::string_view value) {
    value = trimmed(value.substr(0, value.find_first_of("#;")));
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\''))
      value = value.substr(1, value.size() - 2);
    return lower(value);
  }

  void daxctl_file(const std::string& path, const std::string& text) {
    Section section;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      const std::string_view line = trimmed(std::string_view(text).substr(start, end - start));
      if (line.starts_with('[')) {
        end_section(section, path, text);
        section = {};
        section.reconfigures = lower(line).starts_with("[reconfigure-device");
      } else if (!line.empty() && line.front() != '#' && line.front() != ';') {
        std::string_view rest = line;
        const std::string key = lower(trimmed(take_until(rest, '=')));
        const std::string value = plain_value(rest);
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
    agents_.push_back(
        agent_at(Kind::Daxctl, path, text, section.system_ram->first, section.system_ram->second));
    agents_.back().states = {section.movable ? "online_movable" : "online_kernel"};
  }

  const Tree& root_;
  const model::Host& host_;
  std::vector<OnliningAgent> agents_;
};

}  // namespace

std::vector<OnliningAgent> read_onlining_agents(const Tree& root, const model::Host& host) {
  return Reader(root, host).read();
}

}  // namespace memonline::runtime
