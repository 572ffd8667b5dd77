// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/foreign_document.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

namespace {

/// The form is visible early: this many lines that are not comments are enough.
constexpr std::size_t kMaxLines = 64;

struct Line {
  std::string_view text;  ///< without blanks at its ends
  std::size_t begin;
  bool indented;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}
bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The first lines that are neither empty nor comments. Some of these formats begin comments with
/// `;`, which begins nothing in a policy.
std::vector<Line> first_lines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t at = starts_with(text, "\xEF\xBB\xBF") ? 3 : 0;
       at < text.size() && lines.size() < kMaxLines;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view whole = text.substr(at, end - at);
    const std::string_view line = without_blanks(whole);
    if (!line.empty() && line.front() != '#' && line.front() != ';')
      lines.push_back(
          {line, static_cast<std::size_t>(line.data() - text.data()), is_blank(whole.front())});
    at = end + 1;
  }
  return lines;
}

std::string_view first_word(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && !is_blank(line[end])) ++end;
  return line.substr(0, end);
}

/// `ACTION=="add", SUBSYSTEM=="memory", ATTR{state}="online"`
bool is_udev_rule(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && (is_upper(line[at]) || line[at] == '_')) ++at;
  if (at < 2) return false;
  if (at < line.size() && line[at] == '{') at = std::min(line.find('}', at), line.size() - 1) + 1;
  const auto skip = [&](std::string_view of) {
    while (at < line.size() && contains(of, line.substr(at, 1))) ++at;
  };
  skip(" \t");
  const std::size_t before = at;
  skip("=!+-:");
  if (at == before || line[at - 1] != '=') return false;
  skip(" \t");
  // A file of settings writes NAME="value", too; udev's keys are few.
  const auto keys = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "KERNEL", "KERNELS", "DEVPATH",
                     "ATTR",   "ATTRS",     "ENV",        "DRIVER", "DRIVERS", "PROGRAM",
                     "RUN",    "TAG",       "TEST",       "LABEL",  "GOTO",    "IMPORT",
                     "RESULT", "OPTIONS",   "SYMLINK",    "CONST",  "NAME",    "MODE"};
  const std::string_view key = line.substr(0, line.find_first_of("{=!+-: \t"));
  return at < line.size() && line[at] == '"' &&
         std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// `[Unit]`, `[[rules]]`: nothing else on the line.
bool is_section(std::string_view line) {
  if (line.size() < 3 || line.front() != '[' || line.back() != ']') return false;
  while (line.size() > 2 && line.front() == '[' && line.back() == ']')
    line = line.substr(1, line.size() - 2);
  return is_letter(line.front()) && line.find_first_of("[]{},") == std::string_view::npos;
}

/// `[[rules]]` of TOML.
bool is_table(const Line& line) { return starts_with(line.text, "[[") && is_section(line.text); }

bool is_unit_section(std::string_view line) {
  const auto names = {"[Unit]",  "[Service]", "[Install]", "[Timer]", "[Socket]",
                      "[Mount]", "[Path]",    "[Slice]",   "[Match]", "[Manager]"};
  return std::find(names.begin(), names.end(), line) != names.end();
}

struct Assignment {
  std::string_view name;
  std::string_view value;
};
/// `name = value`, of a name without blanks.
std::optional<Assignment> assignment(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (is_word_byte(line[end]) || line[end] == '.' || line[end] == '/'))
    ++end;
  const std::string_view rest = without_blanks(line.substr(end));
  if (end == 0 || !starts_with(rest, "=") || starts_with(rest, "==")) return std::nullopt;
  return Assignment{line.substr(0, end), without_blanks(rest.substr(1))};
}

/// Statements with `=` in the place of something else: these have remedies of their own.
bool maybe_statement(const Assignment& one) {
  const std::string_view letters = one.name.substr(0, one.name.find_first_of("0123456789"));
  return is_setting_word(one.name) || is_kernel_word(one.name) || is_class_word(letters) ||
         starts_statement(letters) || starts_share(word_at(0, one.value));
}

bool is_toml_value(std::string_view value) {
  return !value.empty() && (value.front() == '"' || value.front() == '\'' || value.front() == '[' ||
                            value.front() == '{' || value == "true" || value == "false");
}

/// `100000000-13fffffff : System RAM`
bool is_iomem(std::string_view line) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < line.size() && is_hex(line[at])) ++at;
    return at - from;
  };
  if (digits() < 8 || at == line.size() || line[at] != '-') return false;
  ++at;
  return digits() >= 8 && starts_with(line.substr(at), " : ");
}

/// `w /sys/devices/system/memory/auto_online_blocks - - - - online`
bool is_tmpfiles(std::string_view line) {
  const std::string_view type = first_word(line);
  const std::string_view rest = without_blanks(line.substr(type.size()));
  return !type.empty() && is_letter(type.front()) && type.size() <= 3 &&
         std::none_of(type.begin() + 1, type.end(), is_letter) && starts_with(rest, "/");
}

/// The words of a kernel command line, of which some are certain to be no word of a policy.
bool is_command_line(std::string_view line) {
  const auto known = {"BOOT_IMAGE", "root",        "quiet",        "splash",
                      "console",    "initrd",      "crashkernel",  "hugepages",
                      "nomodeset",  "ro",          "rw",           "mem",
                      "kernelcore", "movablecore", "movable_node", "memhp_default_state"};
  std::size_t words = 0;
  std::size_t assigned = 0;
  bool sure = false;
  for (std::string_view rest = line; !rest.empty();) {
    const std::string_view word = first_word(rest);
    rest = without_blanks(rest.substr(word.size()));
    const std::string_view key = word.substr(0, word.find('='));
    const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return is_word_byte(c) || c == '.';
    });
    if (!plain || (words == 0 && starts_statement(key))) return false;
    ++words;
    if (key.size() < word.size()) ++assigned;
    sure = sure || std::find(known.begin(), known.end(), key) != known.end() ||
           starts_with(key, "memory_hotplug.");
  }
  return words >= 2 && assigned > 0 && sure;
}

bool is_boot_loader(std::string_view line) {
  return starts_with(line, "GRUB_") || starts_with(line, "menuentry ") ||
         starts_with(line, "linux /") || starts_with(line, "linux\t/") ||
         starts_with(line, "options root=");
}

bool is_shell_command(std::string_view line) {
  const auto commands = {"echo", "sudo",   "memonline", "chmem",     "lsmem",   "printf", "cat",
                         "for",  "export", "modprobe",  "systemctl", "udevadm", "grubby"};
  const std::string_view word = first_word(line);
  const std::string_view rest = without_blanks(line.substr(word.size()));
  return !rest.empty() && rest.front() != ':' && rest.front() != '=' &&
         std::find(commands.begin(), commands.end(), word) != commands.end();
}

bool is_lsmem(std::string_view line) {
  return (starts_with(line, "RANGE") && (contains(line, "SIZE") || starts_with(line, "RANGE="))) ||
         starts_with(line, "Memory block size:");
}

/// `key: value` of YAML: where the key is a word of the language or the value may be a share, the
/// line may be meant as a rule.
struct Mapping {
  bool maybe_rule;
};
std::optional<Mapping> mapping(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (is_word_byte(line[end]) || line[end] == '.' || line[end] == '/'))
    ++end;
  if (end == 0 || end == line.size() || line[end] != ':') return std::nullopt;
  if (end + 1 < line.size() && !is_blank(line[end + 1])) return std::nullopt;
  const std::string_view value = without_blanks(line.substr(end + 1));
  const std::string_view letters = line.substr(0, line.find_first_of("0123456789:"));
  const bool share = starts_number(value) || !meant_target_or_place(word_at(0, value)).empty();
  return Mapping{share || starts_statement(letters) || resembles_class(letters)};
}

/// `node1:` with its value in the lines below, which are members or items. Shares continued on a
/// further line are neither.
const Line* yaml_block(const std::vector<Line>& lines) {
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const Line& line = lines[i];
    const Line& next = lines[i + 1];
    const std::string_view key = without_blanks(line.text.substr(0, line.text.find(" #")));
    if (line.indented || key.empty() || key.back() != ':') continue;
    const bool head = is_one_of(first_word(key), {"limit", "set", "when", "if", "else", "else:"});
    if (head || key.find_first_of("{}\"") != std::string_view::npos) continue;
    const bool item = starts_with(next.text, "- ") || next.text == "-";
    if (item || (next.indented && mapping(next.text))) return &line;
  }
  return nullptr;
}

bool is_yaml(const std::vector<Line>& lines) {
  if (starts_with(lines.front().text, "%YAML") || lines.front().text == "---") return true;
  if (starts_with(lines.front().text, "- ")) return true;
  std::size_t mappings = 0;
  for (const Line& line : lines) {
    const bool item = starts_with(line.text, "- ") || line.text == "-";
    const auto pair = mapping(item ? without_blanks(line.text.substr(1)) : line.text);
    if (pair && pair->maybe_rule && !item && !line.indented) return false;
    if (pair) ++mappings;
    if (!pair && !item && !line.indented) return false;
  }
  return mappings >= 2;
}

/// The value of the first member or key `schema`: "memonline.plan/1".
std::string_view schema_of(std::string_view text) {
  const std::size_t at = text.find("schema");
  if (at == std::string_view::npos) return {};
  std::string_view rest = text.substr(at + 6);
  const std::size_t begin = rest.find_first_not_of("\": \t");
  if (begin == 0 || begin == std::string_view::npos) return {};
  rest = rest.substr(begin);
  return rest.substr(0, rest.find_first_of("\", \t\r\n}"));
}

std::optional<Document> own_document(std::string_view text) {
  const std::string_view schema = schema_of(text);
  if (!starts_with(schema, "memonline.")) return std::nullopt;
  if (starts_with(schema, "memonline.plan/")) return Document::Plan;
  if (starts_with(schema, "memonline.policy/")) return Document::PolicyPackage;
  if (starts_with(schema, "memonline.host/")) return Document::Host;
  return Document::OwnDocument;
}

/// `[1, 2]`, `[[1], {}]`; not `[0-3]: movable` or `[[rules]]`.
bool is_array(std::string_view text) {
  const std::size_t end = text.find_first_of("\"{", 1);
  const std::string_view values = text.substr(0, end);
  if (values.find_first_not_of("[]0123456789+-.,eE \t\r\n") != std::string_view::npos) return false;
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return end != std::string_view::npos || text[last] == ']';
}

std::optional<Document> json(std::string_view text) {
  const std::size_t next = text.find_first_not_of(" \t\r\n", 1);
  if (next == std::string_view::npos) return std::nullopt;
  const bool object = text.front() == '{' && (text[next] == '"' || text[next] == '}');
  if (!object && !(text.front() == '[' && is_array(text))) return std::nullopt;
  if (const auto own = own_document(text)) return own;
  return contains(text, "\"memory\"") && contains(text, "\"range\"") ? Document::Lsmem
                                                                     : Document::Json;
}

/// One line is enough to know these.
std::optional<Document> by_line(std::string_view line) {
  if (is_udev_rule(line)) return Document::UdevRule;
  if (is_unit_section(line)) return Document::SystemdUnit;
  if (is_iomem(line)) return Document::Iomem;
  if (is_boot_loader(line)) return Document::BootLoader;
  if (is_tmpfiles(line)) return Document::Tmpfiles;
  if (is_command_line(line)) return Document::CommandLine;
  return std::nullopt;
}

/// Sections and assignments, where nothing else is there. A rule in it makes it a policy.
std::optional<Document> settings(const std::vector<Line>& lines) {
  const bool sections = std::any_of(lines.begin(), lines.end(),
                                    [](const Line& line) { return is_section(line.text); });
  bool toml = false;
  for (const Line& line : lines) {
    toml = toml || is_table(line);
    const auto one = assignment(line.text);
    const auto pair = mapping(line.text);
    if (!one && (!sections || (pair && pair->maybe_rule))) return std::nullopt;
    if (!one) continue;
    if (!sections && maybe_statement(*one)) return std::nullopt;
    toml = toml || is_toml_value(one->value);
  }
  if (!sections && lines.size() < 2) return std::nullopt;
  if (toml) return Document::Toml;
  return sections ? Document::Ini : Document::Settings;
}

constexpr std::string_view kPolicyIs =
    "a policy has one rule per line, such as `hotplugged: movable`";

}  // namespace

Description description_of(Document document) {
  switch (document) {
    case Document::UdevRule: return {"a udev rule", "`memonline generate udev` writes udev rules"};
    case Document::SystemdUnit: return {"a systemd unit", ""};
    case Document::Ini: return {"an INI file", ""};
    case Document::Toml: return {"a TOML file", ""};
    case Document::Settings: return {"a file of NAME=VALUE settings", ""};
    case Document::Json: return {"a JSON file", ""};
    case Document::Plan: return {"a plan", "`memonline apply FILE` carries it out"};
    case Document::Host: return {"a captured host", "use it with `--root FILE`"};
    case Document::OwnDocument: return {"a document that memonline wrote", ""};
    case Document::PolicyPackage:
      return {"a YAML policy package",
              "save it in a file whose name ends in .yaml, and use `--policy FILE.yaml`"};
    case Document::Yaml:
      return {"a YAML file",
              "a policy package is YAML with `schema: memonline.policy/1`, in a file whose name "
              "ends in .yaml"};
    case Document::Xml: return {"an XML or HTML file", ""};
    case Document::Script: return {"a script", ""};
    case Document::ShellCommands: return {"a shell command", ""};
    case Document::CommandLine:
      return {"a kernel command line", "`memonline generate cmdline` writes kernel parameters"};
    case Document::BootLoader:
      return {"a boot loader's configuration", "`memonline boot apply` changes kernel parameters"};
    case Document::Tmpfiles:
      return {"a tmpfiles.d line", "`memonline generate tmpfiles` writes such lines"};
    case Document::Lsmem: return {"the output of lsmem", "`--root` plans for a captured host"};
    case Document::Iomem: return {"/proc/iomem", "`address 0x...-0x...` selects memory by address"};
  }
  return {"a file of another kind", ""};
}

std::optional<Foreign> recognize_foreign(std::string_view text) {
  const auto found = [](Document document, const Line& line) {
    return Foreign{document, line.begin, line.begin + line.text.size()};
  };
  if (starts_with(text, "#!")) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (contains(text.substr(0, end), "memonline")) return std::nullopt;
    return Foreign{Document::Script, 0, end};
  }
  const std::vector<Line> lines = first_lines(text);
  if (lines.empty()) return std::nullopt;
  const Line& first = lines.front();
  const std::string_view from = text.substr(first.begin);
  if (from.size() > 1 && from.front() == '<' &&
      (is_letter(from[1]) || from[1] == '?' || from[1] == '!'))
    return found(Document::Xml, first);
  if (const auto document = json(from)) return found(*document, first);
  // The schema of a document has priority over the form of its lines.
  for (const Line& line : lines)
    if (!line.indented && starts_with(line.text, "schema:"))
      if (const auto own = own_document(line.text)) return found(*own, line);
  for (const Line& line : lines)
    if (const auto document = by_line(line.text)) return found(*document, line);
  if (is_lsmem(first.text)) return found(Document::Lsmem, first);
  if (is_shell_command(first.text)) return found(Document::ShellCommands, first);
  if (const auto document = settings(lines)) {
    const auto table = std::find_if(lines.begin(), lines.end(), is_table);
    return found(*document, table == lines.end() ? first : *table);
  }
  if (is_yaml(lines)) return found(Document::Yaml, first);
  if (const Line* block = yaml_block(lines)) return found(Document::Yaml, *block);
  return std::nullopt;
}

bool report_foreign(std::string_view text, std::uint32_t file, diag::Sink& sink) {
  if (text.size() > kMaxFileSize) return false;  // reported already
  const auto foreign = recognize_foreign(text);
  if (!foreign) return false;
  const Description description = description_of(foreign->document);
  const source::SourceSpan span{file, static_cast<std::uint32_t>(foreign->begin),
                                static_cast<std::uint32_t>(foreign->end)};
  diag::Diagnostic& d = sink.add(diag::Code::ForeignDocument, span,
                                 fmt::format("this is {}, not a policy", description.what));
  d.help = description.remedy.empty() ? std::string(kPolicyIs)
                                      : fmt::format("{}; {}", description.remedy, kPolicyIs);
  return true;
}

}  // namespace memonline::syntax
