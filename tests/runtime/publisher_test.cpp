// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service shows of a machine and of changes by others, without a service.
#include "runtime/service/publisher.hpp"

#include "compiler/compile.hpp"
#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using model::BlockId;
using service::boot_id;
using service::Publisher;
using service::State;

namespace {

class Recorder final : public service::Listener {
 public:
  void view_changed(const service::View& before, const service::View& now) override {
    changes.emplace_back(before.state, now.state);
  }
  void job_added(const service::Job&) override {}
  void job_changed(const service::Job&) override {}
  void job_removed(std::uint64_t) override {}
  void say(int, const std::string& message, const Fields&) override { said.push_back(message); }

  std::vector<std::pair<State, State>> changes;
  std::vector<std::string> said;
};

/// What a service with this policy and nothing else to show passes.
struct Inputs {
  explicit Inputs(const std::string& text) : loaded(service::check_text("test", text)) {
    policy = loaded.ready;
  }
  service::LoadedPolicy loaded;
  std::shared_ptr<const service::ReadyPolicy> policy;
  service::Troubles troubles;
  bool applying = false;
  [[nodiscard]] service::Shown shown() const { return {loaded, policy, troubles, applying}; }

  [[nodiscard]] service::Plans plans(model::Host host) const {
    service::Plans plans;
    plans.host = std::make_shared<model::Host>(std::move(host));
    if (policy) {
      auto made = compile(policy->policy, policy->files, *plans.host);
      if (made.plan) plans.plan = std::make_shared<plan::Plan>(std::move(*made.plan));
    }
    return plans;
  }
};

constexpr auto kMovable = "hotplugged: movable\n";

struct Fixture {
  test::TemporaryDirectory directory;
  Recorder recorder;
  Publisher publisher{recorder, directory.path() + "/left-alone", boot_id()};
  State shown(const Inputs& inputs, const model::Host& host) {
    publisher.publish(inputs.plans(host), publisher.user_offline().mark(), inputs.shown());
    return publisher.view()->state;
  }
};

model::Host offline_dimm() { return test::HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build(); }

}  // namespace

TEST_CASE("publisher: the state follows from the machine, the plan and the failures") {
  Fixture fixture;
  Inputs inputs(kMovable);
  CHECK(fixture.publisher.view()->state == State::Applying);
  CHECK(fixture.shown(Inputs("boot: keep\n"), offline_dimm()) == State::InSync);
  CHECK(fixture.shown(inputs, offline_dimm()) == State::Drift);
  inputs.applying = true;
  CHECK(fixture.shown(inputs, offline_dimm()) == State::Applying);
  inputs.applying = false;
  inputs.troubles.looked("cannot read `/sys`", {});
  CHECK(fixture.shown(inputs, offline_dimm()) == State::Failed);
  CHECK(fixture.publisher.view()->problems == "cannot read `/sys`");
  CHECK(fixture.recorder.changes.back() == std::pair(State::Applying, State::Failed));
}

TEST_CASE("publisher: a policy with errors is a failure only where none is active") {
  Fixture fixture;
  Inputs wrong("nonsense\n");
  REQUIRE(wrong.policy == nullptr);
  CHECK(fixture.shown(wrong, offline_dimm()) == State::Failed);
  CHECK(fixture.publisher.view()->problems.find("ML0") != std::string::npos);
  wrong.policy = Inputs("boot: keep\n").policy;
  CHECK(fixture.shown(wrong, test::HostBuilder().boot(0, 0, 8).build()) == State::InSync);
  CHECK_FALSE(fixture.publisher.is_in_sync());  // its problems are shown
}

TEST_CASE("publisher: what others and jobs take offline is drift, named and saved") {
  Fixture fixture;
  const Inputs inputs("boot: keep\n");
  fixture.publisher.offlined_by_others(BlockId(39));
  CHECK(fixture.recorder.said.back() == "memory39 was offlined by another process");
  model::BlockSet blocks;
  blocks.add({BlockId(36), BlockId(37)});
  fixture.publisher.offlined_by_job(5, blocks);
  CHECK(fixture.recorder.said.back() == "job 5 offlined memory36..37: left offline");
  CHECK(fixture.shown(inputs, offline_dimm()) == State::Drift);
  CHECK(fixture.publisher.view()->left_alone ==
        std::vector<std::string>{"memory39 was offlined by another process"});
  fixture.publisher.save();
  const service::UserOffline again(fixture.directory.path() + "/left-alone", boot_id());
  CHECK(again.offline().count() == 3);
}

TEST_CASE("publisher: after a job, the machine is shown as the job left it") {
  Fixture fixture;
  const Inputs inputs(kMovable);
  (void)fixture.shown(inputs, offline_dimm());
  auto online = std::make_shared<const model::Host>(test::HostBuilder().boot(0, 0, 8).build());
  fixture.publisher.publish_host(online);
  CHECK(fixture.publisher.view()->host == online);
  CHECK(fixture.publisher.scanned() == online);
  CHECK(fixture.publisher.view()->runs.size() == 1);
}

}  // namespace memonline
