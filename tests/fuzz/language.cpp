// SPDX-License-Identifier: LGPL-2.1-or-later
// Fuzz target: any bytes as policy text, all the way. They may be refused, with diagnostics that
// can be printed; what is accepted must survive planning and every rendering.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/compile.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/format.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/policy_dump.hpp"

namespace {

using memonline::model::Zone;

/// One host of each kind that planning distinguishes.
memonline::model::Host host_of(memonline::model::Era era) {
  memonline::test::HostBuilder builder(era);
  builder.boot(0, 0, 8).boot(1, 32, 8).dimm(0, 40, 8).dimm(1, 48, 40).virtio_mem(1, 96, 4);
  builder.dimm_online(1, 80, 8, Zone::Movable).has_cpu(1, false).auto_movable();
  return builder.build();
}

void plan_for(const memonline::source::SourceSet& files, const memonline::model::Host& host) {
  const memonline::Compilation result = memonline::compile(files, host);
  (void)memonline::diag::to_text(result.diagnostics.sorted(), files);
  (void)memonline::diag::to_json(result.diagnostics.sorted(), files);
  if (!result.plan) return;
  (void)memonline::render::plan_to_text(*result.plan, host);
  (void)memonline::render::plan_to_json(*result.plan);
  (void)memonline::render::plan_to_yaml(*result.plan);
  (void)memonline::render::plan_to_shell(*result.plan);
}

/// Canonical source means what the source means, and is its own canonical source.
void check_format(const memonline::source::SourceSet& files) {
  using memonline::syntax::format;
  memonline::diag::Sink sink;
  const auto once = format(files[0], sink);
  if (!once) return;
  const memonline::source::SourceSet printed{{"formatted.mempolicy", *once}};
  if (format(printed[0], sink) != once) std::abort();
  const auto before = memonline::sema::analyse(files, sink);
  const auto after = memonline::sema::analyse(printed, sink);
  if (before.has_value() != after.has_value()) std::abort();
  if (before && memonline::test::dump(*before) != memonline::test::dump(*after)) std::abort();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const memonline::model::Host modern = host_of(memonline::model::Era::D);
  static const memonline::model::Host old = host_of(memonline::model::Era::A3);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const memonline::source::SourceSet files{memonline::source::SourceFile("fuzz.mempolicy", text)};
  check_format(files);
  plan_for(files, modern);
  plan_for(files, old);
  return 0;
}
