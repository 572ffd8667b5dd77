// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/plan.hpp"

#include "compiler/base/names.hpp"

namespace memonline::plan {

namespace {

constexpr Names<Onliner, 3> kOnliners{{{Onliner::Kernel, "kernel"},
                                       {Onliner::Service, "service"},
                                       {Onliner::Corrected, "corrected"}}};

constexpr Names<Chance, 5> kChances{{{Chance::Gone, "gone"},
                                     {Chance::Likely, "likely"},
                                     {Chance::Maybe, "maybe"},
                                     {Chance::Unlikely, "unlikely"},
                                     {Chance::Never, "never"}}};

constexpr Names<Reclaim, 3> kReclaims{
    {{Reclaim::PageCache, "page-cache"}, {Reclaim::Slab, "slab"}, {Reclaim::Compact, "compact"}}};

constexpr Names<Reclaim, 3> kReclaimTexts{{{Reclaim::PageCache, "drop the clean page cache"},
                                           {Reclaim::Slab, "reclaim slab"},
                                           {Reclaim::Compact, "compact memory"}}};

}  // namespace

std::string_view onliner_name(Onliner onliner) { return name_in(kOnliners, onliner); }
std::optional<Onliner> onliner_named(std::string_view name) { return value_in(kOnliners, name); }
std::string_view chance_name(Chance chance) { return name_in(kChances, chance); }
std::optional<Chance> chance_named(std::string_view name) { return value_in(kChances, name); }
std::string_view reclaim_name(Reclaim what) { return name_in(kReclaims, what); }
std::optional<Reclaim> reclaim_named(std::string_view name) { return value_in(kReclaims, name); }
std::string_view reclaim_text(Reclaim what) { return name_in(kReclaimTexts, what); }

}  // namespace memonline::plan
