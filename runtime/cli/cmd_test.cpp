// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline test: the tests inside policy packages, a line each.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/diag/render.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/base/file.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/policy/package.hpp"
#include "runtime/policy/store.hpp"
#include "runtime/policy/test_package.hpp"

namespace memonline::cli {

namespace {

class Runner {
 public:
  explicit Runner(bool color) : color_(color) {}

  void add_path(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      run_package(path);
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) {
      worse(complain(ExitStatus::Usage,
                     fmt::format("cannot open `{}`: {}", path, std::strerror(errno))));
      return;
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get()))
      if (policy::is_policy_name(entry->d_name) && policy::is_package_name(entry->d_name))
        names.emplace_back(entry->d_name);
    std::sort(names.begin(), names.end());
    if (names.empty())
      worse(complain(ExitStatus::Usage, fmt::format("no package found in `{}`", path),
                     "packages are files whose names end in .yaml"));
    for (const std::string& name : names)
      run_package(fmt::format("{}{}{}", path, path.back() == '/' ? "" : "/", name));
  }

  ExitStatus finish() {
    out_ += fmt::format("{} package{}, {} test{}: {} passed, {} failed\n", packages_,
                        packages_ == 1 ? "" : "s", passed_ + failed_,
                        passed_ + failed_ == 1 ? "" : "s", passed_, failed_);
    return print(out_, status_);
  }

 private:
  void worse(ExitStatus status) { status_ = std::max(status_, status); }

  void run_package(const std::string& path) {
    auto text = runtime::read_regular_file(path);
    if (!text) {
      worse(complain(ExitStatus::Usage, text.error().message()));
      return;
    }
    ++packages_;
    const source::SourceSet outer{source::SourceFile(path, std::move(*text))};
    diag::Sink sink;
    const auto package = policy::read_package(outer, 0, sink);
    if (!package) {
      print_diagnostics(sink, outer);
      worse(ExitStatus::Usage);
      return;
    }
    diag::Sink policy_sink;
    const source::SourceSet inner{package->policy};
    if (!sema::analyse(inner, policy_sink)) {
      print_diagnostics(policy_sink, inner);
      worse(ExitStatus::Usage);
      return;
    }
    if (package->tests.empty()) out_ += fmt::format("none  {}: no tests\n", outer[0].label());
    const auto slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
    for (const policy::PackageTest& test : package->tests)
      run_one(*package, test, directory, outer[0].label());
  }

  void run_one(const policy::Package& package, const policy::PackageTest& test,
               const std::string& directory, const std::string& label) {
    const policy::TestResult result = policy::run_test(package, test, directory);
    if (result.passed()) {
      ++passed_;
      out_ += fmt::format("ok    {}: {}\n", label, printable(test.name));
      return;
    }
    ++failed_;
    worse(ExitStatus::Failure);
    out_ += fmt::format("FAIL  {}:{}: {}\n", label, test.line, printable(test.name));
    for (const std::string& line : result.mismatches)
      out_ += fmt::format("      {}\n", printable(line));
    print_diagnostics(result.diagnostics, {package.policy});
  }

  void print_diagnostics(const diag::Sink& sink, const source::SourceSet& files) const {
    print_error(diag::to_text(sink.sorted(), files, {color_}));
  }

  bool color_;
  std::string out_;
  std::size_t packages_ = 0;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  ExitStatus status_ = ExitStatus::Done;
};

CommandResult run(const Given& given, ColorChoice color) {
  Runner runner(color_errors(color));
  for (const std::string& path : given.operands()) runner.add_path(path);
  return runner.finish();
}

constexpr std::string_view kExamples = R"(Examples:
  memonline test policies
  memonline test 50-database.yaml

Exit status: 0 all passed; 1 a test failed; 2 a package is invalid or cannot be read.)";

}  // namespace

Command test_command() {
  return {.name = "test",
          .summary = "Run the tests inside policy packages",
          .operand = Operand{.name = "PATH",
                             .help = "packages (.yaml), or directories of them",
                             .required = true,
                             .repeats = true,
                             .offers = options::Offers::Files},
          .options = with_common({}),
          .run = &run,
          .examples = kExamples};
}

}  // namespace memonline::cli
