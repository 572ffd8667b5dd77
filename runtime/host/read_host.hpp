// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a model::Host from the live machine, a captured tree, an archive of one, a snapshot, or the
// output of `lsmem --json`.
#pragma once

#include <string>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Why a host cannot be read at all. Parts that are missing or unreadable are not an error: they
/// are unknown, and listed in Host::unread.
struct HostError {
  std::string path;
  std::string message;
};

/// How much of each block is read.
enum class Detail {
  All,
  /// Enough to write to the blocks: one that is going offline counts as offline. Since Linux 5.15
  /// valid_zones is enough for that: one file less per block, and two files for all blocks that no
  /// zone reaches (runtime/host/outside_zones.hpp).
  ToWrite,
};

/// `source` is "/" for the live machine, a directory that holds a captured tree, or a file: a tar
/// archive of a tree (plain or compressed by gzip, xz or zstd), a snapshot of schema
/// "memonline.host/1", or the output of
/// `lsmem --json -b -o RANGE,SIZE,STATE,REMOVABLE,BLOCK,NODE,ZONES`. The content of a file
/// decides what it is. Host::name is `source`. A host without memory hotplug is a host: block_size
/// is 0.
Result<model::Host, HostError> read_host(const std::string& source, Detail detail = Detail::All);

/// Exists while memonlined runs: then plans count on it.
inline constexpr auto kServiceSign = "run/memonline/service";
/// Exists if memonlined has exited because the kernel does all the work: a call starts it again
/// (runtime/service/rest.hpp).
inline constexpr auto kRestSign = "run/memonline/resting";

/// Whether the machine itself may be queried in addition to the tree.
enum class Liveness {
  Captured,  ///< no: the tree may be of any machine
  Live,      ///< yes, the tree is this machine's: uname, sysconf and cpuid describe the same kernel
};

/// The host that a tree shows. Never fails: an empty tree is an empty host.
model::Host read_tree(const Tree& tree, Liveness liveness, Detail detail = Detail::All);

/// The host that a text describes: a snapshot or lsmem's JSON. The error's path is empty.
Result<model::Host, HostError> read_host_text(std::string_view text);

}  // namespace memonline::runtime
