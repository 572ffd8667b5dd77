// SPDX-License-Identifier: LGPL-2.1-or-later
// A captured tree inside a tar archive, plain or compressed, unpacked in memory by libarchive. That
// is loaded only then: it depends on a dozen libraries, and loading them takes several times as
// long as a run of the command without them.
#pragma once

#include <memory>
#include <string>

#include "compiler/base/result.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Whether the first bytes of a file are those of a tar archive or of gzip, xz or zstd.
bool looks_like_archive(std::string_view beginning);

/// The tree in the archive at `path`. If everything is in one top directory, that is the root of
/// the tree. Files beyond 16 MiB and archives that unpack to more than 512 MiB or a million entries
/// are refused.
Result<std::unique_ptr<Tree>, HostError> open_archive(const std::string& path);

}  // namespace memonline::runtime
