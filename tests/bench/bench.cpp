// SPDX-License-Identifier: LGPL-2.1-or-later
// ./dev bench: one table. Each row holds two things measured in turn in this run, the best time of
// several tries each, and what their ratio has to be; programs are timed from spawn to exit. Fails
// if a row misses its goal.
//
// Usage: memonline_bench MEMONLINE DIRECTORY [--quick]     (trees are made in DIRECTORY once)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>

#include "compiler/compile.hpp"
#include "tests/bench/tree.hpp"

extern char** environ;

namespace memonline::bench {
namespace {

using Seconds = std::chrono::duration<double>;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

/// Runs a program with its output thrown away; a program that fails would time nothing.
void run_program(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    give_up(fmt::format("`{}` failed", fmt::join(words, " ")));
  }
}

struct Pair {
  double ours = 1e9;
  double other = 1e9;
};

/// The best of `tries` of each, in turn, so that both see the same machine.
Pair best_of(int tries, const std::function<void()>& ours, const std::function<void()>& other) {
  Pair best;
  const auto time = [](const std::function<void()>& what, double& seconds) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    seconds = std::min(seconds, Seconds(std::chrono::steady_clock::now() - begin).count());
  };
  for (int i = 0; i < tries; ++i) {
    time(ours, best.ours);
    time(other, best.other);
  }
  return best;
}

void compile_for(const model::Host& host) {
  const source::SourceSet files{source::SourceFile(
      "bench.mempolicy",
      "limit movable to 16x normal\n"
      "boot: keep\n"
      "when arch is s390x { all: keep } else { node1-6: last 80% movable, rest normal }\n"
      "hotplugged: movable\n")};
  const Compilation result = compile(files, host);
  if (!result.plan || result.plan->steps.empty()) give_up("the planner has no plan for the host");
}

class Table {
 public:
  void head() const {
    fmt::print("{:<46} {:>10} {:<30} {:>10} {:>8}  {}\n", "measured", "time", "against", "time",
               "ratio", "goal");
  }
  /// `ratio` is what the goal is about.
  void row(const std::string& what, const std::string& against, const Pair& pair, double ratio,
           const std::string& goal, bool met) {
    fmt::print("{:<46} {:>10} {:<30} {:>10} {:>7.2f}x  {}{}\n", what, time_text(pair.ours), against,
               time_text(pair.other), ratio, goal, met ? "" : "  MISSED");
    missed_ = missed_ || !met;
  }
  [[nodiscard]] bool missed() const { return missed_; }

 private:
  static std::string time_text(double seconds) {
    if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
    if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
    return fmt::format("{:.2f} s", seconds);
  }
  bool missed_ = false;
};

/// A thousand captured hosts, as links to those of the tests.
std::filesystem::path fleet_in(const std::filesystem::path& where, std::filesystem::path& one) {
  std::vector<std::filesystem::path> captured;
  for (const auto& entry : std::filesystem::directory_iterator(MEMONLINE_HOSTS))
    if (entry.path().extension() == ".xz") captured.push_back(entry.path());
  std::sort(captured.begin(), captured.end());
  if (captured.empty()) give_up("there is no captured host in " MEMONLINE_HOSTS);
  std::filesystem::path fleet = where / "fleet-1000";
  std::filesystem::remove_all(fleet);
  std::filesystem::create_directories(fleet);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::filesystem::path& host = captured[i % captured.size()];
    std::filesystem::create_symlink(host, fleet / fmt::format("{:04}.tar.xz", i));
  }
  one = captured.front();
  return fleet;
}

int main_of(const std::string& memonline, const std::filesystem::path& where, bool quick) {
  const int tries = quick ? 2 : 15;
  const std::filesystem::path large = where / "tree-32768";
  const std::filesystem::path small = where / "tree-256";
  write_tree(large, 32768);
  write_tree(small, 256);
  const std::vector<std::string> policy{"-e", "hotplugged: last 80% movable, rest normal"};

  Table table;
  table.head();

  const auto lsmem = [](const std::filesystem::path& tree) {
    return [tree] { run_program({"lsmem", "--sysroot", tree.string()}); };
  };
  const auto status = [&] {  // with a policy that nothing drifts from: drift is an exit status
    run_program({memonline, "status", "--root", large.string(), "-e", "all: keep"});
  };
  Pair pair = best_of(tries, status, lsmem(large));
  table.row("memonline status, 32,768 blocks", "lsmem", pair, pair.other / pair.ours,
            "at least 5x faster", pair.other / pair.ours >= 5);

  pair = best_of(
      4 * tries,
      [&] {
        run_program({memonline, "plan", "--root", small.string(), policy[0], policy[1]});
      },
      lsmem(small));
  table.row("memonline plan, 256 blocks", "lsmem", pair, pair.other / pair.ours, "no slower",
            pair.other >= pair.ours);

  std::filesystem::path one;
  const std::filesystem::path fleet = fleet_in(where, one);
  const auto plan = [&](const char* option, const std::filesystem::path& hosts) {
    run_program({memonline, "plan", option, hosts.string(), policy[0], policy[1]});
  };
  pair = best_of(
      quick ? 1 : 3, [&] { plan("--hosts", fleet); }, [&] { plan("--root", one); });
  table.row("memonline plan --hosts, 1000 captured hosts", "one of them", pair,
            pair.ours / pair.other, "under 10 s", pair.ours < 10);

  const model::Host huge = eight_runs(65536);
  const model::Host tiny = eight_runs(64);
  pair = best_of(
      20 * tries, [&] { compile_for(huge); }, [&] { compile_for(tiny); });
  table.row("compile and plan, 524,288 blocks in 8 runs", "512 blocks in 8 runs", pair,
            pair.ours / pair.other, "under 1 ms, the same for any length",
            pair.ours < 1e-3 && pair.ours / pair.other < 1.25);
  return table.missed() ? 1 : 0;
}

}  // namespace
}  // namespace memonline::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: memonline_bench MEMONLINE DIRECTORY [--quick]\n");
    return 2;
  }
  return memonline::bench::main_of(argv[1], argv[2], argc > 3);
}
