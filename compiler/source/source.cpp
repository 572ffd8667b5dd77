// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/source/source.hpp"

#include <algorithm>

#include "compiler/text/printable.hpp"

namespace memonline::source {

namespace {

std::string last_component(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::vector<std::uint32_t> index_lines(std::string_view text) {
  std::vector<std::uint32_t> starts{0};
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    starts.push_back(static_cast<std::uint32_t>(at + 1));
  return starts;
}

bool is_continuation_byte(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// A place costs at most this many bytes, however long its line is.
constexpr std::size_t kStride = 256;

std::vector<std::uint32_t> count_continuations(std::string_view text) {
  std::vector<std::uint32_t> counts;
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at % kStride == 0) counts.push_back(count);
    if (is_continuation_byte(text[at])) ++count;
  }
  if (text.size() % kStride == 0) counts.push_back(count);
  return counts;
}

}  // namespace

SourceFile::SourceFile(std::string path, std::string text, std::string digest)
    : SourceFile(std::move(path), std::move(text), std::move(digest), {}) {}

SourceFile::SourceFile(std::string path, std::string text, std::string digest,
                       std::vector<EmbeddedLine> origin)
    : path_(std::move(path)),
      text_(std::move(text)),
      digest_(std::move(digest)),
      line_starts_(index_lines(text_)),
      continuations_(count_continuations(text_)),
      origin_(std::move(origin)) {
  path_ = printable(path_);
  label_ = last_component(path_);
}

std::size_t SourceFile::line_index(std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(after - line_starts_.begin()) - 1;
}

std::uint32_t SourceFile::continuations_before(std::size_t offset) const {
  std::size_t at = offset / kStride * kStride;
  std::uint32_t count = continuations_[offset / kStride];
  for (; at < offset; ++at)
    if (is_continuation_byte(text_[at])) ++count;
  return count;
}

Place SourceFile::place(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const std::size_t index = line_index(offset);
  Place place{static_cast<std::uint32_t>(index + 1), 1};
  const bool has_mark = std::string_view(text_).substr(0, 3) == "\xEF\xBB\xBF";
  // Nobody sees a byte order mark.
  const std::size_t start = index == 0 && has_mark ? 3 : line_starts_[index];
  if (start < offset)
    place.column += static_cast<std::uint32_t>(offset - start) -
                    (continuations_before(offset) - continuations_before(start));
  if (!origin_.empty()) {
    const EmbeddedLine& outer = origin_[std::min(index, origin_.size() - 1)];
    place = {outer.line, place.column + outer.indent};
  }
  return place;
}

std::size_t SourceFile::line_start(std::size_t offset) const {
  return line_starts_[line_index(std::min(offset, text_.size()))];
}

std::string_view SourceFile::line_at(std::size_t offset) const {
  const std::size_t begin = line_start(offset);
  std::size_t end = text_.find('\n', begin);
  if (end == std::string::npos) end = text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

std::string_view SourceFile::text_of(const SourceSpan& span) const {
  if (withheld_) return "…";
  const std::size_t begin = std::min<std::size_t>(span.begin, text_.size());
  return std::string_view(text_).substr(begin, span.end - span.begin);
}

}  // namespace memonline::source
