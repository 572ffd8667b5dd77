// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel model behind MemoryPort, with a clock of its own: a kernel that runs in microseconds,
// in every era, and that refuses what a test tells it to refuse.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/knob.hpp"
#include "runtime/apply/model_port.hpp"

namespace memonline::test {

class ModelPort final : public apply::ModelPort {
 public:
  explicit ModelPort(const model::Host& host)
      : ModelPort(std::make_shared<apply::SharedModel>(host)) {}

  /// Asked before each write of `state`: an errno to refuse it with, or 0. May itself write.
  std::function<int(model::BlockId, std::string_view)> refuse;
  /// Called in each call that a kernel carries out under its hotplug lock.
  std::function<void()> locked = [] {};
  /// Asked for each request to reclaim: an errno, or 0.
  std::function<int(plan::Reclaim)> on_reclaim;
  std::optional<std::uint64_t> free_bytes = 0;  ///< what free_memory() says
  int refuse_knobs = 0;                         ///< what every write of a knob answers
  std::vector<std::string> writes;  ///< "online_movable 47", "set auto_online_blocks=offline"
  std::chrono::milliseconds paused{0};

  [[nodiscard]] const kernel::Model& model() const { return kernel_->model(); }

  int write_state(model::BlockId block, std::string_view word) noexcept override {
    writes.push_back(std::string(word) + " " + std::to_string(block.value()));
    now_ += std::chrono::milliseconds(2);
    locked();
    const int error = refuse ? refuse(block, word) : 0;
    return error != 0 ? error : write(block, word);
  }

  /// As another writer would.
  int write(model::BlockId block, std::string_view word) {
    return kernel_->write_state(block, word);
  }

  int write_knob(model::Knob knob, std::string_view value) noexcept override {
    writes.push_back("set " + std::string(model::knob_name(knob)) + "=" + std::string(value));
    locked();
    if (refuse_knobs != 0) return refuse_knobs;
    knobs_[knob] = value;
    return 0;
  }
  apply::KnobView read_knob(model::Knob knob) noexcept override {
    apply::KnobView view;
    const std::string& value = knobs_[knob];
    std::memcpy(view.text.data(), value.data(), value.size());
    view.size = value.size();
    return view;
  }
  void set(model::Knob knob, const std::string& value) { knobs_[knob] = value; }
  int wait_for_adds(model::BlockId) noexcept override {
    writes.emplace_back("wait for adds");
    locked();
    return 0;
  }
  int reclaim(plan::Reclaim what) noexcept override { return on_reclaim ? on_reclaim(what) : 0; }
  std::optional<std::uint64_t> free_memory(unsigned) noexcept override { return free_bytes; }
  [[nodiscard]] apply::Clock::time_point now() noexcept override { return now_; }
  void pause(std::chrono::milliseconds time) noexcept override {
    now_ += time;
    paused += time;
  }
  void pass(std::chrono::milliseconds time) { now_ += time; }

 private:
  explicit ModelPort(std::shared_ptr<apply::SharedModel> kernel)
      : apply::ModelPort(kernel), kernel_(std::move(kernel)) {}

  std::shared_ptr<apply::SharedModel> kernel_;
  std::map<model::Knob, std::string> knobs_;
  apply::Clock::time_point now_;
};

}  // namespace memonline::test
