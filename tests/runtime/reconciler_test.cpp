// SPDX-License-Identifier: LGPL-2.1-or-later
// In which order the service's hands look at the machine and write.
#include "runtime/service/reconciler.hpp"

#include "compiler/model/knob.hpp"
#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using test::HostBuilder;

namespace {

/// Everything that is asked of the port behind it, in `done`.
class Recorder final : public apply::ModelPort {
 public:
  Recorder(std::shared_ptr<apply::SharedModel> kernel, std::vector<std::string>& done)
      : ModelPort(std::move(kernel)), done_(done) {}
  int write_state(model::BlockId block, std::string_view word) noexcept override {
    done_.emplace_back(word);
    return ModelPort::write_state(block, word);
  }
  int write_knob(model::Knob knob, std::string_view value) noexcept override {
    done_.push_back(std::string(model::knob_name(knob)) + "=" + std::string(value));
    return ModelPort::write_knob(knob, value);
  }
  int wait_for_adds(model::BlockId) noexcept override {
    done_.emplace_back("wait");
    return 0;
  }

 private:
  std::vector<std::string>& done_;
};

class Recorded final : public service::Target {
 public:
  explicit Recorded(const model::Host& host) : kernel_(std::make_shared<apply::SharedModel>(host)) {
    std::filesystem::create_directories(run_directory());
  }
  Result<model::Host, runtime::HostError> read() override {
    done.emplace_back("look");
    return kernel_->host();
  }
  Result<apply::Session, std::variant<runtime::FileError, apply::Held>> begin(
      std::chrono::milliseconds patience) override {
    return apply::Session::begin_on(
        std::make_unique<Recorder>(kernel_, done), [this] { return read(); }, directory_.path(),
        "test", patience, apply::Writer::ThisThread);
  }
  Result<std::unique_ptr<apply::MemoryPort>, runtime::FileError> port() override {
    return std::make_unique<Recorder>(kernel_, done);
  }
  [[nodiscard]] std::string root() const override { return directory_.path(); }
  [[nodiscard]] std::string run_directory() const override {
    return directory_.path() + "/run/memonline";
  }
  std::vector<std::string> done;

 private:
  test::TemporaryDirectory directory_;
  std::shared_ptr<apply::SharedModel> kernel_;
};

std::vector<std::string> knobs_of(const std::vector<std::string>& done) {
  std::vector<std::string> knobs;
  std::copy_if(done.begin(), done.end(), std::back_inserter(knobs),
               [](const std::string& one) { return one.find('=') != std::string::npos; });
  return knobs;
}

const model::Host kHost = HostBuilder().boot(0, 0, 8).dimm(0, 32, 4).build();

}  // namespace

TEST_CASE("reconciler: no plan is made while memory is being added, not even the first") {
  Recorded target(kHost);
  service::PendingWrites pending;
  service::Reconciler reconciler(target, pending, {});
  const auto policy =
      service::check_text("test", "hotplugged: first 2 blocks normal, rest movable");
  REQUIRE(policy.ready);
  (void)reconciler.settle(*policy.ready, {});
  REQUIRE(target.done.size() > 3);
  // Which block is online has to be looked up once; what is planned with is looked at after it.
  CHECK(std::vector(target.done.begin(), target.done.begin() + 3) ==
        std::vector<std::string>{"look", "wait", "look"});
}

TEST_CASE("reconciler: auto_online_blocks is opened last and shut first") {
  Recorded target(kHost);
  service::PendingWrites pending;
  service::Reconciler reconciler(target, pending, {});
  const auto lowered = service::check_text("test", "hotplugged: auto\nlimit movable to 3x normal");
  const auto shared =
      service::check_text("test", "hotplugged: first 2 blocks normal, rest movable");
  REQUIRE(lowered.ready);
  REQUIRE(shared.ready);
  (void)reconciler.look(lowered.ready.get(), {});
  CHECK(knobs_of(target.done) ==
        std::vector<std::string>{"auto_movable_ratio=300", "auto_movable_numa_aware=N",
                                 "online_policy=auto-movable", "auto_online_blocks=online"});
  target.done.clear();
  SECTION("when the policy is another") {
    (void)reconciler.look(shared.ready.get(), {});
    CHECK(knobs_of(target.done).front() == "auto_online_blocks=offline");
  }
  SECTION("when the service ends") {
    (void)reconciler.let_go(false);
    CHECK(knobs_of(target.done).front() == "auto_online_blocks=offline");
  }
  CHECK(knobs_of(target.done).size() == 4);
}

TEST_CASE("reconciler: a plan that is cancelled when the service ends releases no setting") {
  Recorded target(kHost);
  service::PendingWrites pending;
  service::Reconciler reconciler(target, pending, {});
  const auto lowered = service::check_text("test", "hotplugged: auto\nlimit movable to 3x normal");
  REQUIRE(lowered.ready);
  REQUIRE(reconciler.look(lowered.ready.get(), {}).held->values.size() == 4);
  target.done.clear();
  pending.stop();
  CHECK(reconciler.look(lowered.ready.get(), {}).held->values.size() == 4);
  CHECK(reconciler.settle(*lowered.ready, {}).held->values.size() == 4);
  CHECK(knobs_of(target.done).empty());
  (void)reconciler.let_go(false);
  CHECK(knobs_of(target.done).size() == 4);
}

}  // namespace memonline
