// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of a request. Selectors are the language's: they are read by its parser and checked as
// in a rule.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "compiler/plan/size_text.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::plan {

namespace {

constexpr const char* kForms =
    "expected SIZE (for example 16GiB), SIZE of SELECTOR, or a SELECTOR such as dimm1, dax0.0, "
    "virtio0, node1, `driver kmem` or `block 32-39`";

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// "39" of "39" and of "memory39".
std::string_view last_of(std::string_view text) {
  take(text, "memory");
  return text;
}

/// `memory32-39`, and as `status` and `plan` print it, `memory32..39`: a list of blocks.
Result<std::string, std::string> blocks_in(std::string_view text) {
  std::string_view rest = text;
  take(rest, "memory");
  const std::size_t dash = std::min(rest.find('-'), rest.find(".."));
  const std::size_t after =
      dash == std::string_view::npos ? dash : dash + (rest[dash] == '-' ? 1 : 2);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  const auto first = number_in(rest.substr(0, dash), kMax);
  const auto last =
      dash == std::string_view::npos ? first : number_in(last_of(rest.substr(after)), kMax);
  if (!first || !last) return fail(fmt::format("invalid block range `{}`; {}", text, kForms));
  if (*last < *first)
    return fail(fmt::format("reversed block range `{}`; write the lower block first", text));
  return fmt::format("block {}-{}", *first, *last);
}

/// A single virtio-mem device, as /proc/iomem names it, `virtio0`, or as the language names its
/// kind, `virtio-mem0`.
std::optional<std::string> virtio_device(std::string_view& text) {
  std::string_view rest = text;
  if (!take(rest, "virtio-mem") && !take(rest, "virtio")) return std::nullopt;
  const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  if (end == 0 || (end < rest.size() && rest[end] != ' ')) return std::nullopt;
  std::string name = fmt::format("virtio{}", rest.substr(0, end));
  text = rest.substr(end);
  return name;
}

/// The nearest word that a selector may begin with.
std::string did_you_mean(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of("0123456789 "), text.size());
  const std::string_view word = text.substr(0, end);
  const std::string_view rest = text.substr(end);
  for (const std::string_view known :
       {"dimm", "node", "dax", "virtio", "driver", "block", "standby"})
    if (word != known && !word.empty() && edit_distance(word, known) <= (word.size() > 3 ? 2U : 1U))
      return fmt::format(", did you mean `{}{}`?", known, rest);
  return "";
}

Result<UnplugRequest, std::string> selector_in(std::string_view text, UnplugRequest request) {
  std::string_view rest = trimmed(text);
  request.selected = std::string(rest);
  if (rest.empty()) return fail(std::string("no memory selected; ") + kForms);
  const bool foreign =
      rest.starts_with("each ") || std::any_of(rest.begin(), rest.end(), [](char c) {
        return c < ' ' || c > '~' || std::string_view(";:{}#").find(c) != std::string_view::npos;
      });
  if (foreign) return fail(fmt::format("`{}` is not a selector; {}", rest, kForms));
  std::string selector;
  if (rest.starts_with("memory")) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const auto blocks = blocks_in(rest.substr(0, end));
    if (!blocks) return fail(blocks.error());
    selector = *blocks + std::string(rest.substr(end));
  } else if (const auto device = virtio_device(rest)) {
    request.device = *device;
    selector = "virtio-mem" + std::string(rest);
  } else {
    selector = std::string(rest);
  }
  const source::SourceSet files{source::SourceFile("<unplug>", selector + ": offline\n")};
  diag::Sink sink;
  const auto policy = sema::analyse(files, sink);
  const auto* rule = policy && policy->statements.size() == 1
                         ? std::get_if<sema::Rule>(&policy->statements.front())
                         : nullptr;
  if (rule != nullptr) {
    request.selector = rule->selector;
    return request;
  }
  const std::string meant = did_you_mean(trimmed(text));
  std::string why;
  for (const diag::Diagnostic& d : sink.all())
    if (d.severity == diag::Severity::Error && why.empty())
      why = d.message + (d.fixit ? "; " + d.help : "");
  if (!meant.empty() || why.empty())
    return fail(fmt::format("cannot unplug `{}`{}; {}", trimmed(text), meant, kForms));
  return fail(fmt::format("{}; {}", why, kForms));
}

}  // namespace

Result<UnplugRequest, std::string> parse_unplug(std::string_view text) {
  if (text.size() > kMaxRequestText)
    return fail(
        fmt::format("the request has {} bytes: the limit is {}", text.size(), kMaxRequestText));
  std::string_view rest = trimmed(text);
  UnplugRequest request;
  const bool sized = !rest.empty() && ((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.');
  if (!sized) return selector_in(rest, std::move(request));
  if (rest.ends_with(" of")) return selector_in("", std::move(request));
  const std::size_t of = rest.find(" of ");
  const std::string_view size = trimmed(rest.substr(0, of));
  const std::size_t at = size.find('@');
  if (of != std::string_view::npos && at != std::string_view::npos)
    return fail(fmt::format("`{}` selects a node twice: expected SIZE of SELECTOR", text));
  // "16 GiB" is one size, too.
  std::string close(size);
  std::erase(close, ' ');
  auto amount = size_at_node(close);
  if (!amount) return fail(fmt::format("{}; {}", amount.error(), kForms));
  request.size = amount->bytes;
  if (of != std::string_view::npos) return selector_in(rest.substr(of + 4), std::move(request));
  if (amount->node) return selector_in(fmt::format("node{}", *amount->node), std::move(request));
  return request;
}

std::optional<model::BlockRange> block_range(const UnplugRequest& request) {
  if (request.size || !request.selector || !request.selector->except.empty() ||
      request.selector->classes.size() != 1)
    return std::nullopt;
  const auto* list = std::get_if<sema::BlockList>(&request.selector->classes.front().is);
  if (list == nullptr || list->ranges.size() != 1) return std::nullopt;
  return model::BlockRange{list->ranges.front().first, list->ranges.front().second};
}

}  // namespace memonline::plan
