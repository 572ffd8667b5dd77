// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline boot: the policy's kernel parameters for the next boot.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/text/json_writer.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/boot/change.hpp"
#include "runtime/boot/lock.hpp"
#include "runtime/boot/not_ours.hpp"
#include "runtime/cli/boot_text.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/diagnostics_member.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/running.hpp"

namespace memonline::cli {

namespace {

/// `memonline boot`: parameters for the next boot.
struct BootOptions {
  enum class Action : std::uint8_t { Show, Apply, Remove };
  Where where;
  Action action = Action::Show;
  bool dry_run = false;
  Format format = Format::Text;  ///< Text or Json
};

using boot::Words;
using text::JsonWriter;
using text::Layout;

std::string files_text(const Words& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : ", ") + printable(file);
  return text;
}

std::string_view when(const boot::NotOurs& one) {
  if (one.running && one.next) return "in effect, and at the next boot";
  return one.next ? "from the next boot on" : "in effect until the next boot";
}

/// Where the parameters are set, what they do, and what follows for the policy; empty without any.
std::string not_ours_text(const boot::Survey& survey, const std::vector<boot::NotOurs>& words) {
  if (words.empty()) return {};
  std::string text = "Set by others; memonline does not change them:\n";
  for (const boot::NotOurs& one : words) {
    text += fmt::format("  {}\n    {}\n    {}{}\n", printable(one.word), boot::effect_of(one.word),
                        when(one), one.files.empty() ? "" : "; set in " + files_text(one.files));
    for (const std::string& wished : survey.wished)
      if (boot::key_of(wished) == boot::key_of(one.word) && wished != one.word)
        text += fmt::format("    the policy needs {}, which is not written while this is set\n",
                            printable(wished));
  }
  return text + "To remove one of them, delete it where it is set.\n";
}

std::string to_text(const boot::Survey& survey, bool policy,
                    const std::vector<boot::NotOurs>& others) {
  std::string text =
      fmt::format("Boot loader  {}\nOwn          {}\nForeign      {}\nDesired      {}\n",
                  name_of(survey), or_none(survey.view.own), or_none(survey.foreign),
                  policy ? or_none(survey.wished) : "no policy");
  const std::string explained = not_ours_text(survey, others);
  if (!survey.pending) return text + (explained.empty() ? "Nothing to do.\n" : explained);
  text += explained;
  text +=
      survey.back_end ? "To do:\n" : "To do by hand, because no supported boot loader was found:\n";
  if (survey.told && survey.leftovers.empty()) text += "  save the predicted zones\n";
  return text + steps_text(survey);
}

void write_words(JsonWriter& json, std::string_view key, const Words& words) {
  json.key(key).begin_array(Layout::Line);
  for (const std::string& word : words) json.value(word);
  json.end_array();
}

void write_files(JsonWriter& json, const boot::Survey& survey) {
  for (const boot::Edit& edit : survey.change.edits) {
    json.begin_object(Layout::Line).member("path", edit.path).key("text");
    if (edit.after)
      json.value(*edit.after);
    else
      json.null();
    json.end_object();
  }
}

void write_commands(JsonWriter& json, const boot::Survey& survey) {
  for (const boot::Command& command : survey.change.commands) {
    json.begin_array(Layout::Line);
    for (const std::string& word : command.argv) json.value(word);
    json.end_array();
  }
}

void write_not_ours(JsonWriter& json, const std::vector<boot::NotOurs>& words) {
  json.key("not_ours").begin_array();
  for (const boot::NotOurs& one : words) {
    json.begin_object(Layout::Line).member("word", one.word);
    json.member("running", one.running).member("next", one.next);
    write_words(json, "files", one.files);
    json.member("effect", boot::effect_of(one.word)).end_object();
  }
  json.end_array();
}

std::string to_json(const boot::Survey& survey, const std::vector<boot::NotOurs>& others,
                    bool changed, const diag::Sink& sink, const source::SourceSet& shown) {
  JsonWriter json;
  json.begin_object().member("schema", "memonline.boot/1");
  json.member("back_end", name_of(survey));
  write_words(json, "own", survey.view.own);
  write_words(json, "foreign", survey.foreign);
  write_not_ours(json, others);
  write_words(json, "wished", survey.wished);
  write_words(json, "words", survey.words);
  json.member("pending", survey.pending).member("changed", changed);
  json.key("files").begin_array();
  for (const boot::Survey& leftover : survey.leftovers) write_files(json, leftover);
  write_files(json, survey);
  json.end_array().key("commands").begin_array();
  for (const boot::Survey& leftover : survey.leftovers) write_commands(json, leftover);
  write_commands(json, survey);
  json.end_array();
  write_diagnostics(json, sink, shown);
  json.end_object();
  return std::move(json).finish();
}

class Boot {
 public:
  Boot(const BootOptions& options, ColorChoice color) : options_(options), color_(color) {}

  ExitStatus run() {
    struct stat status {};
    if (::stat(options_.where.root.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return complain_as(
          options_.format, ExitStatus::Failure,
          fmt::format("--root must be a directory here: `{}` is not one", options_.where.root));
    if (changes() && lacks_root(name(), options_.where.root, sink_))
      return give_up(ExitStatus::Failure);
    if (!determine_parameters()) return give_up(status_);
    if (!changes()) return show_survey();
    const BootWritten written = write_boot(options_.where.root, desired_, arch_, false, sink_);
    if (!written.done) return give_up(ExitStatus::Failure);
    if (options_.format == Format::Json) return print_current(written.changed);
    return finish(written.changed ? written.text : unchanged());
  }

 private:
  [[nodiscard]] bool changes() const {
    return options_.action != BootOptions::Action::Show && !options_.dry_run;
  }
  [[nodiscard]] std::string_view name() const {
    return options_.action == BootOptions::Action::Apply ? "boot apply" : "boot remove";
  }
  /// Parameters set by others explain why a host is still not as the policy says.
  std::string unchanged() {
    std::string explained;
    if (options_.action == BootOptions::Action::Apply) {
      const boot::Root root(options_.where.root);
      const boot::Runner run = boot::runner_below(root.path());
      diag::Sink reported_already;
      if (const auto survey = boot::survey(root, run, wish_of(desired_), arch_, reported_already))
        explained = not_ours_text(*survey, boot::not_ours(root, *survey));
    }
    return explained.empty() ? "Nothing to do.\n" : "Nothing was changed.\n" + explained;
  }

  /// The document of `apply` and `remove`: what `show` would print next, and whether it changed.
  ExitStatus print_current(bool changed) {
    const boot::Root root(options_.where.root);
    const boot::Runner run = boot::runner_below(root.path());
    diag::Sink reported_already;
    const auto survey = boot::survey(root, run, wish_of(desired_), arch_, reported_already);
    if (!survey) {
      sink_.append(reported_already);
      return give_up(ExitStatus::Failure);
    }
    return print(to_json(*survey, boot::not_ours(root, *survey), changed, sink_, shown_));
  }

  /// What the policy needs; nothing for `remove`, the current ones for `show` without a policy.
  bool determine_parameters() {
    if (options_.action == BootOptions::Action::Remove) return true;
    if (options_.action == BootOptions::Action::Show) {
      Policies policies = load_policies(options_.where);
      if (policies.none()) {
        policy_ = false;
        desired_.parameters = boot::own_parameters(options_.where.root);
        return true;
      }
    }
    Compiled compiled = compile_for(options_.where);
    shown_ = std::move(compiled.policies.shown);
    sink_.append(compiled.sink);
    status_ = compiled.status;
    if (!compiled.plan) return false;
    desired_ = compiled.plan->boot;
    arch_ = compiled.host->arch;
    return true;
  }

  ExitStatus show_survey() {
    const boot::Root root(options_.where.root);
    const boot::Runner run = boot::runner_below(root.path());
    const auto survey = boot::survey(root, run, wish_of(desired_), arch_, sink_);
    return survey ? show(*survey, boot::not_ours(root, *survey)) : give_up(ExitStatus::Failure);
  }

  ExitStatus show(const boot::Survey& survey, const std::vector<boot::NotOurs>& others) {
    if (options_.format == Format::Json)
      return print(to_json(survey, others, false, sink_, shown_));
    return finish(to_text(survey, policy_, others));
  }

  ExitStatus finish(const std::string& text) {
    report(sink_, shown_, Format::Text, color_, ExitStatus::Done);
    return print(text);
  }

  ExitStatus give_up(ExitStatus status) {
    return report(sink_, shown_, options_.format, color_, status);
  }

  const BootOptions& options_;
  ColorChoice color_;
  diag::Sink sink_;
  source::SourceSet shown_;
  plan::Boot desired_;
  std::string arch_;
  bool policy_ = true;
  ExitStatus status_ = ExitStatus::Failure;
};

ExitStatus run(const BootOptions& options, ColorChoice color) { return Boot(options, color).run(); }

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  const auto form = form_of(given, {Format::Text, Format::Json});
  if (!form) return fail(form.error());
  using Action = BootOptions::Action;
  const std::string action = given.operand();
  return run({*where,
              action == "apply"    ? Action::Apply
              : action == "remove" ? Action::Remove
                                   : Action::Show,
              given.has("dry-run"), form->output},
             color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline boot show                         the boot loader, and the parameters that it passes
  memonline boot apply --dry-run              which files would be written, which tools run
  memonline boot apply                        write the parameters that the active policies need
  memonline boot remove                       remove all of memonline's parameters
  memonline boot show --root /mnt --format json

memonline changes and removes only its own parameters; `show` lists those that were set by others.
Files are written atomically, read back, and restored if a tool fails.

Exit status: 0 done or nothing to do; 1 failure; 2 invalid usage or policy.)";

}  // namespace

Command boot_command() {
  std::vector<Option> options;
  add_where(options);
  options.push_back(dry_run_option());
  add_formats(options, {Format::Text, Format::Json});
  return {.name = "boot",
          .summary = "Show, write or remove memonline's kernel parameters for the next boot",
          .operand = Operand{.name = "ACTION",
                             .help = "show, apply or remove",
                             .words = {"show", "apply", "remove"},
                             .required = true},
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
