// SPDX-License-Identifier: LGPL-2.1-or-later
// The front door: what a source is, told by its content.
#include "runtime/host/read_host.hpp"

#include <cerrno>

#include "runtime/host/notes.hpp"

namespace memonline::runtime {

namespace {

bool is_tree(const Tree& tree) { return tree.exists("sys") || tree.exists("proc"); }

}  // namespace

Result<model::Host, HostError> read_host(const std::string& source) {
  const auto tree = open_directory(source);
  if (tree) {
    if (!is_tree(**tree))
      return fail(HostError{source, "holds neither sys nor proc: no tree of a host"});
    model::Host host = read_tree(**tree, source == "/" ? Liveness::Live : Liveness::Captured);
    host.name = source;
    return host;
  }
  return fail(HostError{source, errno_text(tree.error())});
}

}  // namespace memonline::runtime
