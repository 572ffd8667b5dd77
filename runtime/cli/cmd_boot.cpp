// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline boot: the words of the policy on the kernel command line of the next boot.
#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/render/json_writer.hpp"
#include "runtime/boot/change.hpp"
#include "runtime/boot/lock.hpp"
#include "runtime/cli/boot_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

using boot::Words;
using render::JsonWriter;
using render::Layout;

std::string to_text(const boot::Survey& survey, bool policy) {
  std::string text =
      fmt::format("Boot loader  {}\nOurs         {}\nOf others    {}\nWished       {}\n",
                  name_of(survey), or_none(survey.view.own), or_none(survey.foreign),
                  policy ? or_none(survey.wished) : "there is no policy");
  if (!survey.pending) return text + "Nothing to do.\n";
  text += survey.back_end ? "To do:\n" : "To do by hand: no boot loader that memonline knows.\n";
  if (survey.told && survey.leftovers.empty()) text += "  write what is foretold\n";
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

std::string to_json(const boot::Survey& survey) {
  JsonWriter json;
  json.begin_object().member("schema", "memonline.boot/1");
  json.member("back_end", name_of(survey));
  write_words(json, "own", survey.view.own);
  write_words(json, "foreign", survey.foreign);
  write_words(json, "wished", survey.wished);
  write_words(json, "words", survey.words);
  json.member("pending", survey.pending);
  json.key("files").begin_array();
  for (const boot::Survey& leftover : survey.leftovers) write_files(json, leftover);
  write_files(json, survey);
  json.end_array().key("commands").begin_array();
  for (const boot::Survey& leftover : survey.leftovers) write_commands(json, leftover);
  write_commands(json, survey);
  json.end_array().end_object();
  return std::move(json).finish();
}

class Boot {
 public:
  Boot(const BootOptions& options, ColorChoice color) : options_(options), color_(color) {}

  ExitStatus run() {
    struct stat status {};
    if (::stat(options_.where.root.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return complain(ExitStatus::Failure,
                      fmt::format("`{}` is no directory, and boot loaders are in directories",
                                  options_.where.root));
    if (!wish()) return give_up(status_);
    if (options_.action == BootOptions::Action::Show || options_.dry_run) return look();
    const BootWritten written = write_boot(options_.where.root, wished_, arch_, false, sink_);
    if (!written.done) return give_up(ExitStatus::Failure);
    return finish(written.changed ? written.text : "Nothing to do.\n");
  }

 private:
  /// What the policy needs; nothing for `remove`, what is there for `show` without a policy.
  bool wish() {
    if (options_.action == BootOptions::Action::Remove) return true;
    if (options_.action == BootOptions::Action::Show) {
      Policies policies = load_policies(options_.where);
      if (policies.none()) {
        policy_ = false;
        wished_.parameters = boot::own_parameters(options_.where.root);
        return true;
      }
    }
    Compiled compiled = compile_for(options_.where);
    shown_ = std::move(compiled.policies.shown);
    sink_.append(compiled.sink);
    status_ = compiled.status;
    if (!compiled.plan) return false;
    wished_ = compiled.plan->boot;
    arch_ = compiled.host->arch;
    return true;
  }

  ExitStatus look() {
    const boot::Root root(options_.where.root);
    const boot::Runner run = boot::runner_below(root.path());
    auto survey = boot::survey(root, run, wish_of(wished_), arch_, sink_);
    return survey ? show(*survey) : give_up(ExitStatus::Failure);
  }

  ExitStatus show(const boot::Survey& survey) {
    if (options_.format == Format::Json) return print(to_json(survey));
    return finish(to_text(survey, policy_));
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
  plan::Boot wished_;
  std::string arch_;
  bool policy_ = true;
  ExitStatus status_ = ExitStatus::Failure;
};

}  // namespace

ExitStatus run(const BootOptions& options, ColorChoice color) { return Boot(options, color).run(); }

}  // namespace memonline::cli
