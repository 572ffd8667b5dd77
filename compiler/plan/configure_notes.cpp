// SPDX-License-Identifier: LGPL-2.1-or-later
// Why rules that name `standby` or `system-ram` configure or bind nothing.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "compiler/model/dax.hpp"
#include "compiler/plan/configure.hpp"
#include "compiler/plan/hotplug.hpp"

namespace memonline::plan {

namespace {

bool means(const sema::Class& one, const model::DaxDevice& dax) {
  const auto* device = std::get_if<sema::DaxDevice>(&one.is);
  return device != nullptr && (device->name.empty() || device->name == dax.name);
}

const sema::Class* class_for(const std::vector<sema::Class>& classes, const model::DaxDevice& dax) {
  const auto at = std::find_if(classes.begin(), classes.end(),
                               [&](const sema::Class& one) { return means(one, dax); });
  return at == classes.end() ? nullptr : &*at;
}

// `dax1.0: keep`: all of the device.
bool is_for_all_of(const sema::Rule& rule, const model::DaxDevice& dax) {
  return rule.selector.classes.size() == 1 && rule.selector.except.empty() &&
         means(rule.selector.classes.front(), dax);
}

}  // namespace

void ConfigurePart::warn_of_refused(diag::Sink& sink) const {
  for (const model::DaxDevice& dax : host_.dax_devices) {
    const auto refused = model::not_bindable(host_, dax);
    if (!refused) continue;
    for (const sema::Rule& rule : policy_.rules) {
      if (is_for_all_of(rule, dax)) break;
      const sema::Class* named = class_for(rule.selector.classes, dax);
      if (!names(rule, sema::ClassWord::SystemRam) || named == nullptr ||
          class_for(rule.selector.except, dax) != nullptr)
        continue;
      sink.add(diag::Code::NotSystemRam, named->span,
               fmt::format("{} cannot become system RAM: {}", dax.name, refused->why))
          .help = refused->help;
      break;
    }
  }
}

// A rule that gets nothing of the memory that it names: an earlier rule selects it.
void ConfigurePart::warn_of_taken(const source::SourceSet& files, diag::Sink& sink) const {
  const auto warn = [&](const sema::Rule& rule, diag::Code code, const char* verb,
                        const Taken& taken, const std::string& memory) {
    auto& d = sink.add(code, rule.selector.span,
                       fmt::format("this rule {} nothing: `{}` selects {} first", verb,
                                   rule_ref(files, taken.by->selector.span).text, memory));
    d.help = "move this rule above that one, or into a file with a lower number";
  };
  for (const sema::Rule& rule : policy_.rules) {
    if (answered_.contains(&rule)) continue;
    const bool standby = names(rule, sema::ClassWord::Standby);
    if (!standby && !names(rule, sema::ClassWord::SystemRam)) continue;
    const auto found = [&](const Taken& taken) {
      if (taken.by->only_present) return false;  // what others released: it stays so
      if (standby) {
        const auto blocks = intersect(taken.blocks, model::BlockSet(host_.standby));
        if (blocks.empty()) return false;
        warn(rule, diag::Code::StandbyMemory, "configures", taken,
             model::range_name(blocks.ranges().front()));
        return true;
      }
      for (const model::DaxDevice& dax : host_.dax_devices)
        if (class_for(rule.selector.classes, dax) != nullptr &&
            model::touches(taken.blocks, dax.blocks) && !is_for_all_of(*taken.by, dax)) {
          warn(rule, diag::Code::NotSystemRam, "binds", taken, "the memory of " + dax.name);
          return true;
        }
      return false;
    };
    (void)std::any_of(taken_.begin(), taken_.end(), found);
  }
}

}  // namespace memonline::plan
