// SPDX-License-Identifier: LGPL-2.1-or-later
// model_vs_kernel OBJECT [--operations N] [--seconds N] [--seed N]: compares the kernel model with
// a kernel's own code (OBJECT, which `run` builds). Exit 0: no difference; 1: one, with the
// shortest sequence found that leads to it; 2: bad usage.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include <dlfcn.h>
#include <fmt/format.h>

#include "tests/kernel_source/boot_layouts.hpp"
#include "tests/kernel_source/machine.hpp"
#include "tests/kernel_source/shorten.hpp"

namespace {

using namespace memonline::kernel_source;

struct Options {
  std::string object;
  std::uint64_t operations = 1'000'000;
  std::uint64_t seconds = 0;  // 0: until `operations` are done
  std::uint64_t seed = 1;
};

constexpr std::uint64_t kPerBoot = 300;
constexpr std::uint64_t kCompareAllEvery = 50;

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::uint64_t* number = word == "--operations" ? &options.operations
                            : word == "--seconds"  ? &options.seconds
                            : word == "--seed"     ? &options.seed
                                                   : nullptr;
    if (number != nullptr && i + 1 < argc)
      *number = std::strtoull(argv[++i], nullptr, 10);
    else if (number == nullptr && options.object.empty() && word[0] != '-')
      options.object = word;
    else
      return false;
  }
  return !options.object.empty();
}

const ks_api* load(const std::string& object) {
  void* library = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::cerr << "cannot load the kernel's functions: " << dlerror() << '\n';
    return nullptr;
  }
  using Entry = const ks_api* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "ks_kernel"));
  return entry == nullptr ? nullptr : entry();
}

// One boot and its operations. The operations that led to a difference, or none.
std::optional<Failure> one_boot(const ks_api& kernel, Random& random, std::uint64_t& steps) {
  Failure failure{random_boot(random), {}, {}};
  Machine machine(kernel, failure.boot);
  if (auto difference = machine.compare_all()) {
    failure.difference = *difference;
    return failure;
  }
  for (std::uint64_t i = 1; i <= kPerBoot; ++i) {
    failure.operations.push_back(random_operation(random, machine.existing()));
    const Operation& operation = failure.operations.back();
    auto difference = machine.perform(operation, steps);
    if (!difference)
      difference = i % kCompareAllEvery == 0
                       ? machine.compare_all()
                       : machine.compare(operation.low(), operation.high(), random);
    if (!difference) continue;
    failure.difference = *difference;
    return failure;
  }
  return std::nullopt;
}

void report(const ks_api& kernel, std::uint64_t seed, const Failure& failure) {
  std::cout << fmt::format("Linux {}: a difference, seed {}\n", kernel.version, seed)
            << text_of(failure.boot);
  for (const Operation& operation : failure.operations) std::cout << text_of(operation) << '\n';
  std::cout << failure.difference << '\n';
}

int run(const Options& options, const ks_api& kernel) {
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  std::uint64_t steps = 0;
  std::uint64_t seed = options.seed;
  double shown = 0;
  const auto more = [&] {
    return options.seconds != 0 ? elapsed() < static_cast<double>(options.seconds)
                                : steps < options.operations;
  };
  for (; more(); ++seed) {
    Random random(seed);
    if (auto difference = boot_layout(kernel, random, steps)) {
      std::cout << fmt::format("Linux {}: a difference, seed {}\n{}\n", kernel.version, seed,
                               *difference);
      return 1;
    }
    if (const auto failure = one_boot(kernel, random, steps)) {
      report(kernel, seed, shortened(kernel, *failure));
      return 1;
    }
    if (elapsed() - shown < 10) continue;
    shown = elapsed();
    std::cerr << fmt::format("Linux {}: {} operations, {:.0f} s\n", kernel.version, steps, shown);
  }
  std::cout << fmt::format("Linux {}: {} operations, no difference, {:.1f} s\n", kernel.version,
                           steps, elapsed());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "usage: model_vs_kernel OBJECT [--operations N] [--seconds N] [--seed N]\n";
    return 2;
  }
  const ks_api* kernel = load(options.object);
  return kernel == nullptr ? 2 : run(options, *kernel);
}
