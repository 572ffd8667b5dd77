// SPDX-License-Identifier: LGPL-2.1-or-later
// Policy text and places in it. A SourceFile is text with a name; a SourceSpan is a range of its
// bytes; a Place is a line and a column for people, both from 1, columns counted in code points.
// Text from a YAML block scalar keeps the position of each of its lines, so that messages point
// into the YAML file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memonline::source {

/// Half-open range of bytes in the text of file number `file` of a SourceSet.
struct SourceSpan {
  std::uint32_t file = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const SourceSpan&, const SourceSpan&) = default;
};

struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

/// The position of line `i` (from 0) of embedded text in the file that embeds it.
struct EmbeddedLine {
  std::uint32_t line = 1;    ///< line of the outer file, from 1
  std::uint32_t indent = 0;  ///< columns of the outer file before the embedded line starts
};

class SourceFile {
 public:
  /// `path`: what messages call the file, made printable. `label`: the short name plans use (its
  /// last component). `digest`: "sha256:..." of the file's bytes, or empty; by the caller.
  SourceFile(std::string path, std::string text, std::string digest = {});
  /// Text of a block scalar of the file `path`, line by line with its origin there.
  SourceFile(std::string path, std::string text, std::string digest,
             std::vector<EmbeddedLine> origin);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& digest() const { return digest_; }

  /// Hides the text from readers: text_of() returns an ellipsis, and messages name only the place.
  void withhold() { withheld_ = true; }
  [[nodiscard]] bool withheld() const { return withheld_; }

  /// Place of byte `offset` (clamped to the end of the text) in the outermost file.
  [[nodiscard]] Place place(std::size_t offset) const;
  /// The line of text that holds byte `offset`, without its line end (LF or CRLF).
  [[nodiscard]] std::string_view line_at(std::size_t offset) const;
  /// Byte offset where the line that holds `offset` starts.
  [[nodiscard]] std::size_t line_start(std::size_t offset) const;
  [[nodiscard]] std::string_view text_of(const SourceSpan& span) const;

 private:
  [[nodiscard]] std::size_t line_index(std::size_t offset) const;
  /// Bytes before `offset` that continue a character.
  [[nodiscard]] std::uint32_t continuations_before(std::size_t offset) const;

  std::string path_;
  std::string label_;
  std::string text_;
  std::string digest_;
  std::vector<std::uint32_t> line_starts_;
  std::vector<std::uint32_t> continuations_;  ///< before each multiple of kStride bytes
  std::vector<EmbeddedLine> origin_;
  bool withheld_ = false;
};

/// The files of one run, in the order they are read. SourceSpan::file indexes it.
using SourceSet = std::vector<SourceFile>;

}  // namespace memonline::source
