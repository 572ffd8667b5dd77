// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/setting_users.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"

namespace memonline::plan {

using model::Device;
using model::Host;
using Kind = SettingUser::Kind;

namespace {

// "System RAM (NVIDIA)": kernel-open/nvidia/os-interface.c, os_numa_add_gpu_memory().
std::string nvidia_memory(const Host& host) {
  const bool there = std::any_of(host.devices.begin(), host.devices.end(),
                                 [](const Device& device) { return device.driver == "NVIDIA"; });
  return there ? "proc/iomem" : "";
}

std::string first_virtio_mem(const Host& host) {
  for (const Device& device : host.devices)
    if (device.kind == Device::Kind::VirtioMem) return device.name;
  return {};
}

}  // namespace

std::vector<SettingUser> setting_users(const Host& host) {
  std::vector<SettingUser> users;
  const std::string memory = nvidia_memory(host);
  if (const std::string& where = host.nvidia_driver.empty() ? memory : host.nvidia_driver;
      !where.empty())
    users.push_back({Kind::Nvidia, where,
                     "NVIDIA's driver fails to initialize the GPU unless auto_online_blocks is "
                     "`online_movable` while the driver adds the GPU's memory"});
  if (!host.dlpar.empty())
    users.push_back({Kind::Dlpar, host.dlpar,
                     "DLPAR onlines the memory that `drmgr` adds regardless of auto_online_blocks, "
                     "and as `online` if the setting is `offline`"});
  if (host.virtualization == "microsoft")
    users.push_back({Kind::HyperV, "hv_balloon",
                     "Hyper-V's driver waits up to 5 seconds until each block that it adds is "
                     "online"});
  if (host.virtualization == "xen")
    users.push_back({Kind::Xen, "xen_balloon",
                     "Xen's driver expects the kernel to online the memory that it adds"});
  if (const std::string device = first_virtio_mem(host); !device.empty())
    users.push_back(
        {Kind::VirtioMem, device, "virtio-mem stops adding memory while 1 GiB of it is offline"});
  return users;
}

bool has_user(const Host& host, Kind kind) {
  const auto users = setting_users(host);
  return std::any_of(users.begin(), users.end(),
                     [&](const SettingUser& user) { return user.kind == kind; });
}

std::optional<SettingUser> needs_kernel_first(const Host& host) {
  for (const SettingUser& user : setting_users(host))
    if (user.kind != Kind::VirtioMem) return user;
  return std::nullopt;
}

sema::Target target_of_word(const std::string& word) {
  return value_in(language::kStates, word).value_or(sema::Target::Offline);
}

sema::Target without_memonline(const Host& host) {
  const sema::Target said = target_of_word(
      host.auto_online_before.value_or(host.knobs.auto_online_blocks.value_or("offline")));
  return said == sema::Target::Offline && !host.dlpar.empty() ? sema::Target::Auto : said;
}

void report_setting(const HotplugPart& hotplug, const Host& host, diag::Sink& sink) {
  if (!host.knobs.auto_online_blocks) return;
  const std::string& now = *host.knobs.auto_online_blocks;
  const auto wanted = hotplug.knobs.find(model::Knob::AutoOnlineBlocks);
  const std::string& then = wanted == hotplug.knobs.end() ? now : wanted->second;
  const std::vector<SettingUser> users = setting_users(host);
  if (has_user(host, Kind::Nvidia) && then != "online_movable") {
    auto& d = sink.add(diag::Code::GpuNeedsSetting, std::nullopt,
                       fmt::format("auto_online_blocks is `{}`: the GPU's driver needs "
                                   "`online_movable`",
                                   then));
    d.notes.push_back(fmt::format("/{}: {}", users.front().where, users.front().needs));
    d.help = "`hotplugged: movable`, or boot with `memhp_default_state=online_movable`";
  }
  if (wanted == hotplug.knobs.end() || then != "offline") return;
  const std::string& before = host.auto_online_before.value_or(now);
  const bool turns_off = now != "offline";
  if (!turns_off && before == "offline" && users.empty()) return;
  const bool by_service = hotplug.by == Onliner::Service;
  auto& d = sink.add_as(
      turns_off ? diag::Severity::Warning : diag::Severity::Note, diag::Code::AutoOnlineOff,
      std::nullopt,
      fmt::format(
          "auto_online_blocks {} `offline`{}: hot-added memory {}",
          turns_off ? fmt::format("changes from `{}` to", now) : std::string("is"),
          by_service ? " while the service runs" : "",
          by_service ? "is onlined by the service only" : "stays offline, as the policy requires"));
  if (by_service && before != "offline")
    d.notes.push_back(fmt::format(
        "memory that no rule selects: the service onlines it as `{}`, as without memonline",
        before));
  for (const SettingUser& user : users) d.notes.push_back(user.needs);
}

}  // namespace memonline::plan
