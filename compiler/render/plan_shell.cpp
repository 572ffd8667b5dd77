// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan as a script for hosts that have only `sh`.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/render/plan.hpp"

namespace memonline::render {

using model::Knob;
using plan::Plan;
using plan::Step;

namespace {

// clang-format off
constexpr std::string_view kFunctions = R"sh(set -eu
sys=${MEMONLINE_ROOT:-}/sys
die() { echo "memonline: $*" >&2; exit 1; }

# one BLOCK WORD ZONE: writes WORD unless the block is there already, then checks the zone.
one() {
  block=$sys/devices/system/memory/memory$1
  if [ "$2" = offline ]; then want=offline; else want=online; fi
  if [ "$(cat "$block/state")" != "$want" ]; then
    echo "$2" > "$block/state" || die "memory$1: writing $2 failed"
  fi
  [ "$want" = online ] && [ -r "$block/valid_zones" ] || return 0
  read -r zone _ < "$block/valid_zones" || true
  [ "$zone" = "$3" ] || die "memory$1 is in $zone, not in $3 as planned"
}

# run WORD FIRST LAST ZONE: block by block, from the top down if LAST is below FIRST.
run() {
  n=$2
  while :; do
    one "$n" "$1" "$4"
    [ "$n" -ne "$3" ] || break
    if [ "$3" -gt "$n" ]; then n=$((n + 1)); else n=$((n - 1)); fi
  done
}
)sh";

constexpr std::string_view kConfigure = R"sh(
# configure CONFIG FIRST LAST [MEMMAP]: write MEMMAP, then CONFIG of standby memory, by block.
configure() {
  n=$2
  while :; do
    files=$sys/firmware/memory/memory$n
    if [ "$(cat "$files/config")" != "$1" ]; then
      [ -z "${4:-}" ] || echo "$4" > "$files/memmap_on_memory" ||
        die "memory$n: writing $4 to memmap_on_memory failed"
      echo "$1" > "$files/config" || die "memory$n: writing $1 to config failed"
    fi
    [ "$n" -ne "$3" ] || break
    if [ "$3" -gt "$n" ]; then n=$((n + 1)); else n=$((n - 1)); fi
  done
}
)sh";

constexpr std::string_view kRelease = R"sh(
# unbind DEVICE FIRST LAST: unbind a dax device from the driver kmem, which removes its offline blocks.
unbind() {
  [ -e "$sys/devices/system/memory/memory$2" ] || return 0
  [ ! -e "$sys/bus/dax/devices/$1/state" ] || echo unplugged > "$sys/bus/dax/devices/$1/state" ||
    die "$1: removing its blocks failed"
  echo "$1" > "$sys/bus/dax/drivers/kmem/unbind" || die "$1: unbinding it from kmem failed"
}

# eject ACPI-DEVICE FIRST LAST: eject a DIMM, whose blocks are offline; the kernel does it later.
eject() {
  [ -e "$sys/devices/system/memory/memory$2" ] || return 0
  echo 1 > "$sys/bus/acpi/devices/$1/eject" || die "$1: ejecting it failed"
}

# all_offline FIRST LAST: is each of these blocks offline, or gone?
all_offline() {
  n=$1
  while [ "$n" -le "$2" ]; do
    state=$sys/devices/system/memory/memory$n/state
    [ ! -e "$state" ] || [ "$(cat "$state")" = offline ] || return 1
    n=$((n + 1))
  done
}
)sh";

constexpr std::string_view kBind = R"sh(
# bind DEVICE FIRST LAST: bind a dax device to the driver kmem, unless its blocks exist.
bind() {
  [ ! -e "$sys/devices/system/memory/memory$2" ] || return 0
  echo "$1" > "$sys/bus/dax/drivers/kmem/bind" 2> /dev/null ||
    echo "$1" > "$sys/bus/dax/drivers/kmem/new_id" || die "$1: binding it to kmem failed"
  [ -e "$sys/devices/system/memory/memory$2" ] && [ -e "$sys/devices/system/memory/memory$3" ] ||
    die "$1: kmem did not add its blocks"
}
)sh";
// clang-format on

bool configures(const Plan& plan, bool dax) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
    return config != nullptr && config->device.empty() != dax && (!dax || config->configure);
  });
}

// The step as one that unbinds or ejects a device, or nullptr.
const plan::ConfigureBlocks* release_in(const Step& step) {
  const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action);
  return config != nullptr && !config->configure && !config->device.empty() ? config : nullptr;
}

bool releases(const Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const Step& step) { return release_in(step) != nullptr; });
}

// A device is released as a whole: all of its ranges are examined before the first write.
std::string all_offline(const Plan& plan, const std::string& device) {
  std::string text;
  for (const Step& step : plan.steps)
    if (const auto* release = release_in(step); release != nullptr && release->device == device)
      text += fmt::format("all_offline {} {} || die \"{}: a block is not offline\"\n",
                          release->blocks.low(), release->blocks.high(), device);
  return text;
}

// Text after `#` must not end the line early.
std::string comment(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

// Below $sys, which the user may set.
std::string shell_path(Knob knob) { return "$sys" + model::knob_path(knob).substr(4); }

using Knobs = std::set<Knob>;

// The kernel settings that the script restores when it ends for any reason.
Knobs held_knobs(const Plan& plan) {
  Knobs held;
  for (const Step& step : plan.steps)
    if (const auto* set = std::get_if<plan::SetKnob>(&step.action))
      if (set->scope == plan::KnobScope::Run) held.insert(set->knob);
  return held;
}

// dash runs the EXIT trap after `exit` and after a failure under `set -e`, but not after a signal;
// hence the other three traps.
std::string put_back_function(const Knobs& held) {
  if (held.empty()) return {};
  std::string text =
      "\n# Restores kernel settings that are changed only while this script runs, even if it "
      "fails.\n";
  for (const Knob knob : held) text += fmt::format("held_{}=\n", model::knob_name(knob));
  text += "put_back() {\n";
  for (const Knob knob : held)
    text += fmt::format("  [ -z \"$held_{0}\" ] || echo \"$held_{0}\" > \"{1}\"\n",
                        model::knob_name(knob), shell_path(knob));
  return text +
         "}\ntrap put_back EXIT\ntrap 'exit 129' HUP\ntrap 'exit 130' INT\ntrap 'exit 143' TERM\n";
}

std::string set_command(const plan::SetKnob& set, const Knobs& held) {
  std::string write = fmt::format("echo {} > \"{}\"", set.value, shell_path(set.knob));
  if (!held.contains(set.knob)) return write;
  if (set.scope == plan::KnobScope::Stay)
    return fmt::format("{}\nheld_{}=", write, model::knob_name(set.knob));
  return fmt::format("held_{}=$(cat \"{}\")\n{}", model::knob_name(set.knob), shell_path(set.knob),
                     write);
}

// A system without the file, or a container that may not write it, offlines the blocks all the
// same.
std::string reclaim_command(plan::Reclaim what) {
  const std::string_view file = what == plan::Reclaim::Compact ? "compact_memory" : "drop_caches";
  return fmt::format(
      "echo {} > \"${{MEMONLINE_ROOT:-}}/proc/sys/vm/{}\" || echo 'memonline: cannot {}' >&2",
      what == plan::Reclaim::Slab ? 2 : 1, file, plan::reclaim_text(what));
}

std::string command_of(const Step& step, const Knobs& held) {
  return std::visit(
      overloaded{
          [&](const plan::SetKnob& set) { return set_command(set, held); },
          [](const plan::OnlineBlocks& online) {
            return fmt::format("run {} {} {} {}", model::online_word(online.word),
                               online.blocks.first, online.blocks.last,
                               model::zone_name(online.zone));
          },
          [](const plan::OfflineBlocks& offline) {
            return fmt::format("run offline {} {} {}", offline.blocks.first, offline.blocks.last,
                               offline.zone ? model::zone_name(*offline.zone) : "unknown");
          },
          [](const plan::ConfigureBlocks& config) {
            if (const auto dimm = model::dimm_number(config.device))
              return fmt::format("eject PNP0C80:{:02x} {} {}", *dimm, config.blocks.low(),
                                 config.blocks.high());
            if (!config.device.empty())
              return fmt::format("{} {} {} {}", config.verb(), config.device, config.blocks.low(),
                                 config.blocks.high());  // a checked name: model::is_dax_name()
            std::string text = fmt::format("configure {:d} {} {}", config.configure,
                                           config.blocks.first, config.blocks.last);
            if (config.own_map) text += fmt::format(" {:d}", *config.own_map);
            return text;
          },
          [](const plan::ProbeBlock& probe) {
            return fmt::format("echo {:#x} > \"$sys/devices/system/memory/probe\"", probe.address);
          },
          [](const plan::ReclaimMemory& reclaim) { return reclaim_command(reclaim.what); },
          [](const plan::SetParameters&) {
            return std::string(": # kernel parameters: set them in the boot loader");
          },
      },
      step.action);
}

}  // namespace

std::string plan_to_shell(const Plan& plan) {
  std::string text = "#!/bin/sh\n# A memonline plan as a script. ";
  text += fmt::format("Kernel {}, {}.\n", comment(plan.host.kernel), plan.host.fingerprint);
  for (const plan::PolicyRef& file : plan.policy)
    text += fmt::format("# Policy {}{}{}\n", comment(file.path),
                        file.sha256.empty() ? "" : " sha256:", file.sha256);
  text +=
      "# Valid only for this host in its present state: generate it again if its memory changes.\n";
  text += kFunctions;
  if (configures(plan, false)) text += kConfigure;
  if (configures(plan, true)) text += kBind;
  if (releases(plan)) text += kRelease;
  const Knobs held = held_knobs(plan);
  text += put_back_function(held);
  text += fmt::format(
      "\n[ \"$(cat \"$sys/devices/system/memory/block_size_bytes\")\" = {:x} ] || die \"the block "
      "size differs from the plan\"\n",
      plan.host.block_size);
  std::set<std::string> released;
  for (const Step& step : plan.steps) {
    text += fmt::format("\n# {}. ", step.number);
    if (!step.rule.path.empty())
      text += fmt::format("{}:{}:{}: {}", comment(step.rule.path), step.rule.line, step.rule.column,
                          comment(step.rule.text));
    text += fmt::format("\n#    {}\n", comment(step.why));
    const auto* release = release_in(step);
    if (release != nullptr && !released.insert(release->device).second) {
      text += ":  # done by the step before\n";
      continue;
    }
    if (release != nullptr) text += all_offline(plan, release->device);
    text += command_of(step, held) + "\n";
  }
  text += "\n";
  const auto add_comments = [&](const std::string& lines) {
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      text += "# " + comment(lines.substr(at, end - at)) + "\n";
      at = end + 1;
    }
  };
  add_comments(remaining_to_text(plan));
  add_comments(agents_to_text(plan.agents));
  return text;
}

}  // namespace memonline::render
