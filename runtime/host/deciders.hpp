// SPDX-License-Identifier: LGPL-2.1-or-later
// Who else decides about memory on this host: udev rules, the kernel's own switch and what it boots
// with, daxctl. Found before a plan is carried out, so that nobody wonders afterwards who was
// faster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/source/source.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

struct Decider {
  diag::Code code = diag::Code::UdevDecides;
  std::string path;        ///< "/usr/lib/udev/rules.d/40-redhat.rules"
  std::uint32_t line = 1;  ///< from 1
  std::string text;        ///< the words that decide: `ATTR{state}="online"`
  std::string does;        ///< what comes of them, as a message
  std::string remedy;      ///< what to do about it
  bool settled = false;    ///< the plan has a step that ends it
  std::string content;     ///< of the whole file, to show the place in it
  std::size_t begin = 0;   ///< of `text` in `content`
};

/// All of them, udev's first, in the order that udev reads its files. What cannot be read is no
/// decider: files that are missing or kept from us say nothing.
std::vector<Decider> find_deciders(const Tree& root, const model::Host& host,
                                   const plan::Plan& plan);

/// Warnings ML0750 to ML0753, or errors if `strict`; what the plan settles is a note either way.
/// The files are added to `files`, which the places in `sink` refer to.
void report_deciders(const std::vector<Decider>& deciders, bool strict, source::SourceSet& files,
                     diag::Sink& sink);

}  // namespace memonline::runtime
