// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/archive.hpp"

#include <array>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "runtime/base/late_library.hpp"

namespace memonline::runtime {

namespace {

constexpr std::int64_t kMaxFileSize = std::int64_t{16} << 20U;
constexpr std::size_t kMaxTreeSize = std::size_t{512} << 20U;
constexpr std::size_t kMaxEntries = 1'000'000;

/// The functions that are used, typed by the library's own header.
struct Library {
  decltype(&::archive_read_new) read_new = nullptr;
  decltype(&::archive_read_free) read_free = nullptr;
  decltype(&::archive_read_support_filter_gzip) filter_gzip = nullptr;
  decltype(&::archive_read_support_filter_xz) filter_xz = nullptr;
  decltype(&::archive_read_support_filter_zstd) filter_zstd = nullptr;
  decltype(&::archive_read_support_format_tar) format_tar = nullptr;
  decltype(&::archive_read_open_filename) open_filename = nullptr;
  decltype(&::archive_read_next_header) next_header = nullptr;
  decltype(&::archive_read_data) read_data = nullptr;
  decltype(&::archive_error_string) error_string = nullptr;
  decltype(&::archive_entry_pathname) pathname = nullptr;
  decltype(&::archive_entry_filetype) filetype = nullptr;
  decltype(&::archive_entry_symlink) symlink = nullptr;
  bool loaded = false;
};

Library load() {
  Library library;
  LateLibrary late(MEMONLINE_LIBARCHIVE);
  late.bind(library.read_new, "archive_read_new");
  late.bind(library.read_free, "archive_read_free");
  late.bind(library.filter_gzip, "archive_read_support_filter_gzip");
  late.bind(library.filter_xz, "archive_read_support_filter_xz");
  late.bind(library.filter_zstd, "archive_read_support_filter_zstd");
  late.bind(library.format_tar, "archive_read_support_format_tar");
  late.bind(library.open_filename, "archive_read_open_filename");
  late.bind(library.next_header, "archive_read_next_header");
  late.bind(library.read_data, "archive_read_data");
  late.bind(library.error_string, "archive_error_string");
  late.bind(library.pathname, "archive_entry_pathname");
  late.bind(library.filetype, "archive_entry_filetype");
  late.bind(library.symlink, "archive_entry_symlink");
  library.loaded = late.complete();
  return library;
}

struct Closer {
  const Library* library;
  void operator()(archive* reader) const { library->read_free(reader); }
};

HostError error_of(const std::string& path, const Library& library, archive* reader) {
  const char* text = library.error_string(reader);
  return {path,
          fmt::format("cannot unpack the archive: {}", text == nullptr ? "corrupt archive" : text)};
}

/// The content of the entry just read, or an error if it is too large or corrupt.
Result<std::string, HostError> content_of(const std::string& path, const Library& library,
                                          archive* reader) {
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    const auto got = library.read_data(reader, buffer.data(), buffer.size());
    if (got < 0) return fail(error_of(path, library, reader));
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > static_cast<std::size_t>(kMaxFileSize))
      return fail(HostError{path, "the archive has a file larger than 16 MiB"});
  }
}

}  // namespace

bool looks_like_archive(std::string_view beginning) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view magic : {"\x1f\x8b"sv,
                                       "\xfd"
                                       "7zXZ\0"sv,
                                       "\x28\xb5\x2f\xfd"sv})
    if (beginning.substr(0, magic.size()) == magic) return true;
  return beginning.size() > 262 && beginning.substr(257, 5) == "ustar";
}

Result<std::unique_ptr<Tree>, HostError> open_archive(const std::string& path) {
  static const Library library = load();
  if (!library.loaded)
    return fail(
        HostError{path, "cannot unpack the archive: " MEMONLINE_LIBARCHIVE " is not installed"});
  const std::unique_ptr<archive, Closer> reader(library.read_new(), Closer{&library});
  if (!reader) return fail(HostError{path, "cannot unpack the archive: out of memory"});
  library.filter_gzip(reader.get());
  library.filter_xz(reader.get());
  library.filter_zstd(reader.get());
  library.format_tar(reader.get());
  if (library.open_filename(reader.get(), path.c_str(), 65536) != ARCHIVE_OK)
    return fail(error_of(path, library, reader.get()));

  auto tree = std::make_unique<MemoryTree>();
  std::size_t size = 0;
  for (std::size_t count = 0;; ++count) {
    archive_entry* entry = nullptr;
    const int answer = library.next_header(reader.get(), &entry);
    if (answer == ARCHIVE_EOF) break;
    if (answer < ARCHIVE_WARN) return fail(error_of(path, library, reader.get()));
    if (count >= kMaxEntries || size > kMaxTreeSize)
      return fail(HostError{path, "the archive has more than a million entries or 512 MiB"});
    const char* name = library.pathname(entry);
    if (name == nullptr) continue;
    const auto type = library.filetype(entry);
    if (type == AE_IFDIR) {
      tree->add_directory(name);
    } else if (type == AE_IFLNK) {
      const char* target = library.symlink(entry);
      tree->add_link(name, target == nullptr ? "" : target);
    } else if (type == AE_IFREG) {
      auto content = content_of(path, library, reader.get());
      if (!content) return fail(std::move(content.error()));
      size += content->size();
      tree->add_file(name, std::move(*content));
    }
  }
  const auto top = tree->list("");
  if (top && top->size() == 1 && top->front() != "sys" && top->front() != "proc")
    if (auto inner = tree->below(top->front().c_str())) return std::move(*inner);
  return std::unique_ptr<Tree>(std::move(tree));
}

}  // namespace memonline::runtime
