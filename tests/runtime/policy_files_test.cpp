// SPDX-License-Identifier: LGPL-2.1-or-later
// Files among the policies that are no policies: never waited for, never left out in silence.
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/file.hpp"
#include "runtime/policy/load.hpp"
#include "runtime/policy/store.hpp"
#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

namespace {

constexpr const char* kDirectory = "/etc/memonline/policy.d";

struct Tree : TemporaryDirectory {
  Tree() { write("etc/memonline/policy.d/50-all.mempolicy", "hotplugged: movable\n"); }
  [[nodiscard]] std::string at(const std::string& name) const {
    return path() + kDirectory + "/" + name;
  }
};

/// Its only error, or nothing.
std::string error_of(const policy::Policies& policies) {
  std::string text;
  for (const diag::Diagnostic& d : policies.problems.all())
    if (d.severity == diag::Severity::Error) text += d.message;
  return text;
}

}  // namespace

TEST_CASE("policy files: what is no regular file is an error that names it") {
  const Tree tree;
  std::string name = "10-gpu.mempolicy", why;
  SECTION("a FIFO that no process writes to") {
    REQUIRE(::mkfifo(tree.at(name).c_str(), 0644) == 0);
    why = "expected a regular file, found a FIFO";
  }
  SECTION("a directory") {
    fs::create_directory(tree.at(name));
    why = "Is a directory";
  }
  SECTION("a link to nowhere") {
    fs::create_symlink("nowhere", tree.at(name));
    why = "No such file or directory";
  }
  SECTION("a link to a FIFO") {
    REQUIRE(::mkfifo((tree.path() + "/fifo").c_str(), 0644) == 0);
    fs::create_symlink("/fifo", tree.at(name));
    why = "expected a regular file, found a FIFO";
  }
  const auto policies = policy::load({tree.path(), {}, {}});
  CHECK(policies.files.size() == 1);
  CHECK(policies.problems.has_errors());
  CHECK(error_of(policies).find(tree.at(name) + "`: " + why) != std::string::npos);
}

TEST_CASE("policy files: a device is an error, and a mask is a mask") {
  const Tree tree;
  CHECK(error_of(policy::load({"/", {"/dev/zero"}, {}})) ==
        "cannot read `/dev/zero`: expected a regular file, found a device");
  CHECK(error_of(policy::load({"/", {"/dev/null"}, {}})).empty());
  fs::create_symlink("/dev/null", tree.at("10-gpu.mempolicy"));
  const auto store = policy::read_store(tree.path());
  REQUIRE(store);
  CHECK(store->unreadable.empty());
  REQUIRE(store->files.size() == 2);
  CHECK(store->files[0].state == policy::FileState::Masks);
}

TEST_CASE("policy files: a pipe that a shell has opened is read to its end") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    (void)!::write(ends[1], "all: keep\n", 10);
    ::close(ends[1]);
  });
  const auto text = runtime::read_regular_file("/dev/fd/" + std::to_string(ends[0]));
  writer.join();
  ::close(ends[0]);
  REQUIRE(text);
  CHECK(*text == "all: keep\n");
}

TEST_CASE("policy files: a directory that cannot be listed is not an empty one") {
  const Tree tree;
  const std::string run = tree.path() + "/run/memonline";
  SECTION("a link to nowhere on the way to it") {
    fs::create_directory(tree.path() + "/run");
    fs::create_symlink("/nowhere", run);
  }
  SECTION("a link to nowhere itself") {
    fs::create_directories(run);
    fs::create_symlink("nowhere", run + "/policy.d");
  }
  SECTION("a file") { tree.write("run/memonline/policy.d", ""); }
  SECTION("a FIFO") {
    fs::create_directories(run);
    REQUIRE(::mkfifo((run + "/policy.d").c_str(), 0644) == 0);
  }
  const auto policies = policy::load({tree.path(), {}, {}});
  CHECK(error_of(policies).find("cannot open `" + run + "/policy.d`") == 0);
}

TEST_CASE("policy files: links lead inside of the root, and what is missing is empty") {
  const Tree tree;
  tree.write("srv/policies/60-more.mempolicy", "boot: keep\n");
  fs::create_directories(tree.path() + "/run/memonline");
  fs::create_symlink("/srv/policies", tree.path() + "/run/memonline/policy.d");
  const auto policies = policy::load({tree.path(), {}, {}});
  CHECK_FALSE(policies.problems.has_errors());
  CHECK(policies.files.size() == 2);
}

TEST_CASE("policy files: a rule put before all others is a policy only beside them") {
  const Tree tree;
  const auto policies = policy::load({tree.path(), {}, {}, "block 32-33: keep\n"});
  REQUIRE(policies.files.size() == 2);
  CHECK(policies.files.front().label() == "<left-alone>");
  const TemporaryDirectory empty;
  CHECK(policy::load({empty.path(), {}, {}, "block 32-33: keep\n"}).none());
}

TEST_CASE("files: a private file has its mode whatever the umask is, and whatever it was") {
  const TemporaryDirectory directory;
  const auto mode_of = [](const std::string& path) { return fs::status(path).permissions(); };
  constexpr auto kPrivate = fs::perms::owner_read | fs::perms::owner_write;
  const std::string kept = directory.path() + "/kept", lock = directory.path() + "/lock";
  const mode_t before = ::umask(0);
  CHECK(runtime::write_private_file(kept, "text"));
  CHECK(mode_of(kept) == kPrivate);
  ::umask(0777);
  for (const char* name : {"lock", "kept"}) {
    const int file = runtime::open_private(directory.path() + "/" + name);
    CHECK(file >= 0);
    ::close(file);
    CHECK(mode_of(directory.path() + "/" + name) == kPrivate);
  }
  ::umask(before);
  fs::permissions(lock, fs::perms::all);
  const int file = runtime::open_private(lock);
  ::close(file);
  CHECK(mode_of(lock) == kPrivate);
  fs::permissions(kept, fs::perms::all);
  CHECK(runtime::write_private_file(kept, "other"));
  CHECK(mode_of(kept) == kPrivate);
  fs::create_symlink(kept, directory.path() + "/link");
  CHECK(runtime::open_private(directory.path() + "/link") < 0);
}

}  // namespace memonline
