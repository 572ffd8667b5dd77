// SPDX-License-Identifier: LGPL-2.1-or-later
// Fuzz target: any bytes as what memonline reads beside the language. A text that begins with "=="
// is a captured tree ("== path" before the content of each file, "-> path target" for a link), all
// other text is tried as a policy package, a plan, udev rules, a snapshot and lsmem's JSON. A host
// that comes out must survive planning, whatever nonsense it says of itself, and be the same host
// after it was written and read again, as must its plan; every mistake in a package or a plan must
// find its place in the file.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "compiler/compile.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"
#include "runtime/host/udev_walk.hpp"
#include "runtime/policy/package.hpp"

namespace {

using namespace memonline;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

model::Host host_of_tree(std::string_view text) {
  runtime::MemoryTree tree;
  std::string path;
  std::string content;
  const auto put = [&] {
    if (!path.empty()) tree.add_file(path, content);
    content.clear();
  };
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with("== ")) {
      put();
      path = line.substr(3);
    } else if (line.starts_with("-> ")) {
      const std::size_t space = line.find(' ', 3);
      if (space != std::string_view::npos)
        tree.add_link(line.substr(3, space - 3), std::string(line.substr(space + 1)));
    } else {
      content.append(line).append("\n");
    }
  }
  put();
  return runtime::read_tree(tree, runtime::Liveness::Captured);
}

/// What is written of a host reads back as what was written.
void write_and_read(const model::Host& host) {
  const std::string text = runtime::write_snapshot(host);
  const auto again = runtime::read_snapshot(text);
  if (!again || runtime::write_snapshot(*again) != text) std::abort();
}

void plan_for(const model::Host& host) {
  write_and_read(host);
  static const source::SourceSet files{
      source::SourceFile("fuzz.mempolicy",
                         "set rezone = allowed\nset hotplug = best\nlimit movable to 3x normal\n"
                         "each dimm: last 80% movable, rest normal\n"
                         "each node: first 1GiB normal, 2 blocks offline, rest auto\n")};
  const Compilation result = compile(files, host);
  if (!result.plan) return;
  (void)render::plan_to_text(*result.plan, host);
  (void)render::plan_to_shell(*result.plan);
  const std::string json = render::plan_to_json(*result.plan);
  const auto again = apply::read_plan(json, "fuzz.json");
  if (!again || render::plan_to_json(*again) != json) std::abort();
  if (const plan::Comparison now = plan::compare(*again, host); !now.same) std::abort();
}

/// A plan that somebody edited may be refused; one that is not can be compared and rendered.
void read_as_plan(const std::string& text) {
  const auto plan = apply::read_plan(text, "fuzz.json");
  if (!plan) {
    (void)diag::to_text(plan.error(), {source::SourceFile("fuzz.json", text)});
    return;
  }
  const std::string json = render::plan_to_json(*plan);
  const auto again = apply::read_plan(json, "fuzz.json");
  if (!again || render::plan_to_json(*again) != json) std::abort();
  (void)render::plan_to_shell(*plan);
  (void)plan::compare(*plan, model::Host{});
}

void read_as_package(const std::string& text) {
  const source::SourceSet files{source::SourceFile("fuzz.yaml", text)};
  diag::Sink sink;
  const auto package = policy::read_package(files, 0, sink);
  (void)diag::to_text(sink.sorted(), files);
  if (!package) return;
  const source::SourceSet inside{package->policy};
  diag::Sink found;
  (void)sema::analyse(inside, found);
  (void)diag::to_text(found.sorted(), inside);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with("==")) {
    plan_for(host_of_tree(text));
    return 0;
  }
  read_as_package(text);
  read_as_plan(text);
  for (const runtime::StateRule& rule : runtime::rules_for_blocks(text, model::Host{}))
    if (rule.begin >= rule.end || rule.end > text.size()) std::abort();
  if (const auto host = runtime::read_host_text(text)) plan_for(*host);
  return 0;
}
