// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/cli/completion.hpp"
#include "runtime/cli/duration.hpp"
#include "runtime/cli/help.hpp"
#include "runtime/cli/usage.hpp"

#ifndef MEMONLINE_VERSION
#error "the build names the version"
#endif

namespace memonline::cli {

namespace {

/// What the options write into while CLI11 reads; becomes a CommandLine afterwards.
struct Draft {
  Where where;
  std::string root;
  std::string color = "auto";
  std::string format;
  std::string output;
  std::string what;
  std::vector<std::string> files;
  bool exit_code = false;
  bool check = false;
  bool write = false;
  bool list = false;
  bool dry_run = false;
  bool recover = false;
  bool strict = false;
  bool boot = false;
  bool json = false;
  bool direct = false;
  std::string add;
  std::string unplug;
  std::string hosts;
  std::string confirm;
  std::string wait;
  std::string deadline;
};

class Parser {
 public:
  /// Of a command that these words begin with only that one is made: a tenth of the work of all.
  Parser(int argc, const char* const* argv)
      : app_("Decides how the memory of a Linux host comes online.", "memonline"),
        words_(argv + 1, argv + argc) {
    app_.set_version_flag("--version", fmt::format("memonline {}", MEMONLINE_VERSION),
                          "print the version");
    app_.set_help_flag("-h,--help", "print this help");
    app_.require_subcommand(1);
    app_.footer(kMainFooter);
    add_root(app_)->group("");
    add_color(app_)->group("");

    add("plan", "print what would be done, in order and proved", [this](CLI::App& plan) {
      add_where(plan);
      add_format(plan, {"text", "json", "yaml", "shell", "svg"});
      plan.add_flag("--exit-code", draft_.exit_code,
                    "end with 3 if there are steps, 4 if only a reboot is pending");
      add_output(plan,
                 "write to FILE, whole or not at all; its suffix (.json .yaml .sh .svg) picks the "
                 "format");
      plan.add_option("--add", draft_.add,
                      "would it fit, and what becomes of it: SIZE[@nodeN][,dimm=SIZE]")
          ->type_name("MEMORY");
      plan.add_option("--unplug", draft_.unplug,
                      "what must go offline first: SIZE[@nodeN], dimmN or memoryA-B")
          ->type_name("WHAT");
      plan.add_option("--hosts", draft_.hosts,
                      "one summary of every captured host in DIR instead of one host's plan")
          ->type_name("DIR");
      add_direct(plan);
    });
    add("apply", "carry the plan out, or one that `plan -o` wrote", [this](CLI::App& apply) {
      add_where(apply);
      apply.add_option("PLAN", draft_.what,
                       "a plan in JSON; refused if the host has changed since");
      apply.add_flag("-n,--dry-run", draft_.dry_run, "say everything, write nothing");
      apply.add_option("--confirm", draft_.confirm, "undo it unless it is confirmed within TIME")
          ->type_name("TIME");
      apply.add_flag("--offline", draft_.where.offline,
                     "online blocks may go offline for their zone, as with `set rezone = allowed`");
      apply.add_flag("--recover", draft_.recover, "only put back what a killed run left");
      apply.add_flag("--strict", draft_.strict, "others that decide on memory are errors");
      apply.add_flag(
          "--boot", draft_.boot,
          "for memonline-apply.service: no policy is no error, and memonline.mode=off on "
          "the kernel command line ends it");
      add_run(apply);
    });
    add("undo", "take back what the last apply did, as far as possible", [this](CLI::App& undo) {
      add_root(undo);
      add_run(undo);
    });
    add("confirm", "what `apply --confirm` has done may stay", [this](CLI::App& confirm) {
      add_root(confirm);
      add_direct(confirm);
    });
    add("boot", "show, write or take out our kernel parameters for the next boot",
        [this](CLI::App& boot) {
          boot.add_option("ACTION", draft_.what, "show, apply or remove")
              ->required()
              ->check(one_of({"show", "apply", "remove"}));
          add_where(boot);
          boot.add_flag("-n,--dry-run", draft_.dry_run, "say everything, write nothing");
          add_format(boot, {"text", "json"});
        });
    add("check", "look for mistakes in policies, without a host", [this](CLI::App& check) {
      add_where(check);
      add_format(check, {"text", "json"});
    });
    add("status", "show the memory of a host and where it drifts from policy",
        [this](CLI::App& status) {
          add_where(status);
          add_format(status, {"text", "json", "yaml", "prometheus"});
          add_output(status, "write to FILE, whole or not at all");
          add_direct(status);
        });
    add("explain", "say why a block is as it is, or what a code means", [this](CLI::App& explain) {
      add_where(explain);
      add_format(explain, {"text", "json"});
      explain
          .add_option("WHAT", draft_.what, "memory42, a physical address 0x150000000, or ML0503")
          ->required();
      add_direct(explain);
    });
    add("capture", "write this host as one file, to plan for elsewhere", [this](CLI::App& capture) {
      add_root(capture);
      add_output(capture, "write to FILE, whole or not at all");
    });
    add("map", "draw the memory of a host to scale", [this](CLI::App& map) {
      add_root(map);
      add_format(map, {"text", "svg", "html"});
      add_output(map,
                 "write to FILE, whole or not at all; its suffix (.svg .html) picks the format");
      add_direct(map);
    });
    add("generate", "write a file that does without the service", [this](CLI::App& generate) {
      generate.add_option("TARGET", draft_.what, "udev, tmpfiles, cmdline or tuned")
          ->required()
          ->check(one_of({"udev", "tmpfiles", "cmdline", "tuned"}));
      add_where(generate);
      add_output(generate, "write to FILE, whole or not at all");
    });
    add("fmt", "print policies in canonical form", [this](CLI::App& format) {
      format.add_flag("--check", draft_.check, "only name the files that would change, end with 1");
      format.add_flag("-w,--write", draft_.write, "write the files back");
      format.add_option("FILE", draft_.files, "policy files or packages; - is standard input")
          ->required();
    });
    add("test", "run the tests inside policy packages", [this](CLI::App& test) {
      test.add_option("PATH", draft_.files, "packages (.yaml), or directories of them")->required();
    });
    add("completion", "print the completions of a shell", [this](CLI::App& completion) {
      completion.add_option("SHELL", draft_.what, "bash, zsh or fish")
          ->required()
          ->check(one_of({"bash", "zsh", "fish"}));
    });
    add("cat-policy", "show the policies in force, one text with file headers",
        [this](CLI::App& cat) {
          add_root(cat);
          cat.add_flag("--list", draft_.list,
                       "a table of the files: used, masked, replaced by which");
        });
    make_commands();
  }

  std::variant<CommandLine, Ending> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return Ending{ExitStatus::Done, help_of(app_, chosen())};
    } catch (const CLI::CallForVersion& version) {
      return Ending{ExitStatus::Done, std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
      const CLI::App& app = chosen();
      if (&app == &app_ && argc > 1 && argv[1][0] != '-') return unknown_command(app_, argv[1]);
      return Ending{ExitStatus::Usage,
                    fmt::format("memonline: {}\nTry `{} --help`.\n", error.what(),
                                &app == &app_ ? "memonline" : "memonline " + app.get_name())};
    }
    return finished();
  }

 private:
  struct Command {
    std::string_view name;
    const char* summary;
    std::function<void(CLI::App&)> add_options;
  };

  void add(std::string_view name, const char* summary, std::function<void(CLI::App&)> add_options) {
    commands_.push_back({name, summary, std::move(add_options)});
  }

  void make_commands() {
    const std::string_view first = words_.empty() ? std::string_view() : words_.front();
    const bool one = first != "completion" &&
                     std::any_of(commands_.begin(), commands_.end(),
                                 [first](const Command& command) { return command.name == first; });
    for (const Command& command : commands_)
      if (!one || command.name == first) make(command);
  }

  // Only what is named somewhere needs its options; for completions, everything.
  void make(const Command& command) {
    CLI::App& app = *app_.add_subcommand(std::string(command.name), command.summary);
    if (command.name == "completion") app.group("");  // for packages, not for people
    if (!is_named(command.name) && !is_named("completion")) return;
    app.footer(std::string(footer_of(command.name)));
    app.set_help_flag("-h,--help", "print this help");
    add_color(app);
    command.add_options(app);
  }
  [[nodiscard]] bool is_named(std::string_view name) const {
    return std::find(words_.begin(), words_.end(), name) != words_.end();
  }

  CLI::Option* add_root(CLI::App& app) {
    return app
        .add_option("--root,--sysroot", draft_.root,
                    "the host: a directory, a tar of one, a snapshot of `capture`, or lsmem's JSON")
        ->type_name("DIR");
  }
  CLI::Option* add_color(CLI::App& app) {
    return app.add_option("--color", draft_.color, "auto, always or never")
        ->type_name("WHEN")
        ->check(one_of({"auto", "always", "never"}));
  }
  void add_where(CLI::App& app) {
    add_root(app);
    app.add_option("--policy", draft_.where.policies,
                   "read this policy or package instead of the search path; repeatable, - is "
                   "standard input")
        ->type_name("FILE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("-e,--expression", draft_.where.expressions,
                   "take TEXT as a policy, after those of --policy; repeatable")
        ->type_name("TEXT")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void add_run(CLI::App& app) {
    app.add_option("--deadline", draft_.deadline, "for taking one block offline; 30s")
        ->type_name("TIME");
    app.add_option("--wait", draft_.wait,
                   "for another run to end; without TIME as long as it takes")
        ->type_name("TIME")
        ->expected(0, 1);
    add_format(app, {"text", "json"});
    app.add_flag("--json", draft_.json, "the same as --format json");
    add_direct(app);
  }
  void add_direct(CLI::App& app) {
    app.add_flag("--direct", draft_.direct, "go without memonlined, also where it runs");
  }
  void add_format(CLI::App& app, const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
    app.add_option("--format", draft_.format, list)->type_name("FORMAT")->check(one_of(words));
  }
  void add_output(CLI::App& app, const std::string& description) {
    app.add_option("-o,--output", draft_.output, description)->type_name("FILE");
  }

  CLI::App& chosen() {
    const auto used = app_.get_subcommands();
    return used.empty() ? app_ : *used.front();
  }

  [[nodiscard]] std::optional<Format> format() const {
    if (draft_.format.empty()) return std::nullopt;
    if (draft_.format == "json") return Format::Json;
    if (draft_.format == "yaml") return Format::Yaml;
    if (draft_.format == "svg") return Format::Svg;
    if (draft_.format == "html") return Format::Html;
    if (draft_.format == "prometheus") return Format::Prometheus;
    return draft_.format == "shell" ? Format::Shell : Format::Text;
  }

  std::variant<CommandLine, Ending> finished() {
    if (chosen().get_name() == "completion")
      return Ending{ExitStatus::Done, completion_for(draft_.what, app_)};
    Where& where = draft_.where;
    where.root = draft_.root;
    if (const char* root = std::getenv("MEMONLINE_ROOT"); where.root.empty() && root != nullptr)
      where.root = root;
    if (where.root.empty()) where.root = "/";
    CommandLine line;
    if (draft_.color == "always") line.color = ColorChoice::Always;
    if (draft_.color == "never") line.color = ColorChoice::Never;
    const Format format = this->format().value_or(Format::Text);
    const std::string name = chosen().get_name();
    const bool looks = name == "plan" || name == "status" || name == "explain" || name == "map";
    where.by_service = looks && !draft_.direct;
    if (name == "check") line.command = CheckOptions{where, format};
    if (name == "plan") return planning(line.color);
    if (name == "apply" || name == "undo" || name == "confirm") return changing(name, line.color);
    if (name == "status") line.command = StatusOptions{where, format, draft_.output};
    if (name == "explain") line.command = ExplainOptions{where, format, draft_.what};
    if (name == "capture") line.command = CaptureOptions{where, draft_.output};
    if (name == "map") line.command = MapOptions{where, this->format(), draft_.output};
    if (name == "generate") {
      using render::TargetFile;
      const TargetFile target = draft_.what == "udev"       ? TargetFile::Udev
                                : draft_.what == "tmpfiles" ? TargetFile::Tmpfiles
                                : draft_.what == "cmdline"  ? TargetFile::Cmdline
                                                            : TargetFile::Tuned;
      line.command = GenerateOptions{where, target, draft_.output};
    }
    if (name == "boot") {
      using Action = BootOptions::Action;
      const Action action = draft_.what == "apply"    ? Action::Apply
                            : draft_.what == "remove" ? Action::Remove
                                                      : Action::Show;
      line.command = BootOptions{where, action, draft_.dry_run, format};
    }
    if (name == "fmt") {
      if (draft_.check && draft_.write)
        return Ending{ExitStatus::Usage,
                      "memonline: --check only looks and --write writes: give one of them\n"
                      "Try `memonline fmt --help`.\n"};
      line.command = FmtOptions{draft_.check, draft_.write, draft_.files};
    }
    if (name == "test") line.command = TestOptions{draft_.files};
    if (name == "cat-policy") line.command = CatPolicyOptions{where, draft_.list};
    return line;
  }

  std::variant<CommandLine, Ending> planning(ColorChoice color) {
    const auto wrong = [](std::string_view option, std::string_view what) {
      return Ending{ExitStatus::Usage,
                    fmt::format("memonline: {}: {}\nTry `memonline plan --help`.\n", option, what)};
    };
    PlanOptions options{draft_.where, format(), draft_.exit_code, draft_.output,
                        {},           {},       draft_.hosts};
    const bool other_format =
        !draft_.format.empty() && options.format != Format::Text && options.format != Format::Json;
    if (!options.hosts.empty() && other_format)
      return wrong("--hosts", "a summary of hosts is --format text or json");
    const bool of_one = !draft_.root.empty() || !draft_.add.empty() || !draft_.unplug.empty();
    if (!options.hosts.empty() && of_one)
      return wrong("--hosts", "goes without --root, --add and --unplug, which mean one host");
    if (chosen().get_option("--unplug")->count() > 0) {
      auto request = plan::parse_unplug(draft_.unplug);
      if (!request) return wrong("--unplug", request.error());
      options.unplug = *request;
    }
    if (chosen().get_option("--add")->count() > 0) {
      auto request = forecast::parse_add(draft_.add);
      if (!request) return wrong("--add", request.error());
      if (options.unplug) return wrong("--add", "memory to come and memory to go are two plans");
      if (options.format == Format::Shell || options.format == Format::Svg)
        return wrong("--add",
                     "a forecast is no script and no picture; --format text, json or yaml");
      options.add = *request;
    }
    CommandLine line;
    line.color = color;
    line.command = std::move(options);
    return line;
  }

  /// A time after an option; `otherwise` where the option is not there.
  static std::optional<std::chrono::milliseconds> time_of(const std::string& text,
                                                          std::chrono::milliseconds otherwise) {
    return text.empty() ? otherwise : duration_of(text);
  }

  std::variant<CommandLine, Ending> changing(const std::string& name, ColorChoice color) {
    using std::chrono::milliseconds;
    const auto wrong = [&](std::string_view option, const std::string& text) {
      return Ending{ExitStatus::Usage,
                    fmt::format("memonline: {}: `{}` is no time, as 90s, 2min or 1h\n"
                                "Try `memonline {} --help`.\n",
                                option, text, name)};
    };
    RunOptions run;
    const CLI::App& app = chosen();
    if (name != "confirm") {
      const auto deadline = time_of(draft_.deadline, run.deadline);
      if (!deadline || *deadline <= milliseconds(0)) return wrong("--deadline", draft_.deadline);
      run.deadline = *deadline;
      const bool waits = app.get_option("--wait")->count() > 0;
      const auto wait = time_of(draft_.wait, waits ? std::chrono::hours(24) : milliseconds(0));
      if (!wait) return wrong("--wait", draft_.wait);
      run.wait = *wait;
      if (draft_.json || draft_.format == "json") run.format = Format::Json;
    }
    CommandLine line;
    line.color = color;
    run.direct = draft_.direct;
    if (name == "confirm") line.command = ConfirmOptions{draft_.where.root, draft_.direct};
    if (name == "undo") line.command = UndoOptions{draft_.where.root, run};
    if (name != "apply") return line;
    ApplyOptions options{draft_.where,   run,           draft_.what, draft_.dry_run,
                         draft_.recover, draft_.strict, draft_.boot, std::nullopt};
    if (!draft_.confirm.empty()) {
      options.confirm = duration_of(draft_.confirm);
      if (!options.confirm || *options.confirm <= milliseconds(0))
        return wrong("--confirm", draft_.confirm);
    }
    const bool policies = !draft_.where.policies.empty() || !draft_.where.expressions.empty();
    if (!options.plan_file.empty() && (policies || options.where.offline))
      return Ending{ExitStatus::Usage,
                    "memonline: a plan was made from its policies already: PLAN goes without "
                    "--policy, -e and --offline\nTry `memonline apply --help`.\n"};
    line.command = std::move(options);
    return line;
  }

  Draft draft_;
  CLI::App app_;
  std::vector<std::string_view> words_;
  std::vector<Command> commands_;
};

}  // namespace

std::variant<CommandLine, Ending> parse_command_line(int argc, const char* const* argv) {
  return Parser(argc, argv).parse(argc, argv);
}

}  // namespace memonline::cli
