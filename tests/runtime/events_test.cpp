// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel's uevents, as they come and as nobody should send them.
#include "runtime/service/events.hpp"

#include "tests/runtime/local_datagrams.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using service::memory_event_of;
using service::MemoryEvent;

TEST_CASE("events: a memory block comes, goes, and changes") {
  using Action = MemoryEvent::Action;
  const std::string rest("\0ACTION=add\0SUBSYSTEM=memory\0SEQNUM=4711\0", 42);
  const auto event = [&](const std::string& header) { return memory_event_of(header + rest); };
  CHECK(event("add@/devices/system/memory/memory32") ==
        MemoryEvent{Action::Add, model::BlockId(32), 4711});
  CHECK(event("remove@/devices/system/memory/memory0") ==
        MemoryEvent{Action::Remove, model::BlockId(0), 4711});
  CHECK(event("online@/devices/system/memory/memory524287") ==
        MemoryEvent{Action::Online, model::BlockId(524287), 4711});
  CHECK(event("offline@/devices/system/memory/memory7") ==
        MemoryEvent{Action::Offline, model::BlockId(7), 4711});
  CHECK(memory_event_of("add@/devices/system/memory/memory1")->seqnum == 0);
  CHECK(memory_event_of(std::string("add@/devices/system/memory/memory1\0SEQNUM=x", 43))->seqnum ==
        0);
}

TEST_CASE("events: a dax device waits when it comes, and when its driver leaves") {
  const auto waits = [](const std::string& header, const std::string& subsystem) {
    std::string text = header + "@/devices/platform/hmem.0/dax0.0";
    text += '\0';
    text += "ACTION=" + header;
    text += '\0';
    text += "SUBSYSTEM=" + subsystem;
    text += '\0';
    return service::is_waiting_dax(text);
  };
  CHECK(waits("add", "dax"));
  CHECK(waits("unbind", "dax"));
  CHECK_FALSE(waits("bind", "dax"));
  CHECK_FALSE(waits("remove", "dax"));
  CHECK_FALSE(waits("add", "daxx"));
  CHECK_FALSE(waits("add", "memory"));
  CHECK_FALSE(service::is_waiting_dax("add@/devices/SUBSYSTEM=dax"));
}

TEST_CASE("events: everything else is none") {
  for (const char* header :
       {"", "@", "add", "add@", "change@/devices/system/memory/memory3",
        "add@/devices/system/memory/memory", "add@/devices/system/memory/memory3x",
        "add@/devices/system/memory/memory-3", "add@/devices/system/memory/memory 3",
        "add@/devices/system/memory/memory99999999999999999999", "add@/devices/system/memory",
        "add@/devices/system/node/node0", "libudev", "add@/devices/system/memory/memory3/power"})
    CHECK_FALSE(memory_event_of(header));
}

TEST_CASE("events: whatever error the socket tells, events may be lost") {
  test::LocalDatagrams kernel;
  service::EventSource events = service::EventSource::of_socket(kernel.receiver());
  kernel.send("online@/devices/system/memory/memory7");
  const auto before = events.take();
  CHECK(before.events.size() == 1);
  CHECK_FALSE(before.lost);
  kernel.fail();
  CHECK(events.take().lost);
  CHECK_FALSE(events.take().lost);
}

}  // namespace memonline
