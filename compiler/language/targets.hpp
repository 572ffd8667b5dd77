// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of a share: targets, and places in a group. The only list of them; what a target does
// is in compiler/plan.
#pragma once

#include <cstdint>

#include "compiler/base/names.hpp"

namespace memonline::language {

enum class Target : std::uint8_t { Movable, Normal, Auto, Offline, Keep };
inline constexpr Names<Target, 5> kTargets{{{Target::Movable, "movable"},
                                            {Target::Normal, "normal"},
                                            {Target::Auto, "auto"},
                                            {Target::Offline, "offline"},
                                            {Target::Keep, "keep"}}};
static_assert(complete(kTargets, Target::Keep));

/// What the kernel calls them in `state` and `auto_online_blocks`. None for `keep`, which writes
/// nothing.
inline constexpr Names<Target, 4> kStates{{{Target::Movable, "online_movable"},
                                           {Target::Normal, "online_kernel"},
                                           {Target::Auto, "online"},
                                           {Target::Offline, "offline"}}};

/// False: it leaves blocks as they are.
constexpr bool writes(Target target) { return !name_in(kStates, target).empty(); }

/// Further words of the kernel for them: older states, and zones.
inline constexpr Names<Target, 4> kKernelWords{{{Target::Normal, "kernel"},
                                                {Target::Offline, "off"},
                                                {Target::Movable, "zone_movable"},
                                                {Target::Normal, "zone_normal"}}};

/// The end of the group that a share starts from, or what other shares leave. Unplaced has no word.
enum class Place : std::uint8_t { First, Last, Rest, Unplaced };
inline constexpr Names<Place, 3> kPlaces{
    {{Place::First, "first"}, {Place::Last, "last"}, {Place::Rest, "rest"}}};
static_assert(complete(kPlaces, Place::Rest));

}  // namespace memonline::language
