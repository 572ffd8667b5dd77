// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs in a guest: carries out memory operations read from standard input, one a line, and answers
// each with what the kernel said and all that changed since the answer before, that of an earlier
// run too: blocks, spans of zones, knobs. No process is started between operations, so that
// thousands are quick even without hardware acceleration.
//
//   look                    nothing; the first answer to anything is everything
//   state N WORD            write WORD into memoryN/state, in one write
//   attribute N 0|1         write into memoryN/online
//   set KNOB VALUE          write a knob
//   present FIRST COUNT     wait until these blocks are there and nobody holds the hotplug lock
//   absent FIRST COUNT      wait until they are gone
//   unchanged MILLISECONDS  wait until no block came or went for so long
//
// An answer is "= ERRNO" (0, EINVAL, ...; ETIMEDOUT where waiting was in vain), then lines
// "b BLOCK NODES STATE ZONES...", "b BLOCK gone", "z NODE ZONE START SPANNED PRESENT",
// "z NODE ZONE gone", "k KNOB VALUE", then ".".
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

const std::string kMemory = "/sys/devices/system/memory/";
const std::string kParameters = "/sys/module/memory_hotplug/parameters/";
constexpr long kOfflineSeconds = 3;  // a write that takes longer is ended by a signal
constexpr long kWaitMilliseconds = 20000;
const std::string kRemembered = "/run/blockops";  // the last answer's facts, for the next run

using Facts = std::map<std::string, std::string>;  // "b 35" -> "1 online Movable"

std::string error_name(int error) {
  switch (error) {
    case 0: return "0";
    case EINVAL: return "EINVAL";
    case ENOENT: return "ENOENT";
    case ENODEV: return "ENODEV";
    case EBUSY: return "EBUSY";
    case EAGAIN: return "EAGAIN";
    case EINTR: return "EINTR";
    case ENOMEM: return "ENOMEM";
    case EPERM: return "EPERM";
    case ERANGE: return "ERANGE";
    case ETIMEDOUT: return "ETIMEDOUT";
    default: return "E" + std::to_string(error);
  }
}

std::string read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text;
  char buffer[8192];
  for (ssize_t got = 0; (got = read(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  close(file);
  return text;
}

std::string line_of(const std::string& path) {
  std::string text = read_file(path);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

int write_file(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  itimerval deadline{{0, 0}, {kOfflineSeconds, 0}};
  setitimer(ITIMER_REAL, &deadline, nullptr);
  const ssize_t written = write(file, text.data(), text.size());
  const int error = written < 0 ? errno : 0;
  deadline.it_value.tv_sec = 0;
  setitimer(ITIMER_REAL, &deadline, nullptr);
  close(file);
  return error;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
  closedir(directory);
  return names;
}

// The number of "memory35" or "node1"; -1 for other names.
long number_in(const std::string& name, const std::string& prefix) {
  if (name.size() <= prefix.size() || name.compare(0, prefix.size(), prefix) != 0) return -1;
  char* end = nullptr;
  const long number = std::strtol(name.c_str() + prefix.size(), &end, 10);
  return *end == '\0' ? number : -1;
}

std::set<long> block_ids() {
  std::set<long> ids;
  for (const std::string& name : names_in(kMemory))
    if (const long id = number_in(name, "memory"); id >= 0) ids.insert(id);
  return ids;
}

std::string block_path(long id) { return kMemory + "memory" + std::to_string(id) + "/"; }

// A block's nodes never change while it is there, and listing its directory is slow.
std::string nodes_of(long id, std::map<long, std::string>& known) {
  std::string& nodes = known[id];
  if (!nodes.empty()) return nodes;
  std::set<long> found;
  for (const std::string& name : names_in(block_path(id)))
    if (const long node = number_in(name, "node"); node >= 0) found.insert(node);
  for (const long node : found) nodes += (nodes.empty() ? "" : ",") + std::to_string(node);
  return nodes.empty() ? "-" : nodes;
}

void read_blocks(Facts& facts) {
  static std::map<long, std::string> nodes;
  const std::set<long> ids = block_ids();
  for (auto at = nodes.begin(); at != nodes.end();)
    at = ids.count(at->first) != 0 ? std::next(at) : nodes.erase(at);
  for (const long id : ids)
    facts["b " + std::to_string(id)] = nodes_of(id, nodes) + " " +
                                       line_of(block_path(id) + "state") + " " +
                                       line_of(block_path(id) + "valid_zones");
}

// /proc/zoneinfo: "Node 0, zone   Normal", then indented lines; start_pfn only where there are
// pages.
void read_zones(Facts& facts) {
  std::istringstream text(read_file("/proc/zoneinfo"));
  std::string key;
  std::map<std::string, std::string> zone;
  const auto finish = [&] {
    if (!key.empty() && (zone["spanned"] != "0" || zone["present"] != "0"))
      facts[key] = (zone["start_pfn:"].empty() ? "0" : zone["start_pfn:"]) + " " + zone["spanned"] +
                   " " + zone["present"];
    zone.clear();
  };
  for (std::string line; std::getline(text, line);) {
    int node = 0;
    char name[32];
    if (std::sscanf(line.c_str(), "Node %d, zone %31s", &node, name) == 2) {
      finish();
      key = "z " + std::to_string(node) + " " + name;
      continue;
    }
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "spanned" || word == "present" || word == "start_pfn:") words >> zone[word];
  }
  finish();
}

void read_knobs(Facts& facts) {
  const auto knob = [&](const std::string& directory, const std::string& name) {
    const std::string value = line_of(directory + name);
    if (!value.empty()) facts["k " + name] = value;
  };
  knob(kMemory, "auto_online_blocks");
  for (const char* name : {"online_policy", "auto_movable_ratio", "auto_movable_numa_aware"})
    knob(kParameters, name);
}

std::string differences(const Facts& before, const Facts& after) {
  std::string text;
  for (const auto& [key, value] : after) {
    const auto at = before.find(key);
    if (at == before.end() || at->second != value) text += key + " " + value + "\n";
  }
  for (const auto& [key, value] : before)
    if (after.count(key) == 0) text += key + " gone\n";
  return text;
}

Facts remembered() {
  Facts facts;
  std::istringstream text(read_file(kRemembered));
  for (std::string key, value; std::getline(text, key) && std::getline(text, value);)
    facts[key] = value;
  return facts;
}

void remember(const Facts& facts) {
  std::FILE* file = std::fopen(kRemembered.c_str(), "w");
  if (file == nullptr) return;
  for (const auto& [key, value] : facts) std::fprintf(file, "%s\n%s\n", key.c_str(), value.c_str());
  std::fclose(file);
}

// Writing `online` into a block that is online does nothing but take the hotplug lock, and so
// waits for whoever adds or removes memory. Block 0 holds the kernel's own first pages.
void pass_hotplug_lock() { (void)write_file(block_path(0) + "state", "online\n"); }

template <class Condition>
int wait_until(Condition condition) {
  for (long waited = 0; !condition(); waited += 10) {
    if (waited > kWaitMilliseconds) return ETIMEDOUT;
    usleep(10000);
  }
  pass_hotplug_lock();
  return 0;
}

int wait_for(long first, long count, bool there) {
  return wait_until([&] {
    const std::set<long> ids = block_ids();
    long found = 0;
    for (long id = first; id < first + count; ++id) found += ids.count(id) != 0 ? 1 : 0;
    return found == (there ? count : 0);
  });
}

int wait_unchanged(long milliseconds) {
  std::set<long> before = block_ids();
  long quiet = 0;
  return wait_until([&] {
    const std::set<long> now = block_ids();
    quiet = now == before ? quiet + 10 : 0;
    before = now;
    return quiet > milliseconds;
  });
}

int carry_out(std::istringstream& words) {
  std::string verb;
  words >> verb;
  long number = 0;
  std::string text;
  if (verb == "look") return 0;
  if (verb == "state" || verb == "attribute") {
    words >> number >> text;
    return write_file(block_path(number) + (verb == "state" ? "state" : "online"), text + "\n");
  }
  if (verb == "set") {
    std::string knob;
    words >> knob >> text;
    const std::string& directory = knob == "auto_online_blocks" ? kMemory : kParameters;
    return write_file(directory + knob, text + "\n");
  }
  if (verb == "present" || verb == "absent") {
    long count = 0;
    words >> number >> count;
    return wait_for(number, count, verb == "present");
  }
  if (verb == "unchanged") {
    words >> number;
    return wait_unchanged(number);
  }
  return ENOSYS;
}

void answer(int error, Facts& before) {
  Facts now;
  read_blocks(now);
  read_zones(now);
  read_knobs(now);
  std::string text = "= " + error_name(error) + "\n" + differences(before, now) + ".\n";
  before = std::move(now);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

int main() {
  // No SA_RESTART: the signal is to end the write.
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  Facts before = remembered();
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::istringstream words(line);
    answer(carry_out(words), before);
  }
  remember(before);
  return 0;
}
