// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays what a real kernel was told, and answered, to the kernel model, and compares after each
// operation: the errno, every block's state and valid_zones, the span and the present pages of
// every zone of every node, the knobs. The log is what tests/vm/model_test.py writes: "> OPERATION"
// followed by an answer of tests/vm/guest/blockops.cpp. Operations of the host's side:
//   add FIRST COUNT NODE   a DIMM was plugged
//   dlpar FIRST COUNT NODE a hypervisor assigned logical memory blocks (ppc64)
//   remove FIRST COUNT     one was asked for, and given back unless the answer is an error
//   grow                   a virtio-mem device was told to plug more
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/kernel/model.hpp"

namespace memonline::vm {

/// One operation and all that the kernel said changed by it.
struct Step {
  std::size_t line = 0;  ///< of the log, where it begins
  std::string operation;
  std::string error = "0";
  std::vector<std::string> facts;  ///< "b 35 1 online Movable"
};

/// The log as steps; an incomplete answer at its end is left out.
std::vector<Step> steps_of(const std::string& log);

/// What the kernel showed last: "b 35" -> "1 online Movable".
using Facts = std::map<std::string, std::string>;
/// Takes in a line of an answer.
void learn(Facts& facts, const std::string& line);
/// The words of a line.
std::vector<std::string> words_of(const std::string& text);
/// Offlining depends on whether pages can be moved away, which is not compared.
bool could_not_migrate(const std::string& error);

/// What was compared, and the first operation after which kernel and model differ.
struct Verdict {
  std::size_t operations = 0;
  std::map<std::string, std::size_t> answers;  ///< "offline EBUSY" -> how often
  std::size_t step = 0;                        ///< meaningful if `differences` is not empty
  std::vector<std::string> differences;        ///< "block 35: the kernel says ..., the model ..."
};

/// `host` is what was captured before the first step, which shows everything.
Verdict replay(const model::Host& host, const std::vector<Step>& steps);

}  // namespace memonline::vm
