// SPDX-License-Identifier: LGPL-2.1-or-later
// Every write is one write(2) with its newline: kernels up to 3.10 compare only as many bytes as
// they get and would take a bare `online` for online_kernel.
#include "runtime/apply/sysfs.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "compiler/model/knob.hpp"
#include "runtime/host/blocks.hpp"

namespace memonline::apply {

namespace {

constexpr const char* kMemory = "sys/devices/system/memory";
constexpr const char* kStandby = "sys/firmware/memory";
constexpr const char* kDax = "sys/bus/dax";
constexpr const char* kAcpi = "sys/bus/acpi/devices";
constexpr const char* kParameters = "sys/module/memory_hotplug/parameters";

/// A short text made without allocation; a text that does not fit is cut, and no such file exists.
class ShortText {
 public:
  ShortText& add(std::string_view text) noexcept {
    const std::size_t count = std::min(text.size(), text_.size() - 1 - size_);
    std::memcpy(text_.data() + size_, text.data(), count);
    size_ += count;
    return *this;
  }
  ShortText& add(std::uint64_t number, int base = 10) noexcept {
    const auto end =
        std::to_chars(text_.data() + size_, text_.data() + text_.size() - 1, number, base).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
    return *this;
  }
  [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
};

ShortText path_of(BlockId block, std::string_view attribute) noexcept {
  return ShortText().add("memory").add(block.value()).add("/").add(attribute);
}

int write_line(int directory, const char* path, std::string_view text) noexcept {
  std::array<char, 40> line{};
  if (text.size() + 1 > line.size()) return EINVAL;
  std::memcpy(line.data(), text.data(), text.size());
  line[text.size()] = '\n';
  const int file = ::openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return errno;
  const ssize_t written = ::write(file, line.data(), text.size() + 1);
  const int error = written < 0 ? errno : 0;
  ::close(file);
  return answer_of(written, text.size() + 1, error);
}

/// Bytes read, or -errno.
ssize_t read_line(int directory, const char* path, char* buffer, std::size_t capacity) noexcept {
  const int file = ::openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return -errno;
  const ssize_t got = ::read(file, buffer, capacity);
  const int error = got < 0 ? errno : 0;
  ::close(file);
  return error != 0 ? -error : got;
}

auto refused(const std::string& path, std::string operation, int number) {
  return fail(runtime::FileError{path, std::move(operation), number, std::strerror(number)});
}

}  // namespace

Result<Sysfs, runtime::FileError> Sysfs::open(const std::string& root) {
  const std::string path = (root == "/" ? root : root + "/") + kMemory;
  const int memory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (memory < 0) return refused(path, "open", errno);
  Sysfs sysfs(memory);
  struct statfs kind {};
  struct statvfs mount {};
  if (::fstatfs(memory, &kind) != 0 || ::fstatvfs(memory, &mount) != 0)
    return refused(path, "examine", errno);
  if (kind.f_type != SYSFS_MAGIC)
    return fail(runtime::FileError{path, "change", 0, "not a live sysfs but a copy of one"});
  if ((mount.f_flag & ST_RDONLY) != 0)
    return fail(runtime::FileError{path, "change", EROFS, "/sys is mounted read-only"});
  const std::string standby = (root == "/" ? root : root + "/") + kStandby;
  sysfs.standby_ = ::open(standby.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string dax = (root == "/" ? root : root + "/") + kDax;
  sysfs.dax_ = ::open(dax.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string acpi = (root == "/" ? root : root + "/") + kAcpi;
  sysfs.acpi_ = ::open(acpi.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string proc = (root == "/" ? root : root + "/") + "proc";
  sysfs.proc_ = ::open(proc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string parameters = (root == "/" ? root : root + "/") + kParameters;
  sysfs.parameters_ = ::open(parameters.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // There since 5.15, where valid_zones follows the newer rule for certain (host/blocks.hpp).
  sysfs.zones_tell_state_ =
      sysfs.parameters_ >= 0 && ::faccessat(sysfs.parameters_, "online_policy", F_OK, 0) == 0;
  return sysfs;
}

Sysfs::Sysfs(Sysfs&& other) noexcept
    : memory_(std::exchange(other.memory_, -1)),
      dax_(std::exchange(other.dax_, -1)),
      acpi_(std::exchange(other.acpi_, -1)),
      standby_(std::exchange(other.standby_, -1)),
      parameters_(std::exchange(other.parameters_, -1)),
      proc_(std::exchange(other.proc_, -1)),
      zones_tell_state_(other.zones_tell_state_) {}

Sysfs::~Sysfs() {
  if (memory_ >= 0) ::close(memory_);
  if (dax_ >= 0) ::close(dax_);
  if (acpi_ >= 0) ::close(acpi_);
  if (standby_ >= 0) ::close(standby_);
  if (parameters_ >= 0) ::close(parameters_);
  if (proc_ >= 0) ::close(proc_);
}

int Sysfs::write_state(BlockId block, std::string_view word) noexcept {
  // `state`, never `online`: that file takes the same words and onlines for any of them by the
  // kernel's own choice (online_store() reads a truth value).
  return write_line(memory_, path_of(block, "state").c_str(), word);
}

BlockView Sysfs::look(BlockId block) noexcept {
  std::array<char, 64> text{};
  BlockView view;
  const ssize_t zones =
      read_line(memory_, path_of(block, "valid_zones").c_str(), text.data(), text.size());
  if (zones >= 0) view.zones = runtime::zones_of({text.data(), static_cast<std::size_t>(zones)});
  if (zones_tell_state_ && runtime::online_by(view.zones)) {
    view.state = model::State::Online;
    return view;
  }
  const ssize_t state =
      read_line(memory_, path_of(block, "state").c_str(), text.data(), text.size());
  if (state < 0) {
    view.error = static_cast<int>(-state);
    return view;
  }
  view.state = runtime::state_of({text.data(), static_cast<std::size_t>(state)});
  return view;
}

int Sysfs::directory_of(model::Knob knob) const {
  return knob == model::Knob::AutoOnlineBlocks ? memory_ : parameters_;
}

int Sysfs::write_knob(model::Knob knob, std::string_view value) noexcept {
  const ShortText path = ShortText().add(model::knob_name(knob));
  const int directory = directory_of(knob);
  return directory < 0 ? ENOENT : write_line(directory, path.c_str(), value);
}

KnobView Sysfs::read_knob(model::Knob knob) noexcept {
  const ShortText path = ShortText().add(model::knob_name(knob));
  const int directory = directory_of(knob);
  KnobView view;
  const ssize_t got = directory < 0
                          ? -ENOENT
                          : read_line(directory, path.c_str(), view.text.data(), view.text.size());
  if (got < 0) {
    view.error = static_cast<int>(-got);
    return view;
  }
  view.size = static_cast<std::size_t>(got);
  while (view.size > 0 && view.text[view.size - 1] == '\n') --view.size;
  return view;
}

int Sysfs::wait_for_adds(BlockId online_block) noexcept {
  return write_line(memory_, path_of(online_block, "online").c_str(), "1");
}

int Sysfs::probe(std::uint64_t address) noexcept {
  return write_line(memory_, "probe", ShortText().add("0x").add(address, 16).view());
}

namespace {

ShortText path_of(BlockId block, StandbyFile file) noexcept {
  return path_of(block, file == StandbyFile::Config ? "config" : "memmap_on_memory");
}

}  // namespace

int Sysfs::write_standby(BlockId block, StandbyFile file, bool value) noexcept {
  if (standby_ < 0) return ENOENT;
  return write_line(standby_, path_of(block, file).c_str(), value ? "1" : "0");
}

StandbyView Sysfs::look_at_standby(BlockId block) noexcept {
  StandbyView view;
  const auto read = [&](StandbyFile file) {
    std::array<char, 8> text{};
    const ssize_t got =
        standby_ < 0 ? -ENOENT
                     : read_line(standby_, path_of(block, file).c_str(), text.data(), text.size());
    if (got < 0 && file == StandbyFile::Config) view.error = static_cast<int>(-got);
    return got > 0 && text[0] == '1';
  };
  view.configured = read(StandbyFile::Config);
  view.own_map = read(StandbyFile::MemmapOnMemory);
  return view;
}

int Sysfs::bind_dax(std::string_view device) noexcept {
  if (dax_ < 0) return ENOENT;
  const int error = write_line(dax_, "drivers/kmem/bind", device);
  // kmem matches by itself only what was made for it; any other device it takes by its name, and
  // `new_id` binds at once (do_id_store(), drivers/dax/bus.c).
  return error == ENODEV ? write_line(dax_, "drivers/kmem/new_id", device) : error;
}

int Sysfs::eject_dimm(std::uint32_t number) noexcept {
  if (acpi_ < 0) return ENOENT;
  // "PNP0C80:0a"
  const ShortText path =
      ShortText().add(number < 16 ? "PNP0C80:0" : "PNP0C80:").add(number, 16).add("/eject");
  return write_line(acpi_, path.c_str(), "1");
}

int Sysfs::unbind_dax(std::string_view device) noexcept {
  if (dax_ < 0) return ENOENT;
  // 7.3+: removes all blocks or none, so that the driver cannot leave while a block has come
  // online.
  const ShortText state = ShortText().add("devices/").add(device).add("/state");
  int error = write_line(dax_, state.c_str(), "unplugged");
  // The unit of the service may write only what is below /sys/bus/dax.
  if (error == ENOENT || error == EROFS || error == EACCES) error = 0;
  if (error == 0) error = write_line(dax_, "drivers/kmem/unbind", device);
  if (error == 0) (void)write_line(dax_, "drivers/kmem/remove_id", device);
  return error;
}

int Sysfs::reclaim(plan::Reclaim what) noexcept {
  if (proc_ < 0) return ENOENT;
  if (what == plan::Reclaim::Compact) return write_line(proc_, "sys/vm/compact_memory", "1");
  return write_line(proc_, "sys/vm/drop_caches", what == plan::Reclaim::PageCache ? "1" : "2");
}

// Lines as "Node 0, zone   Normal      1      0      2": counts by order, from the fifth word on.
std::optional<std::uint64_t> Sysfs::free_memory(unsigned order) noexcept {
  constexpr unsigned kWordsBefore = 4;
  constexpr unsigned kMaxOrders = 20;
  const int file = proc_ < 0 ? -1 : ::openat(proc_, "buddyinfo", O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::array<char, 4096> part{};
  std::array<std::uint64_t, kMaxOrders> by_order{};
  unsigned orders = 0;
  std::uint64_t number = 0;
  unsigned word = 0;
  bool in_word = false;
  ssize_t got = 0;
  while ((got = ::read(file, part.data(), part.size())) > 0)
    for (ssize_t i = 0; i < got; ++i) {
      const char c = part[static_cast<std::size_t>(i)];
      const bool blank = c == ' ' || c == '\n';
      if (!blank) {
        const bool digit = c >= '0' && c <= '9';
        number = digit ? (in_word ? number * 10 : 0) + static_cast<std::uint64_t>(c - '0') : 0;
      } else if (in_word) {
        if (word >= kWordsBefore && word < kWordsBefore + kMaxOrders) {
          by_order[word - kWordsBefore] += number;
          orders = std::max(orders, word - kWordsBefore + 1);
        }
        ++word;
      }
      in_word = !blank;
      if (c == '\n') word = 0;
    }
  ::close(file);
  if (got < 0 || orders == 0) return std::nullopt;
  std::uint64_t pages = 0;
  for (unsigned i = std::min(order, orders - 1); i < orders; ++i) pages += by_order[i] << i;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void Sysfs::pause(std::chrono::milliseconds time) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  timespec wait{};
  wait.tv_sec = seconds.count();
  wait.tv_nsec = std::chrono::nanoseconds(time - seconds).count();
  ::nanosleep(&wait, nullptr);
}

}  // namespace memonline::apply
