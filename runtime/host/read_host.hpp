// SPDX-License-Identifier: LGPL-2.1-or-later
// From the outside world to model::Host: the live machine, a captured tree, an archive of one, a
// snapshot, or what `lsmem --json` printed.
#pragma once

#include <string>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Why there is no host at all. What is merely missing or unreadable within a host is no error: it
/// is marked unknown and said in Host::unread.
struct HostError {
  std::string path;
  std::string message;
};

/// How closely blocks are looked at.
enum class Detail {
  All,
  /// What is written to needs no more: a block that is going offline counts as offline. Where
  /// valid_zones tells that much (since Linux 5.15), that is a file less a block, and of blocks
  /// that no zone reaches two files for all (runtime/host/outside_zones.hpp).
  ToWrite,
};

/// `source` is "/" for the live machine, a directory that holds a captured tree, or a file: a tar
/// archive of a tree (plain or compressed by gzip, xz or zstd), a snapshot of schema
/// "memonline.host/1", or the output of
/// `lsmem --json -b -o RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES`. Files are told apart by their
/// content. Host::name is `source`. A host without memory hotplug is a host: block_size is 0.
Result<model::Host, HostError> read_host(const std::string& source, Detail detail = Detail::All);

/// There while memonlined runs: whoever plans then plans with it.
inline constexpr auto kServiceSign = "run/memonline/service";
/// There where memonlined has ended because the kernel does all the work: a call starts it again
/// (runtime/service/rest.hpp).
inline constexpr auto kRestSign = "run/memonline/resting";

/// How much of the machine may be asked beside the tree.
enum class Liveness {
  Captured,  ///< nothing: the tree may come from anywhere
  Live,      ///< the tree is this machine's: uname, sysconf and cpuid speak of the same kernel
};

/// The host that a tree shows. Never fails: an empty tree is a host without anything.
model::Host read_tree(const Tree& tree, Liveness liveness, Detail detail = Detail::All);

/// The host that a text describes: a snapshot or lsmem's JSON. The error's path is empty.
Result<model::Host, HostError> read_host_text(std::string_view text);

}  // namespace memonline::runtime
