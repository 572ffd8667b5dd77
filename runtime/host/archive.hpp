// SPDX-License-Identifier: LGPL-2.1-or-later
// A captured tree inside a tar archive, plain or compressed, unpacked in memory. libarchive does
// it and is loaded only then: it drags in a dozen libraries, which would cost every other run of
// the command several times its own duration.
#pragma once

#include <memory>
#include <string>

#include "compiler/base/result.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// Whether the first bytes of a file are those of a tar archive or of gzip, xz or zstd.
bool looks_like_archive(std::string_view beginning);

/// The tree in the archive at `path`. Where everything lies in one top directory, the tree is what
/// is in there. Files beyond 16 MiB and archives that unpack to more than 512 MiB or a million
/// entries are refused.
Result<std::unique_ptr<Tree>, HostError> open_archive(const std::string& path);

}  // namespace memonline::runtime
