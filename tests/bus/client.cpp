// SPDX-License-Identifier: LGPL-2.1-or-later
// A client in C++, made of the proxies that the interfaces' XML generates: calls all that the
// manager of a simulated machine offers, reads all its properties, waits for its signals. Given the
// path of a job it is one of a user who may only read, and is refused the rest. Ends with 1 and a
// sentence at the first thing that is not as it should be. Run by client_test.py.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "dbus/compat.hpp"
#include "job_proxy.hpp"
#include "manager_proxy.hpp"
#include "node_proxy.hpp"

namespace memonline::bus {

namespace {

using Dict = std::map<std::string, sdbus::Variant>;

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

void eventually(const std::function<bool()>& holds, const std::string& what) {
  for (int i = 0; i < 500; ++i) {
    if (holds()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("not within 10 s: " + what);
}

/// The call is refused with that error.
void refused(const std::string& name, const std::function<void()>& call) {
  try {
    call();
  } catch (const sdbus::Error& error) {
    expect(std::string(error.getName()) == name,
           "refused with " + std::string(error.getName()) + ", expected " + name);
    return;
  }
  throw std::runtime_error("not refused with " + name);
}

std::string text(const Dict& dict, const std::string& key) {
  return dict.at(key).get<std::string>();
}

class Manager final
    : public sdbus::ProxyInterfaces<org::memonline1::Manager_proxy, sdbus::Properties_proxy,
                                    sdbus::ObjectManager_proxy> {
 public:
  explicit Manager(sdbus::IConnection& connection)
      : ProxyInterfaces(connection, BusName("org.memonline1"),
                        sdbus::ObjectPath("/org/memonline1")) {
    registerProxy();
  }
  ~Manager() { unregisterProxy(); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  std::atomic<int> changes{0}, added{0}, removed{0};

 private:
  void onPropertiesChanged(const InterfaceName&, const std::map<PropertyName, sdbus::Variant>&,
                           const std::vector<PropertyName>&) override {
    ++changes;
  }
  void onInterfacesAdded(
      const sdbus::ObjectPath&,
      const std::map<InterfaceName, std::map<PropertyName, sdbus::Variant>>&) override {
    ++added;
  }
  void onInterfacesRemoved(const sdbus::ObjectPath&, const std::vector<InterfaceName>&) override {
    ++removed;
  }
};

class Job final : public sdbus::ProxyInterfaces<org::memonline1::Job_proxy> {
 public:
  Job(sdbus::IConnection& connection, const sdbus::ObjectPath& path)
      : ProxyInterfaces(connection, BusName("org.memonline1"), path) {
    registerProxy();
  }
  ~Job() { unregisterProxy(); }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  void wait(const std::string& result) {
    eventually([this] { return State() == "done"; }, "the job is done");
    expect(Result() == result, "the job ended with `" + Result() + "`, expected `" + result + "`");
  }
  std::atomic<int> finished{0};

 private:
  void onFinished(const std::string&, const Dict&) override { ++finished; }
};

class Node final : public sdbus::ProxyInterfaces<org::memonline1::Node_proxy> {
 public:
  explicit Node(sdbus::IConnection& connection)
      : ProxyInterfaces(connection, BusName("org.memonline1"),
                        sdbus::ObjectPath("/org/memonline1/node/0")) {
    registerProxy();
  }
  ~Node() { unregisterProxy(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
};

/// What everybody may ask; `state`: the machine's.
void reads(Manager& manager, sdbus::IConnection& connection, const std::string& state) {
  eventually([&] { return manager.State() == state; }, "the state " + state);
  expect(manager.Check("hotplugged: nowhere\n").find("ML0") != std::string::npos, "Check");
  expect(manager.Verify().count("runs") == 1, "Verify");
  expect(manager.Explain("memory40").find("memory40") != std::string::npos, "Explain");
  expect(!manager.ListBlocks({{"state", sdbus::Variant(std::string("online"))}}).empty(),
         "ListBlocks");
  expect(manager.GetHost().at("document").get<sdbus::UnixFd>().isValid(), "GetHost");
  expect(manager.GetPolicies().empty(), "GetPolicies");
  expect(manager.PolicyFiles().empty() && manager.Problems().empty(), "PolicyFiles, Problems");
  expect(!manager.Kernel().empty() && manager.Era() == "D", "Kernel, Era");
  expect(manager.BlockSize() == 128U << 20U, "BlockSize");
  expect(manager.HotplugBy().empty() && manager.HotplugWhy().empty(), "HotplugBy, HotplugWhy");
  expect(manager.Switches().empty(), "Switches");
  expect(manager.PendingKernelParameters().empty(), "PendingKernelParameters");
  expect(manager.Failing().empty() && manager.LeftAlone().empty(), "Failing, LeftAlone");
  expect(manager.Counters().count("rescans") == 1, "Counters");
  expect((std::string(manager.ActiveJob()) == "/") == (state == "in-sync"), "ActiveJob");
  expect(!manager.Version().empty(), "Version");
  Node node(connection);
  expect(node.Number() == 0 && node.Online() > 0 && (node.Offline() > 0) == (state == "in-sync"),
         "Node");
  expect(!node.Zones().empty() && node.Wished().empty(), "Zones, Wished");
  expect(manager.GetManagedObjects().count(sdbus::ObjectPath("/org/memonline1/node/0")) == 1,
         "GetManagedObjects");
}

Dict wishes() { return {{"policy", sdbus::Variant(std::string("hotplugged: movable\n"))}}; }

Dict plans(Manager& manager) {
  Dict plan = manager.Plan(wishes());
  const Dict file = manager.PlanToFile(wishes());
  expect(text(plan, "digest") == text(file, "digest"), "the digests differ");
  expect(file.at("document").get<sdbus::UnixFd>().isValid(), "no file came");
  expect(manager.SubmitPlan(text(plan, "document")) == text(plan, "digest"), "SubmitPlan");
  return plan;
}

void applies(Manager& manager, sdbus::IConnection& connection) {
  const Dict plan = plans(manager);
  Job job(connection, manager.Apply(text(plan, "digest"),
                                    {{"confirm-seconds", sdbus::Variant(std::uint32_t{60})}}));
  eventually([&] { return job.State() == "confirming"; }, "it waits to be confirmed");
  expect(std::string(manager.Confirm()).find("/job/") != std::string::npos, "Confirm");
  job.wait("done");
  eventually([&] { return job.finished == 1; }, "the signal Finished");
  eventually([&] { return manager.changes > 0 && manager.added > 0; },
             "PropertiesChanged and InterfacesAdded");
  expect(job.Kind() == "apply" && job.StartedByUID() == ::geteuid(), "Kind, StartedByUID");
  expect(job.Blocks() == 16 && job.BlocksDone() == 16 && job.Progress() == 1.0, "Blocks, Progress");
  expect(job.StepsDone() == job.StepsTotal() && job.CurrentStep().empty(), "steps");
  expect(job.Error().empty() && text(job.Report(), "result") == "complete", "Error, Report");
  expect(job.Undone().empty() && job.ErrorName().empty(), "Undone, ErrorName");
  const auto files = job.ReportToFile().at("report").get<Dict>();
  expect(files.at("document").get<sdbus::UnixFd>().isValid(), "ReportToFile");
  refused("org.freedesktop.DBus.Error.InvalidArgs", [&] {
    manager.Apply(text(plan, "digest"), {{"deadline", sdbus::Variant(std::uint32_t{1})}});
  });
  Job(connection, manager.Undo()).wait("done");

  const std::string digest = text(manager.Plan(wishes()), "digest");
  const sdbus::ObjectPath path = manager.Apply(digest, {});
  Job cancelled(connection, path);
  manager.Cancel(path);
  cancelled.wait("cancelled");
  // It may have been cancelled before its first block: then there is nothing to undo.
  const sdbus::ObjectPath undo = manager.Undo();
  eventually([&] { return Job(connection, undo).State() == "done"; }, "the undo is done");
  Job by_itself(connection, manager.Apply(text(manager.Plan(wishes()), "digest"), {}));
  by_itself.Cancel();
  by_itself.wait("cancelled");

  expect(manager.Reload().find("diagnostics") != std::string::npos, "Reload");
  // There is no PID 1 on this bus.
  refused("org.freedesktop.DBus.Error.Failed", [&] { manager.WriteBootParameters(); });
  for (int i = 0; i < 16; ++i) {  // so many that are done are kept
    const sdbus::ObjectPath more = manager.Undo();
    eventually([&] { return Job(connection, more).State() == "done"; }, "the job is done");
  }
  eventually([&] { return manager.removed > 0; }, "InterfacesRemoved");
}

/// Who is not root, with nobody there whom polkit could ask. `path`: a job of somebody else.
void is_denied(Manager& manager, sdbus::IConnection& connection, const sdbus::ObjectPath& path) {
  const std::string digest = text(plans(manager), "digest");
  Job job(connection, path);
  for (const std::function<void()>& change : std::initializer_list<std::function<void()>>{
           [&] { manager.Apply(digest, {}); }, [&] { manager.Confirm(); }, [&] { manager.Undo(); },
           [&] { manager.Cancel(path); }, [&] { manager.WriteBootParameters(); },
           [&] { manager.Reload(); }, [&] { job.Cancel(); }})
    refused("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", change);
  expect(job.State() == "confirming", "the job of somebody else");
}

}  // namespace

}  // namespace memonline::bus

int main(int argc, char** argv) {
  try {
    const auto connection = sdbus::createSystemBusConnection();
    connection->enterEventLoopAsync();
    memonline::bus::Manager manager(*connection);
    if (argc > 1) {
      memonline::bus::reads(manager, *connection, "applying");
      memonline::bus::is_denied(manager, *connection, sdbus::ObjectPath(argv[1]));
    } else {
      memonline::bus::reads(manager, *connection, "in-sync");
      memonline::bus::applies(manager, *connection);
    }
    connection->leaveEventLoop();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "client: %s\n", error.what());
    return 1;
  }
}
