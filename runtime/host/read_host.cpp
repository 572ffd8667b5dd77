// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a host from any source; its content decides what the source is.
#include "runtime/host/read_host.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "compiler/text/printable.hpp"
#include "runtime/boot/state.hpp"
#include "runtime/host/archive.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/lsmem.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/passed_iomem.hpp"
#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

// A snapshot of a host with a run for each of half a million blocks.
constexpr std::size_t kMaxTextSize = std::size_t{64} << 20U;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The beginning of a file, up to `limit`.
Result<std::string, Errno> beginning_of(const std::string& path, std::size_t limit) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (!file) return fail(Errno{errno});
  std::string text;
  std::size_t size = 0;
  while (size < limit) {
    text.resize(std::min(limit, size + (std::size_t{64} << 10U)));
    const std::size_t got = std::fread(text.data() + size, 1, text.size() - size, file.get());
    size += got;
    if (got == 0) break;
  }
  if (std::ferror(file.get()) != 0) return fail(Errno{errno});
  text.resize(size);
  return text;
}

Result<model::Host, HostError> host_of_tree(const std::string& source, const Tree& tree,
                                            Detail detail) {
  if (!tree.exists("sys") && !tree.exists("proc"))
    return fail(HostError{source, "not a captured host: it has neither sys nor proc"});
  return read_tree(tree, source == "/" ? Liveness::Live : Liveness::Captured, detail);
}

Result<model::Host, HostError> host_of_source(const std::string& source, Detail detail) {
  auto directory = open_directory(source);
  if (directory) {
    if (source == "/") *directory = with_passed_iomem(std::move(*directory));
    auto host = host_of_tree(source, **directory, detail);
    if (host) host->own_parameters = boot::own_parameters(source);
    return host;
  }
  if (directory.error().value != ENOTDIR)
    return fail(HostError{source, errno_text(directory.error())});

  auto text = beginning_of(source, 512);
  if (text && looks_like_archive(*text)) {
    const auto archive = open_archive(source);
    if (!archive) return fail(HostError{archive.error()});
    return host_of_tree(source, **archive, detail);
  }
  if (text) text = beginning_of(source, kMaxTextSize + 1);
  if (!text) return fail(HostError{source, errno_text(text.error())});
  if (text->size() > kMaxTextSize)
    return fail(HostError{source, "larger than the limit of 64 MiB"});
  auto host = read_host_text(*text);
  if (!host) return fail(HostError{source, host.error().message});
  return host;
}

}  // namespace

Result<model::Host, HostError> read_host_text(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  const std::string_view content = trimmed(text);
  if (content.substr(0, 1) == "{") return read_lsmem(content);
  if (content.find("schema:") != std::string_view::npos) return read_snapshot(text);
  return fail(HostError{
      "", "unknown format: expected a tar archive, a snapshot or the output of `lsmem --json`"});
}

Result<model::Host, HostError> read_host(const std::string& source, Detail detail) {
  auto host = host_of_source(source, detail);
  if (host) host->name = memonline::printable(source);
  return host;
}

}  // namespace memonline::runtime
