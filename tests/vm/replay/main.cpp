// SPDX-License-Identifier: LGPL-2.1-or-later
// model_replay HOST LOG: holds the kernel model against what a guest did. HOST is what was captured
// before the first operation (anything memonline plans for), LOG as replay.hpp says. Exit 0: no
// difference; 1: one, with the operations that lead to it; 2: HOST or LOG cannot be read.
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "runtime/host/read_host.hpp"
#include "tests/vm/replay/replay.hpp"

int main(int argc, char** argv) {
  using namespace memonline;
  if (argc != 3) {
    std::cerr << "usage: model_replay HOST LOG\n";
    return 2;
  }
  const auto host = runtime::read_host(argv[1]);
  const std::ifstream file(argv[2]);
  if (!host || !file) {
    std::cerr << (host ? std::string(argv[2]) + ": cannot be read" : host.error().message) << '\n';
    return 2;
  }
  std::ostringstream log;
  log << file.rdbuf();
  const std::vector<vm::Step> steps = vm::steps_of(log.str());
  const vm::Verdict verdict = vm::replay(*host, steps);
  if (verdict.differences.empty()) {
    std::cout << fmt::format("{} operations, no difference\n", verdict.operations);
    for (const auto& [answer, count] : verdict.answers)
      std::cout << fmt::format("  {} {}\n", count, answer);
    return steps.empty() ? 2 : 0;
  }
  const vm::Step& step = steps[verdict.step];
  std::cout << fmt::format("difference after operation {} (line {}): {}\n", verdict.step, step.line,
                           step.operation);
  for (const std::string& difference : verdict.differences) std::cout << "  " << difference << '\n';
  std::cout << "the operations that lead to it:\n";
  for (std::size_t i = 0; i <= verdict.step; ++i)
    std::cout << fmt::format("  {} = {}\n", steps[i].operation, steps[i].error);
  return 1;
}
