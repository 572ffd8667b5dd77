// SPDX-License-Identifier: LGPL-2.1-or-later
// Parses the sequence of statements: line ends, `;`, the braces of `when`, `else`, and recovery.
// grammar.cpp parses one statement; mistakes.cpp reports the errors.
#include "compiler/syntax/parse.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "compiler/base/overloaded.hpp"
#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/mistakes.hpp"

namespace memonline::syntax {

namespace {

using ast::Word;

/// A block that is still open.
struct Frame {
  ast::When when;  ///< its branches so far; the last one is the open one
  std::size_t branches_above = 0;
};

class Parser {
 public:
  Parser(const source::SourceFile& source, std::uint32_t file, diag::Sink& sink)
      : text_(source.text()), file_(file), sink_(sink) {}

  ast::File run() {
    if (text_.size() > kMaxFileSize) {
      report_file_too_large(file_, text_.size(), sink_);
      return {};
    }
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    while (!stopped_ && next_statement()) stopped_ = stopped_ || sink_.errors() >= kMaxErrors;
    if (!stopped_)
      for (const Frame& frame : open_) report_unclosed(frame.when.branches.back(), sink_);
    while (!open_.empty()) close_frame();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] source::SourceSpan here(std::size_t length) const {
    const auto begin = static_cast<std::uint32_t>(at_);
    return {file_, begin, static_cast<std::uint32_t>(at_ + length)};
  }
  [[nodiscard]] Word word_here(std::size_t length) const {
    return {text_.substr(at_, length), here(length)};
  }

  /// Blanks and comments; with `lines`, line ends and `;` too.
  void skip(bool lines) {
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        if (at_end()) return;
        --at_;  // the loop steps onto the new line
        continue;
      }
      const bool blank = c == ' ' || c == '\t' || (c == '\r' && ends_line(at_ + 1));
      if (!blank && !(lines && (c == '\n' || c == ';'))) return;
    }
  }
  [[nodiscard]] bool ends_line(std::size_t at) const {
    return at == text_.size() || text_[at] == '\n';
  }

  std::vector<ast::Statement>& statements() {
    return open_.empty() ? result_.statements : open_.back().when.branches.back().statements;
  }

  /// False at the end of the text.
  bool next_statement() {
    skip(true);
    if (at_end()) return false;
    if (text_[at_] == '}') {
      close_brace();
      return true;
    }
    if (same_word(word_at(at_), "else")) {
      report_stray_else(word_here(4), sink_);
      at_ += 4;
      skip(false);
      if (!at_end() && text_[at_] == '{') open_block({}, {});
      return true;
    }
    ItemResult read = parse_item(text_, at_, file_);
    if (read.stuck) {
      recover(*read.stuck, at_);
      return true;
    }
    const std::size_t start = std::exchange(at_, read.end);
    std::visit(overloaded{[&](ast::Condition& node) { open_when(std::move(node), {}); },
                          [&](auto& node) { finish_line(std::move(node), start); }},
               read.item);
    return true;
  }

  /// The part that must follow the parsed part of a statement.
  static Due due_after(const ast::Rule& rule) {
    return rule.shares.back().target ? Due::EndOfStatement : Due::Target;
  }
  static Due due_after(const auto&) { return Due::EndOfStatement; }

  /// A rule, limit or setting has been read: nothing but the end of the statement may follow.
  template <class Node>
  void finish_line(Node node, std::size_t start) {
    skip(false);
    if (!at_end() && text_[at_] != '\n' && text_[at_] != ';' && text_[at_] != '}') {
      recover({at_, due_after(node)}, start);
      return;
    }
    if (report_notation(node, text_, sink_)) return;
    if constexpr (std::is_same_v<Node, ast::Rule>)
      if (!check_complete(node, text_, sink_)) return;
    statements().emplace_back(std::move(node));
  }

  /// The head of a `when` has been read; its `{` may be on the next line.
  void open_when(ast::Condition condition, Word else_keyword) {
    const std::size_t end = at_;
    skip(false);
    const std::size_t stuck = at_;
    skip_lines();
    if (at_end() || text_[at_] != '{') {
      at_ = end;
      if (else_keyword) close_frame();
      recover({stuck, Due::OpenBrace}, condition.keyword.span.begin);
      return;
    }
    open_block(std::move(condition), else_keyword);
  }

  /// At a `{`: of a `when`, of an `else` of the open chain (`else_keyword` is set), or,
  /// with neither, of a head that could not be parsed; its statements then count as
  /// outside, so that their mistakes are reported.
  void open_block(ast::Condition condition, Word else_keyword) {
    if (else_keyword) {
      Frame& frame = open_.back();
      frame.when.branches.push_back({else_keyword, std::move(condition), word_here(1), {}, {}});
    } else {
      const std::size_t above =
          open_.empty() ? 0 : open_.back().branches_above + open_.back().when.branches.size();
      if (open_.size() == kMaxNesting) {
        report_nesting(condition.keyword ? condition.keyword.span : here(1), sink_);
        stopped_ = true;
        return;
      }
      open_.emplace_back();
      open_.back().branches_above = above;
      open_.back().when.branches.push_back({{}, std::move(condition), word_here(1), {}, {}});
    }
    const Frame& frame = open_.back();
    if (frame.branches_above + frame.when.branches.size() > kMaxBranches) {
      report_branches(else_keyword ? else_keyword.span : here(1), sink_);
      stopped_ = true;
    }
    ++at_;
  }

  void close_brace() {
    if (open_.empty()) {
      report_stray_brace(here(1), sink_);
      ++at_;
      return;
    }
    ast::Branch& branch = open_.back().when.branches.back();
    branch.close = word_here(1);
    const bool plain_else = branch.else_keyword && !branch.condition.keyword;
    ++at_;
    const std::size_t after = at_;
    if (!plain_else) {
      skip_lines();
      if (same_word(word_at(at_), "else")) {
        continue_chain();
        return;
      }
    }
    at_ = after;
    close_frame();
  }

  /// A `{` or `else` may be on a later line than its head.
  void skip_lines() {
    for (skip(false); !at_end() && text_[at_] == '\n'; skip(false)) ++at_;
  }

  void continue_chain() {
    const Word else_keyword = word_here(4);
    at_ += 4;
    skip(false);
    if (same_word(word_at(at_), "when")) {
      ItemResult read = parse_item(text_, at_, file_);
      if (read.stuck) {
        const std::size_t start = at_;
        close_frame();
        recover(*read.stuck, start);
        return;
      }
      at_ = read.end;
      open_when(std::move(std::get<ast::Condition>(read.item)), else_keyword);
      return;
    }
    const std::size_t stuck = at_;
    skip_lines();
    if (!at_end() && text_[at_] == '{') {
      open_block({}, else_keyword);
      return;
    }
    close_frame();
    recover({stuck, Due::OpenBraceOrWhen}, else_keyword.span.begin);
  }

  void close_frame() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    if (frame.when.branches.front().condition.keyword) {
      statements().emplace_back(std::move(frame.when));
      return;
    }
    for (ast::Branch& branch : frame.when.branches)
      for (ast::Statement& statement : branch.statements)
        statements().push_back(std::move(statement));
  }

  /// Reports the mistake and goes to the end of the statement. A `{` on the way opens a block, so
  /// that its `}` finds a partner.
  void recover(const Stuck& stuck, std::size_t start) {
    at_ = std::max(at_, report_stuck(stuck, start, file_, text_, sink_));
    bool quoted = false;
    for (; !at_end() && text_[at_] != '\n'; ++at_) {
      const char c = text_[at_];
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      if (c == ';' || c == '}') return;
      if (c == '{') {
        open_block({}, {});
        return;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        return;
      }
    }
  }

  [[nodiscard]] std::string_view word_at(std::size_t at) const {
    std::size_t end = at;
    while (end < text_.size() && is_word_byte(text_[end])) ++end;
    return text_.substr(at, end - at);
  }

  std::string_view text_;
  std::uint32_t file_;
  diag::Sink& sink_;
  std::size_t at_ = 0;
  bool stopped_ = false;
  std::vector<Frame> open_;
  ast::File result_;
};

}  // namespace

ast::File parse(const source::SourceSet& files, std::uint32_t file, diag::Sink& sink) {
  return Parser(files[file], file, sink).run();
}

}  // namespace memonline::syntax
