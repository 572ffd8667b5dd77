// SPDX-License-Identifier: LGPL-2.1-or-later
// A service on a kernel model, with a socket in the kernel's place and the loop that the bus would
// be: what tests of the service begin with.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/service/service.hpp"
#include "tests/support/catch.hpp"

namespace memonline::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    // Not TMPDIR, which others may not enter: messages quote no policy that is kept from anybody.
    std::string name = P_tmpdir "/memonline-XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), 0755);
    ::umask(022);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

 private:
  std::string path_;
};

/// A machine that cannot be looked at while there is not enough memory for that, or takes its time
/// while it is held, and that counts how often it was looked at.
class Watched final : public service::Target {
 public:
  Watched(std::unique_ptr<service::Target> target, const std::atomic<bool>& is_short,
          const std::atomic<bool>& is_held, const std::atomic<int>& held_at,
          std::atomic<int>& looks)
      : target_(std::move(target)),
        is_short_(is_short),
        is_held_(is_held),
        held_at_(held_at),
        looks_(looks) {}
  Result<model::Host, runtime::HostError> read() override {
    if (is_short_.load()) throw std::bad_alloc();
    auto host = target_->read();
    const int look = ++looks_;
    while (is_held_.load() || look == held_at_.load())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return host;
  }
  Result<apply::Session, std::variant<runtime::FileError, apply::Held>> begin(
      std::chrono::milliseconds patience) override {
    return target_->begin(patience);
  }
  Result<std::unique_ptr<apply::MemoryPort>, runtime::FileError> port() override {
    return target_->port();
  }
  [[nodiscard]] std::string root() const override { return target_->root(); }
  [[nodiscard]] std::string run_directory() const override { return target_->run_directory(); }

 private:
  std::unique_ptr<service::Target> target_;
  const std::atomic<bool>& is_short_;
  const std::atomic<bool>& is_held_;
  const std::atomic<int>& held_at_;
  std::atomic<int>& looks_;
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::chrono::seconds kPatience{60};
#else
inline constexpr std::chrono::seconds kPatience{10};
#endif

class RunningService final : public service::Listener {
 public:
  explicit RunningService(const model::Host& host, const std::string& policy,
                          std::chrono::milliseconds latency = {})
      : kernel(std::make_shared<apply::SharedModel>(host)) {
    if (!policy.empty()) this->policy(policy);
    make(new_socket(), latency);
  }
  RunningService(const model::Host& host, const std::string& policy, service::EventSource events)
      : kernel(std::make_shared<apply::SharedModel>(host)) {
    if (!policy.empty()) this->policy(policy);
    make(std::move(events), {});
  }
  ~RunningService() override {
    service.reset();
    if (kernel_end_ >= 0) ::close(kernel_end_);
  }

  /// The service ends, if it does; then one begins on the same machine.
  void restart() {
    service.reset();
    ::close(kernel_end_);
    make(new_socket(), {});
  }
  /// The service ends because it is idle. What the kernel says until `restart` reaches no one.
  void rest() {
    REQUIRE(until([&] { return service->is_idle(); }));
    REQUIRE(service->rest());
    service->shut_down(service::Service::Ending::Rest);
  }
  void policy(const std::string& text) const {
    directory.write("etc/memonline/policy.d/50-test.mempolicy", text);
  }

  /// Turns the loop until `done` says so; false after ten seconds, or a minute with sanitizers.
  bool until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      turn();
    }
    return true;
  }
  bool until(service::State state) {
    return until([&] { return service->first_round_done() && service->view()->state == state; });
  }

  void event(const std::string& action, std::uint64_t block) const {
    const std::string path = "/devices/system/memory/memory" + std::to_string(block);
    std::string text = action + "@" + path;
    text += '\0';
    text += "ACTION=" + action;
    text += '\0';
    text += "SEQNUM=" + std::to_string(++seqnum_);
    directory.write("sys/kernel/new", std::to_string(seqnum_) + "\n");
    std::filesystem::rename(directory.path() + "/sys/kernel/new",
                            directory.path() + "/sys/kernel/uevent_seqnum");
    (void)!::send(kernel_end_, text.data(), text.size(), MSG_DONTWAIT);
  }
  /// A DIMM comes, and the kernel says so.
  model::BlockId plug(std::uint64_t blocks, std::uint32_t node = 0) const {
    const model::BlockId first = kernel->add_dimm(blocks, model::NodeId(node));
    plugged(first, blocks);
    return first;
  }
  /// The kernel says that these came.
  void plugged(model::BlockId first, std::uint64_t blocks) const {
    for (std::uint64_t i = 0; i < blocks; ++i) event("add", (first + i).value());
  }
  /// Another agent writes, and the kernel says so.
  int write(std::uint64_t block, const std::string& word) const {
    const int error = kernel->write_state(model::BlockId(block), word);
    event(word == "offline" ? "offline" : "online", block);
    return error;
  }

  void view_changed(const service::View&, const service::View&) override { ++changes; }
  void job_added(const service::Job&) override {}
  void job_changed(const service::Job& job) override { stages.push_back(job.stage); }
  void job_removed(std::uint64_t) override {}
  void say(int, const std::string& message, const Fields& fields) override {
    said.push_back(message);
    if (fields.blocks) named.push_back(fields);
  }

  TemporaryDirectory directory;
  std::shared_ptr<apply::SharedModel> kernel;
  std::unique_ptr<service::Service> service;
  std::atomic<bool> is_short{false};  ///< of memory, so that it cannot look
  std::atomic<bool> is_held{false};   ///< the machine, so that looking takes its time
  std::atomic<int> held_at{0};        ///< the look, by its number, that takes its time
  std::atomic<int> looks{0};          ///< that it took at the machine
  bool keep_switches = false;         ///< of the service that `restart` makes
  std::vector<std::string> said;
  std::vector<Fields> named;  ///< of what was said of a block
  std::vector<service::Job::Stage> stages;
  std::uint64_t changes = 0;

 private:
  service::EventSource new_socket() {
    std::array<int, 2> ends{};
    ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data());
    kernel_end_ = ends[1];
    return service::EventSource::of_socket(ends[0]);
  }
  void make(service::EventSource events, std::chrono::milliseconds latency) {
    std::filesystem::create_directories(directory.path() + "/run");
    service::Config config{
        std::make_unique<Watched>(service::simulated(kernel, directory.path(), latency), is_short,
                                  is_held, held_at, looks),
        std::move(events),
        {directory.path(), {}, {}},
        {},
        keep_switches};
    service = std::make_unique<service::Service>(std::move(config), *this);
    service->start();
  }
  void turn() const {
    std::array<pollfd, 4> polled{
        pollfd{service->events_fd(), POLLIN, 0}, pollfd{service->writer_fd(), POLLIN, 0},
        pollfd{service->reader_fd(), POLLIN, 0}, pollfd{service->root_reader_fd(), POLLIN, 0}};
    int wait = 1000;
    if (const auto due = service->due()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          *due - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 1000));
    }
    ::poll(polled.data(), polled.size(), wait);
    service->take_events();
    service->take_results();
    service->tick();
  }

  int kernel_end_ = -1;
  mutable std::uint64_t seqnum_ = 0;
};

}  // namespace memonline::test
