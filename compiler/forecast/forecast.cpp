// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/forecast/forecast.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/forecast/arrival.hpp"
#include "compiler/kernel/boot_zones.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/plan/cost.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/plan/sources.hpp"
#include "compiler/sema/analyse.hpp"

namespace memonline::forecast {

using model::Bytes;
using model::exact;
using model::Host;

namespace {

// As many memory devices as a guest has slots for.
constexpr std::uint64_t kMaxSlices = 256;

/// Whether the kernel accepts memory on this node: it need not be online. A CXL card's node is not
/// before the card's first block is there.
bool accepts_memory(const Host& host, model::NodeId node) {
  if (host.find_node(node) != nullptr) return true;
  return !host.possible_nodes.empty() && plan::may_have_node(host, node, node);
}

class Forecaster {
 public:
  Forecaster(const sema::Policy& policy, const source::SourceSet& files, const AddRequest& request,
             diag::Sink& sink, const Cancelled& cancelled)
      : policy_(policy),
        files_(files),
        request_(request),
        sink_(sink),
        work_(kMaxForecastWork, cancelled) {}

  std::optional<Forecast> run(const Host& host) {
    if (!begin(host)) return std::nullopt;
    diag::Sink why;
    Walk result = walk(policy_, files_, start_, free_, arrival_, why, work_);
    if (result.refused) {
      refuse(why);
      return std::nullopt;
    }
    Forecast forecast;
    forecast.request = request_;
    forecast.source = arrival_.source;
    forecast.node = arrival_.node;
    forecast.device_bytes = start_.block_size * arrival_.per_device;
    // Standby memory in several ranges takes a step more for each.
    forecast.device_count = std::max<std::uint64_t>(
        result.devices.size(), (arrival_.blocks + arrival_.per_device - 1) / arrival_.per_device);
    forecast.own_map = next_hold_own_map(start_, arrival_.source, arrival_.per_device);
    forecast.devices = std::move(result.devices);
    forecast.ends_at = result.ends_at;
    forecast.lowest_free = result.lowest_free;
    forecast.slow_blocks = result.slow_blocks;
    forecast.by = result.by;
    forecast.rule = std::move(result.rule);
    forecast.runs = std::move(result.runs);
    if (forecast.ends_at) find_remedies(forecast, result.short_of);
    report(forecast);
    return forecast;
  }

 private:
  bool impossible(std::string message, std::string help) {
    sink_.add(diag::Code::AddIsImpossible, std::nullopt, std::move(message)).help = std::move(help);
    return false;
  }

  // The request in blocks, and the host after the steps of the policy's own plan.
  bool begin(const Host& host) {
    const Bytes device = request_.dimm.value_or(request_.bytes);
    for (const Bytes size : {device, request_.bytes})
      if (size % host.block_size != Bytes(0))
        return impossible(fmt::format("{} is not a multiple of the block size, {}", exact(size),
                                      exact(host.block_size)),
                          "memory is added in whole blocks");
    if (request_.node && !accepts_memory(host, *request_.node))
      return impossible(fmt::format("this host has no node{}", *request_.node),
                        "the kernel refuses memory for a node that was not possible at boot");
    arrival_.blocks = request_.bytes / host.block_size;
    arrival_.per_device = device / host.block_size;
    arrival_.source = plan::usual_source(host);
    if (request_.dimm && arrival_.source != plan::Source::Dimm)
      return impossible(fmt::format("memory is added to this host through {}, not as DIMMs",
                                    plan::source_text(arrival_.source)),
                        "omit `,dimm=SIZE`");
    if (arrival_.source == plan::Source::Standby && !enough_standby(host)) return false;
    if (plan::is_incremental(arrival_.source)) arrival_.per_device = blocks_at_a_time(host);
    arrival_.node =
        request_.node.value_or(host.nodes.empty() ? model::NodeId(0) : host.nodes.front().id);
    if (arrival_.blocks / arrival_.per_device > kMaxDevices)
      return impossible(fmt::format("{} in devices of {} needs more than {} devices",
                                    exact(request_.bytes), exact(device), kMaxDevices),
                        "request larger devices");
    if (!within_limits(host)) return false;
    const auto free = plan::free_kernel_memory(host);
    if (!free) {
      sink_
          .add(diag::Code::FreeMemoryUnknown, std::nullopt,
               "this host does not report how much memory is free (MemAvailable)")
          .help = "plan on the host itself, or capture it with `memonline capture`";
      return false;
    }
    diag::Sink quiet;  // the plan beside the forecast reports the same
    auto planned = plan::make_plan(policy_, files_, host, quiet, work_);
    if (!planned.plan) {
      refuse(quiet);
      return false;
    }
    free_ = *free + host.block_size * normal_steps(*planned.plan);
    start_ = std::move(planned.outcome);
    // The policy may have configured some of it.
    return arrival_.source != plan::Source::Standby || enough_standby(start_);
  }

  // The hypervisor has set aside a fixed amount. Kernels before 6.19 give all of it blocks at
  // boot (drivers/s390/char/sclp_cmd.c, sclp_add_standby_memory()).
  bool enough_standby(const Host& host) {
    std::uint64_t blocks = 0;
    for (const model::BlockRange& range : host.standby) blocks += range.count();
    if (arrival_.blocks <= blocks) return true;
    if (blocks == 0)
      return impossible("this host has no standby memory besides its memory blocks",
                        "give this partition or guest more standby memory first; `memonline plan` "
                        "without `--add` plans for the offline blocks");
    return impossible(
        fmt::format("cannot add {}: this host has only {} of standby memory that is not "
                    "configured yet",
                    exact(request_.bytes), exact(host.block_size * blocks)),
        "give this partition or guest more standby memory first");
  }

  // A driver that goes block by block; virtio-mem may be 1 GiB ahead. No more steps than a walk
  // has.
  [[nodiscard]] std::uint64_t blocks_at_a_time(const Host& host) const {
    constexpr Bytes kAhead(1ULL << 30U);
    const std::uint64_t ahead = arrival_.source == plan::Source::VirtioMem
                                    ? std::max<std::uint64_t>(2, kAhead / host.block_size)
                                    : 1;
    const std::uint64_t least = (arrival_.blocks + kMaxDevices - 1) / kMaxDevices;
    return std::min(arrival_.blocks, std::max(ahead, least));
  }

  // Requests that the kernel refuses regardless of free memory (E2BIG).
  bool within_limits(const Host& host) {
    if (arrival_.source == plan::Source::Dimm && !can_come_from(host, plan::Source::Dimm))
      return host.command_line_value("acpi_no_memhotplug")
                 ? impossible(
                       "this kernel ignores DIMMs that are added: `acpi_no_memhotplug` is on its "
                       "command line",
                       "boot without `acpi_no_memhotplug`")
                 : impossible(
                       "this kernel ignores DIMMs that are added: it lacks "
                       "CONFIG_ACPI_HOTPLUG_MEMORY",
                       "boot a kernel that has it: `memonline status` names one");
    if (!host.standby.empty() && arrival_.source == plan::Source::Standby) return true;
    const std::uint64_t end = host.address_of(first_free_block(host, arrival_) + arrival_.blocks);
    const auto cap = memory_cap(host);
    if (cap && end > *cap)
      return impossible(
          fmt::format("the kernel refuses it (E2BIG): it would end at {}, and `mem={}` is on the "
                      "kernel command line, which before 5.7 also caps hot-added memory",
                      exact(Bytes(end)), *host.command_line_value("mem")),
          "boot without `mem=`, or with a newer kernel");
    if (host.address_limit > 0 && end > host.address_limit)
      return impossible(
          fmt::format("the kernel refuses it (E2BIG): it would end at {}, and this kernel maps "
                      "memory up to {} only",
                      exact(Bytes(end)), exact(Bytes(host.address_limit))),
          "add less memory");
    return true;
  }

  // Up to 5.6, arch/x86 applied `mem=` to hot-added memory, too (max_mem_size, since 5.0); since
  // commit f3cd4c86567e it applies only during boot.
  static std::optional<std::uint64_t> memory_cap(const Host& host) {
    const bool x86 = host.arch == "x86_64" || host.arch == "i686";
    const bool caps = host.facts.kreclaimable == true && host.facts.foll_pin == false;
    const auto value = host.command_line_value("mem");
    if (!x86 || !caps || !value) return std::nullopt;
    const auto amount = kernel::parse_core(*value, host.page_size);
    if (!amount || amount->pages == 0) return std::nullopt;
    return amount->pages * host.page_size;
  }

  static std::uint64_t normal_steps(const plan::Plan& plan) {
    std::uint64_t blocks = 0;
    for (const plan::Step& step : plan.steps)
      if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action);
          online != nullptr && model::is_kernel_zone(online->zone))
        blocks += online->blocks.count();
    return blocks;
  }

  void refuse(const diag::Sink& why) {
    auto& d = sink_.add(diag::Code::AddPlanFails, std::nullopt,
                        fmt::format("the policy cannot be applied with {} more memory",
                                    model::human(request_.bytes)));
    for (const diag::Diagnostic& cause : why.all())
      if (cause.severity == diag::Severity::Error)
        d.notes.push_back(fmt::format("{}: {}", diag::name_of(cause.code), cause.message));
    d.help = "`memonline explain` describes each code";
  }

  void find_remedies(Forecast& forecast, Bytes short_of) {
    try_own_map(forecast);
    try_slices(forecast);
    try_boot_memory(forecast, short_of);
  }

  void try_own_map(Forecast& forecast) {
    if (forecast.own_map) return;
    Host host = start_;
    host.knobs.memmap_on_memory = "Y";
    if (host.standby_own_map) host.standby_own_map = host.standby;  // as after that boot
    if (!start_.knobs.memmap_on_memory ||
        !plan::holds_own_map(host, arrival_.source, arrival_.per_device))
      return;
    diag::Sink quiet;
    const Walk tried = walk(policy_, files_, host, free_, arrival_, quiet, work_);
    if (tried.refused || tried.ends_at) return;
    Remedy remedy{Remedy::Kind::MemmapOnMemory,
                  {},
                  0,
                  tried.slow_blocks.has_value(),
                  "boot with `memory_hotplug.memmap_on_memory=1`"};
    if (remedy.by_service)
      remedy.text += " and `set hotplug = service`: the kernel would take long to online it";
    forecast.remedies.push_back(std::move(remedy));
  }

  // The largest devices, with the smallest share for the kernel, that fit.
  void try_slices(Forecast& forecast) {
    if (arrival_.source != plan::Source::Dimm) return;
    std::uint64_t size = arrival_.per_device;
    for (; size > 0 && (arrival_.blocks + size - 1) / size <= kMaxSlices; size /= 2) {
      if (size == arrival_.blocks || cost_of_adding(start_, arrival_.source, size) > free_)
        continue;
      for (const std::uint64_t share : {32U, 16U, 8U, 4U}) {
        const std::uint64_t normal = (size + share - 1) / share;
        if (!fits_in_slices(size, normal)) continue;
        const bool as_asked = size == arrival_.per_device;
        forecast.remedies.push_back(
            {Remedy::Kind::Slices, start_.block_size * size, normal, true,
             fmt::format("{}, each onlined with `{}` before the next one is added",
                         as_asked ? std::string("the same devices")
                                  : fmt::format("devices of {}", exact(start_.block_size * size)),
                         slice_policy(normal))});
        return;
      }
    }
  }

  static std::string slice_policy(std::uint64_t normal) {
    return fmt::format("each dimm: first {} block{} normal, rest movable", normal,
                       normal == 1 ? "" : "s");
  }

  bool fits_in_slices(std::uint64_t size, std::uint64_t normal) {
    source::SourceSet files;
    files.emplace_back("<remedy>", slice_policy(normal) + "\n", std::string());
    diag::Sink quiet;
    const auto policy = sema::analyse(files, quiet);
    if (!policy) return false;
    const Walk tried = walk(*policy, files, start_, free_,
                            {arrival_.blocks, size, arrival_.node, arrival_.source}, quiet, work_);
    return !tried.refused && !tried.ends_at;
  }

  // Boot memory contains its own memory map; the remedy is in whole GiB.
  void try_boot_memory(Forecast& forecast, Bytes short_of) {
    constexpr Bytes kGiB(1ULL << 30U);
    const std::uint64_t page = start_.page_size;
    const Bytes usable = kGiB / page * (page - plan::kStructPage);
    const std::uint64_t more = divided_up(short_of, usable);
    diag::Sink quiet;
    const Walk tried = walk(policy_, files_, with_boot_memory(kGiB * more), free_ + usable * more,
                            arrival_, quiet, work_);
    if (tried.refused || tried.ends_at) return;
    forecast.remedies.push_back({Remedy::Kind::BootMemory, kGiB * more, 0, false,
                                 fmt::format("{} more memory at boot", model::human(kGiB * more))});
  }

  // The host with more boot memory, all of it the kernel's, above what is there.
  [[nodiscard]] Host with_boot_memory(Bytes bytes) const {
    const model::BlockId first = start_.blocks.back().end();
    const std::uint64_t blocks = std::max<std::uint64_t>(1, bytes / start_.block_size);
    kernel::Model model(start_);
    if (model.add(first, blocks, arrival_.node, start_.blocks.front().device))
      (void)model.online({first, first + (blocks - 1)}, model::OnlineWord::OnlineKernel);
    return model.host();
  }

  void report(const Forecast& forecast) {
    if (forecast.ends_at) {
      const Device& last = forecast.devices.back();
      auto& d = sink_.add(
          diag::Code::AddDoesNotFit, std::nullopt,
          fmt::format("{} does not fit: {} needs {} of free kernel memory, but only {} is free",
                      model::human(request_.bytes),
                      forecast.device_count == 1
                          ? std::string("adding it")
                          : fmt::format("{} {} of {}",
                                        plan::is_incremental(forecast.source) ? "step" : "device",
                                        last.number, forecast.device_count),
                      model::human(last.needed), model::human(last.free)));
      d.notes.emplace_back(
          "a hot-add that fails part way does not release the memory it used; the machine may run "
          "out of memory");
      for (const Remedy& remedy : forecast.remedies)
        d.help += (d.help.empty() ? "" : "; or ") + remedy.text;
    }
    if (forecast.slow_blocks) {
      auto& d = sink_.add(
          diag::Code::OnliningIsSlow, std::nullopt,
          fmt::format("the kernel would online {} blocks of one zone in ascending order, each more "
                      "slowly than the one before",
                      *forecast.slow_blocks));
      if (!forecast.rule.path.empty())
        d.notes.push_back(fmt::format("{}:{}:{}: `{}` is left to the kernel", forecast.rule.path,
                                      forecast.rule.line, forecast.rule.column,
                                      forecast.rule.text));
      d.notes.emplace_back("other writes to memory blocks wait until the last one is online");
      d.help = "`set hotplug = service` lets the service online them in a faster order";
    }
  }

  const sema::Policy& policy_;
  const source::SourceSet& files_;
  const AddRequest& request_;
  diag::Sink& sink_;
  Host start_;
  Bytes free_;
  Arrival arrival_;
  Work work_;
};

}  // namespace

std::optional<Forecast> make_forecast(const sema::Policy& policy, const source::SourceSet& files,
                                      const Host& host, const AddRequest& request, diag::Sink& sink,
                                      const Cancelled& cancelled) {
  return Forecaster(policy, files, request, sink, cancelled).run(host);
}

}  // namespace memonline::forecast
