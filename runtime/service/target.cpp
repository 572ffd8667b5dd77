// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/target.hpp"

#include <filesystem>
#include <utility>

#include "compiler/model/facts.hpp"
#include "runtime/apply/sysfs.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/file.hpp"
#include "runtime/host/text.hpp"

namespace memonline::service {

namespace {

using apply::Held;
using apply::Session;
using runtime::FileError;

constexpr auto kName = "memonlined";

class Machine final : public Target {
 public:
  explicit Machine(std::string root) : root_(std::move(root)) {}
  Result<model::Host, runtime::HostError> read() override { return runtime::read_host(root_); }
  Result<Session, std::variant<FileError, Held>> begin(
      std::chrono::milliseconds patience) override {
    return Session::begin(root_, kName, patience, apply::Writer::ThisThread);
  }
  Result<std::unique_ptr<apply::MemoryPort>, FileError> port() override {
    auto opened = apply::Sysfs::open(root_);
    if (!opened) return fail(opened.error());
    return std::make_unique<apply::Sysfs>(std::move(*opened));
  }
  [[nodiscard]] std::string root() const override { return root_; }
  [[nodiscard]] std::string run_directory() const override {
    return (root_ == "/" ? std::string() : root_) + "/run/memonline";
  }

 private:
  std::string root_;
};

class Simulation final : public Target {
 public:
  Simulation(std::shared_ptr<apply::SharedModel> kernel, std::string directory,
             std::chrono::milliseconds latency)
      : kernel_(std::move(kernel)), directory_(std::move(directory)), latency_(latency) {}
  Result<model::Host, runtime::HostError> read() override {
    model::Host host = kernel_->host();
    host.service = std::filesystem::exists(service_sign());
    host.fingerprint = runtime::sha256_of(model::canonical_text(host));
    return host;
  }
  Result<Session, std::variant<FileError, Held>> begin(
      std::chrono::milliseconds patience) override {
    return Session::begin_on(
        std::make_unique<apply::ModelPort>(kernel_, latency_), [this] { return read(); },
        directory_, kName, patience, apply::Writer::ThisThread);
  }
  Result<std::unique_ptr<apply::MemoryPort>, FileError> port() override {
    return std::make_unique<apply::ModelPort>(kernel_, latency_);
  }
  [[nodiscard]] std::string root() const override { return directory_; }
  [[nodiscard]] std::string run_directory() const override { return directory_ + "/run/memonline"; }

 private:
  std::shared_ptr<apply::SharedModel> kernel_;
  std::string directory_;
  std::chrono::milliseconds latency_;
};

}  // namespace

// uevent_seqnum_show(), kernel/ksysfs.c.
std::uint64_t Target::uevent_seqnum() const {
  const auto text = runtime::read_file_below(root(), "/sys/kernel/uevent_seqnum");
  if (!text) return 0;
  return runtime::decimal(std::string_view(*text).substr(0, text->find('\n'))).value_or(0);
}

std::unique_ptr<Target> this_machine(std::string root) {
  return std::make_unique<Machine>(std::move(root));
}

std::unique_ptr<Target> simulated(std::shared_ptr<apply::SharedModel> kernel, std::string directory,
                                  std::chrono::milliseconds latency) {
  return std::make_unique<Simulation>(std::move(kernel), std::move(directory), latency);
}

}  // namespace memonline::service
