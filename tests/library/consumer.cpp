// SPDX-License-Identifier: LGPL-2.1-or-later
// A program that uses the installed library: consumer POLICY HOST prints the plan.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <memonline/memonline.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream file(argv[2]);
  const std::string host{std::istreambuf_iterator<char>(file), {}};
  if (memonline::lib::check("<-e>", "hotplugged: movabel").done) return 3;
  if (memonline::lib::format("<-e>", "hotplugged :movable").document != "hotplugged: movable\n")
    return 4;
  const memonline::lib::Answer wrong = memonline::lib::plan("<-e>", argv[1], "no host");
  if (wrong.done || wrong.diagnostics.find("ML0620") == std::string::npos) return 5;
  const memonline::lib::Answer plan = memonline::lib::plan("<-e>", argv[1], host);
  std::cout << plan.document;
  return plan.done ? 0 : 1;
}
