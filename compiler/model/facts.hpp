// SPDX-License-Identifier: LGPL-2.1-or-later
// The facts on which a plan depends, one per line, equal for equal hosts: block size, page size,
// era, arch, command line, kernel settings, nodes, blocks, memory without blocks. File names and
// free memory are not included. A plan contains these lines, so that a later run can report
// changes; the fingerprint is their digest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"

namespace memonline::model {

/// A run of blocks as in its line.
struct BlockFact {
  BlockRange blocks;
  State state = State::Unknown;
  ValidZones zones;
  std::optional<NodeId> node;
  bool several_nodes = false;
  std::string device;  ///< name and driver, escaped as in the line: "dimm0", "virtio0 virtio_mem"
  friend bool operator==(const BlockFact&, const BlockFact&) = default;
};

/// Memory without blocks that a plan may configure, as in its line.
struct UnconfiguredFact {
  BlockRange blocks;
  std::string device;    ///< "standby", "dax0.0"
  bool own_map = false;  ///< standby memory: its blocks will hold their own memory map
  friend bool operator==(const UnconfiguredFact&, const UnconfiguredFact&) = default;
};

struct KnobFact {
  std::string name;
  std::string value;
  friend bool operator==(const KnobFact&, const KnobFact&) = default;
};

/// The lines as values. Texts are as in their lines: bytes that are not printable ASCII, and the
/// backslash, are \xNN, so that a text stays on one line and fits into any document.
struct Facts {
  std::uint64_t block_size = 0;
  std::uint64_t page_size = 0;
  Era era = Era::C1;
  std::string arch;
  bool hot_remove = true;
  std::vector<std::string> parameters;              ///< words of the command line, in order
  std::vector<KnobFact> knobs;                      ///< those the host has
  std::map<NodeId, std::optional<bool>> node_cpus;  ///< empty: unknown
  std::vector<BlockFact> blocks;                    ///< ascending, disjoint
  std::vector<UnconfiguredFact> unconfigured;       ///< ascending, disjoint
  friend bool operator==(const Facts&, const Facts&) = default;

  /// The value of a knob, or nullptr: the host has no such knob.
  [[nodiscard]] const std::string* knob(std::string_view name) const;
};

Facts facts_of(const Host& host);
/// One line a fact, without line ends.
std::vector<std::string> lines_of(const Facts& facts);
/// The reverse of lines_of; otherwise the first line that this version does not know, or the
/// missing fact.
Result<Facts, std::string> parse_facts(const std::vector<std::string>& lines);

/// The lines of a host, each with its line end: what the fingerprint is the SHA-256 of.
std::string canonical_text(const Host& host);

/// "Normal Movable", "none", "unknown", "empty".
std::string zones_text(const ValidZones& zones);

}  // namespace memonline::model
