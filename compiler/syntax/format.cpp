// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/format.hpp"

#include <algorithm>
#include <vector>

#include "compiler/base/overloaded.hpp"
#include "compiler/syntax/foreign_document.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/print.hpp"

namespace memonline::syntax {

namespace {

struct Comment {
  std::size_t begin;
  std::string_view text;  ///< with its `#`, without blanks at its end
};

/// Comments end with their line; a `#` in quotes starts none, and quotes end with their line too.
std::vector<Comment> find_comments(std::string_view text) {
  std::vector<Comment> comments;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') quoted = false;
    if (c == '"') quoted = !quoted;
    if (c != '#' || quoted) continue;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view comment = text.substr(at, end - at);
    while (comment.back() == ' ' || comment.back() == '\t' || comment.back() == '\r')
      comment.remove_suffix(1);
    comments.push_back({at, comment});
    at = end - 1;
  }
  return comments;
}

class Formatter {
 public:
  explicit Formatter(std::string_view text) : text_(text), comments_(find_comments(text)) {}

  std::string run(const ast::File& file) {
    write(file.statements);
    own_lines_until(text_.size());
    return std::move(out_);
  }

 private:
  void write(const std::vector<ast::Statement>& statements) {
    for (const ast::Statement& statement : statements)
      std::visit(overloaded{[&](const ast::Rule& node) { line(node); },
                            [&](const ast::Limit& node) { line(node); },
                            [&](const ast::Setting& node) { line(node); },
                            [&](const ast::When& node) { block(node); }},
                 statement);
  }

  template <class Node>
  void line(const Node& node) {
    const source::SourceSpan span = span_of(node);
    start_line(span.begin);
    out_ += print(node);
    end_line(span.end);
  }

  void block(const ast::When& node) {
    start_line(node.branches.front().condition.keyword.span.begin);
    for (const ast::Branch& branch : node.branches) {
      if (branch.else_keyword) out_ += branch.condition.keyword ? " else " : " else";
      if (branch.condition.keyword) out_ += print(branch.condition);
      out_ += " {";
      end_line(branch.open.span.end);
      ++depth_;
      at_block_start_ = true;
      write(branch.statements);
      own_lines_until(branch.close.span.begin);
      --depth_;
      indent();
      out_ += '}';
      last_end_ = branch.close.span.end;
    }
    end_line(node.branches.back().close.span.end);
  }

  void indent() { out_.append(2 * depth_, ' '); }

  /// Comments before a statement, then its indentation. One empty line is kept where there were
  /// any, but not at the start of a block.
  void start_line(std::size_t begin) {
    own_lines_until(begin);
    blank_line_before(begin);
    indent();
  }

  void own_lines_until(std::size_t end) {
    for (; next_ < comments_.size() && comments_[next_].begin < end; ++next_) {
      const Comment& comment = comments_[next_];
      blank_line_before(comment.begin);
      indent();
      out_ += comment.text;
      out_ += '\n';
      last_end_ = comment.begin + comment.text.size();
    }
  }

  void blank_line_before(std::size_t begin) {
    const std::string_view gap = text_.substr(last_end_, begin - std::min(begin, last_end_));
    const bool wanted = std::count(gap.begin(), gap.end(), '\n') > 1;
    if (wanted && !at_block_start_ && !out_.empty()) out_ += '\n';
    at_block_start_ = false;
  }

  /// Ends a line whose source ended at `end`: with the comments before `end` (between a head and
  /// its `{`, or between `}` and `else`), or one after it on the same line.
  void end_line(std::size_t end) {
    bool first = true;
    for (; next_ < comments_.size(); ++next_) {
      const Comment& comment = comments_[next_];
      const bool inside = comment.begin < end;
      if (!inside && (!first || !only_ends_statement(end, comment.begin))) break;
      if (first)
        out_ += "  ";
      else
        out_.append(1, '\n').append(2 * (depth_ + 1), ' ');
      out_ += comment.text;
      first = false;
      end = std::max(end, comment.begin + comment.text.size());
    }
    out_ += '\n';
    last_end_ = end;
  }

  /// Only blanks and `;` are in between.
  [[nodiscard]] bool only_ends_statement(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin).find_first_not_of(" \t;") == std::string_view::npos;
  }

  std::string_view text_;
  std::vector<Comment> comments_;
  std::size_t next_ = 0;      ///< the first comment that is not written yet
  std::size_t last_end_ = 0;  ///< where in the source the last thing written ended
  std::size_t depth_ = 0;
  bool at_block_start_ = true;
  std::string out_;
};

}  // namespace

std::optional<std::string> format(const source::SourceFile& file, diag::Sink& sink) {
  diag::Sink found;
  const source::SourceSet files{file};
  const ast::File tree = parse(files, 0, found);
  if (found.has_errors()) {
    if (!report_foreign(files[0].text(), 0, sink)) sink.append(found);
    return std::nullopt;
  }
  sink.append(found);
  return Formatter(files[0].text()).run(tree);
}

}  // namespace memonline::syntax
