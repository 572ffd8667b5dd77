// SPDX-License-Identifier: LGPL-2.1-or-later
// The queue of a worker: whose turn it is, what is dropped, and how soon it ends.
#include "runtime/service/worker.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <time.h>

#include "tests/support/catch.hpp"

namespace memonline {

using service::FairQueue;
using service::Requester;
using service::Worker;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

std::string order_of(FairQueue<std::string>& queue) {
  std::string order;
  while (auto next = queue.pop()) order += (order.empty() ? "" : " ") + next->second;
  return order;
}

/// Takes the worker until `release` is called, whatever is posted meanwhile.
class Held {
 public:
  explicit Held(Worker& worker, const Requester& who = {}) {
    worker.post(who, {}, [this](const Worker::Cancelled& cancelled) {
      began_.store(true);
      while (!released_.load() && !cancelled()) std::this_thread::sleep_for(milliseconds(1));
      return Worker::Done([this, ended = !released_.load()] { cancelled_ = ended; });
    });
    while (!began_.load()) std::this_thread::yield();
  }
  void release() { released_.store(true); }
  [[nodiscard]] bool was_cancelled() const { return cancelled_; }

 private:
  std::atomic<bool> began_{false}, released_{false};
  bool cancelled_ = false;
};

/// Dispatches until `done`; false after ten seconds.
template <class Condition>
bool dispatch_until(Worker& worker, Condition done) {
  const auto end = steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (steady_clock::now() > end) return false;
    pollfd polled{worker.fd(), POLLIN, 0};
    ::poll(&polled, 1, 100);
    worker.dispatch();
  }
  return true;
}

}  // namespace

TEST_CASE("fair queue: root first, then one of each user in turn") {
  FairQueue<std::string> queue;
  for (const char* item : {"a1", "a2", "a3", "a4"}) queue.push({1000, ":1"}, item);
  for (const char* item : {"b1", "b2"}) queue.push({1001, ":2"}, item);
  queue.push({0, ":3"}, "root1");
  queue.push({1002, ":4"}, "c1");
  queue.push({0, ":3"}, "root2");
  CHECK(order_of(queue) == "root1 root2 a1 b1 c1 a2 b2 a3 a4");
}

TEST_CASE("fair queue: a user who comes later waits for one item of each other user") {
  FairQueue<std::string> queue;
  for (int i = 0; i < 50; ++i) queue.push({2000, ":1"}, "flood");
  REQUIRE(queue.pop()->second == "flood");
  queue.push({1000, ":2"}, "mine");
  CHECK(queue.pop()->second == "mine");
  queue.push({3000, ":3"}, "theirs");
  REQUIRE(queue.pop()->second == "flood");
  CHECK(queue.pop()->second == "theirs");
}

TEST_CASE("fair queue: what is removed is returned, the rest keeps its order") {
  FairQueue<std::string> queue;
  queue.push({1000, ":1"}, "a1");
  queue.push({1000, ":2"}, "a2");
  queue.push({1000, ":1"}, "a3");
  queue.push({1001, ":1"}, "b1");
  const auto removed =
      queue.remove_if([](const std::string& whose, const std::string&) { return whose == ":1"; });
  CHECK(removed.size() == 3);
  CHECK(order_of(queue) == "a2");
  CHECK(queue.empty());
}

TEST_CASE("worker: requests of a user with many do not delay another user's") {
  Worker worker;
  std::vector<std::uint32_t> done;
  Held held(worker);
  const auto post = [&](const Requester& who) {
    worker.post(who, {}, [&done, uid = who.uid](const Worker::Cancelled&) {
      return Worker::Done([&done, uid] { done.push_back(uid); });
    });
  };
  for (int i = 0; i < 20; ++i) post({1000, ":1"});
  post({1001, ":2"});
  post({0, ":3"});
  held.release();
  REQUIRE(dispatch_until(worker, [&] { return done.size() == 22; }));
  CHECK(done[0] == 0);
  CHECK((done[1] == 1001 || done[2] == 1001));
}

TEST_CASE("worker: what a connection asked for is dropped with it, waiting or running") {
  Worker worker;
  Held held(worker, {1000, ":1"});
  int ran = 0;
  bool other = false;
  const auto count = [&](const Worker::Cancelled&) { return Worker::Done([&] { ++ran; }); };
  worker.post({1000, ":1"}, {}, count);
  worker.post({1000, ":1"}, {}, count);
  worker.post({1000, ":2"}, {}, [&](const Worker::Cancelled& cancelled) {
    return Worker::Done([&other, wanted = !cancelled()] { other = wanted; });
  });
  worker.drop(":1");
  REQUIRE(dispatch_until(worker, [&] { return other; }));
  CHECK(held.was_cancelled());
  CHECK(ran == 0);
}

TEST_CASE("worker: it ends within a second, and a blocking system call with it") {
  Worker worker;
  std::atomic<bool> began{false};
  std::atomic<int> interrupted{0};
  worker.post({}, {}, [&](const Worker::Cancelled& cancelled) {
    began.store(true);
    while (!cancelled()) std::this_thread::sleep_for(milliseconds(1));
    const timespec minute{60, 0};
    if (::clock_nanosleep(CLOCK_MONOTONIC, 0, &minute, nullptr) == EINTR) ++interrupted;
    return Worker::Done();
  });
  while (!began.load()) std::this_thread::yield();
  const auto start = steady_clock::now();
  worker.cancel_all();
  CHECK(worker.ended_within(std::chrono::seconds(5)));
  CHECK(steady_clock::now() - start < std::chrono::seconds(1));
  CHECK(interrupted == 1);
}

}  // namespace memonline
