// SPDX-License-Identifier: LGPL-2.1-or-later
// load KIND AMOUNT SEED [FILE]: puts the guest under a load, prints `ready` and what there is of
// it, and stays.
//
//   idle 0          nothing
//   cache MIB       page cache of FILE: a quarter written and synced, the rest read
//   anonymous MIB   memory of a process, half of it in transparent huge pages where there are any
//   slab MIB        objects of the kernel: files without names, and pipes
//   pipes MIB       data in pipes: pages of the kernel that show no flags
//   uring PAGES     pages of a process, pinned as buffers of an io_uring
//   vmsplice PAGES  pages of a process, lent to pipes
//   huge PAGES      huge pages, every other one of them in use
//
// Left alone, the kernel would fill one zone and block after the other. So nearly all memory is
// taken first, and given back in random pieces, which the load is made of; then all the rest. For
// kinds that keep a block online, the pieces are those of about half of the blocks.
#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::size_t kPiece = 16 * kPage;
constexpr std::size_t kHugePage = 2 * kMiB;
constexpr std::size_t kLeave = 64 * kMiB;  // the guest goes on working
const std::string kBlocks = "/sys/devices/system/memory/";

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// A line of /proc/meminfo, in bytes.
std::size_t meminfo(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  std::size_t kib = 0;
  for (std::string word; file >> word;)
    if (word == name + ":" && file >> kib) return kib * 1024;
  return 0;
}

char* map(std::size_t size, int flags = 0) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return static_cast<char*>(memory);
}

/// Where a page of this process lies.
std::uint64_t frame_of(const char* page) {
  static const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::uint64_t entry = 0;
  const auto offset = reinterpret_cast<std::uintptr_t>(page) / kPage * sizeof entry;
  if (::pread(pagemap, &entry, sizeof entry, static_cast<off_t>(offset)) != sizeof entry)
    fail("pagemap");
  return entry & ((std::uint64_t{1} << 55U) - 1);
}

/// What there is to know of the guest's blocks, and which of them the load is to be in.
class Blocks {
 public:
  explicit Blocks(unsigned long seed) : seed_(seed) {
    std::ifstream(kBlocks + "block_size_bytes") >> std::hex >> bytes_;
    if (bytes_ == 0) fail("block_size_bytes");
  }

  std::uint64_t of(const char* page) const { return frame_of(page) * kPage / bytes_; }

  bool movable(std::uint64_t block) {
    const auto [at, fresh] = movable_.try_emplace(block, false);
    if (fresh) {
      std::string zone;
      std::ifstream(kBlocks + "memory" + std::to_string(block) + "/valid_zones") >> zone;
      at->second = zone == "Movable";
    }
    return at->second;
  }

  bool chosen(std::uint64_t block) const {
    std::mt19937 random(static_cast<unsigned>(seed_ * 1000 + block));
    return random() % 2 == 0;
  }

 private:
  unsigned long seed_;
  std::uint64_t bytes_ = 0;
  std::map<std::uint64_t, bool> movable_;
};

/// Nearly all memory, in pieces in a random order.
class Filling {
 public:
  Filling(std::size_t piece, unsigned long seed) : piece_(piece) {
    const std::size_t size = meminfo("MemTotal") / kHugePage * kHugePage;
    char* memory = map(size + kHugePage);
    memory += kHugePage - reinterpret_cast<std::uintptr_t>(memory) % kHugePage;
    ::madvise(memory, size, piece == kHugePage ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    while (pieces.size() * piece < size && meminfo("MemAvailable") > kLeave)
      for (std::size_t end = pieces.size() + kHugePage / piece; pieces.size() < end;) {
        pieces.push_back(memory + pieces.size() * piece);
        for (std::size_t at = 0; at < piece; at += kPage) pieces.back()[at] = 1;
      }
    std::shuffle(pieces.begin(), pieces.end(), std::mt19937(static_cast<unsigned>(seed)));
  }

  /// Gives back up to `size` of those of which `wanted` is true.
  template <typename Wanted>
  void give_back(std::size_t size, Wanted wanted) {
    const auto given = [&](char* piece) {
      if (size < piece_ || !wanted(piece)) return false;
      size -= piece_;
      return ::madvise(piece, piece_, MADV_DONTNEED) == 0;
    };
    pieces.erase(std::remove_if(pieces.begin(), pieces.end(), given), pieces.end());
  }
  void give_back(std::size_t size) {
    give_back(size, [](const char*) { return true; });
  }
  void give_back_rest() { give_back(SIZE_MAX); }
  std::size_t size() const { return pieces.size() * piece_; }

  std::vector<char*> pieces;

 private:
  std::size_t piece_;
};

void fill_cache(std::size_t size, unsigned long seed, const char* path) {
  const int file = ::open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(size)) != 0) fail(path);
  Filling filling(kPiece, seed);
  filling.give_back(size + size / 8);
  std::vector<char> buffer(kMiB, 'x');
  for (std::size_t at = 0; at < size / 4; at += kMiB)
    if (::pwrite(file, buffer.data(), kMiB, static_cast<off_t>(at)) < 0) fail("write");
  if (::fsync(file) != 0) fail("fsync");
  for (std::size_t at = 0; at < size; at += kMiB)
    if (::pread(file, buffer.data(), kMiB, static_cast<off_t>(at)) < 0) fail("read");
  filling.give_back_rest();
  std::printf("ready: %zu MiB cached\n", meminfo("Cached") / kMiB);
}

void fill_anonymous(std::size_t size, unsigned long seed) {
  Filling filling(kPiece, seed);
  if (filling.size() > size / 2) filling.give_back(filling.size() - size / 2);
  char* more = map(size / 2);
  ::madvise(more, size / 2, MADV_HUGEPAGE);
  std::memset(more, 1, size / 2);
  std::printf("ready: %zu MiB anonymous, %zu MiB of it in huge pages\n",
              meminfo("AnonPages") / kMiB, meminfo("AnonHugePages") / kMiB);
}

/// Takes memory, and leaves holes for the kernel's: in the chosen blocks of its zones.
Filling make_holes(std::size_t size, unsigned long seed) {
  Filling filling(kPiece, seed);
  Blocks blocks(seed);
  filling.give_back(size, [&](const char* piece) {
    const std::uint64_t block = blocks.of(piece);
    return blocks.chosen(block) && !blocks.movable(block);
  });
  return filling;
}

/// A pipe; it lasts as long as this process.
int new_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) fail("pipe");
  return ends[1];
}

void fill_slab(std::size_t size, unsigned long seed) {
  Filling filling = make_holes(size, seed);
  const std::size_t before = meminfo("Slab");
  std::size_t objects = 0;
  for (; meminfo("Slab") < before + size; objects += 400)
    for (int each = 0; each < 200; ++each) {
      if (::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) < 0) fail("O_TMPFILE");
      new_pipe();
    }
  filling.give_back_rest();
  std::printf("ready: %zu MiB of slab more, %zu files and pipes\n",
              (meminfo("Slab") - before) / kMiB, objects);
}

void fill_pipes(std::size_t size, unsigned long seed) {
  Filling filling = make_holes(size + size / 8, seed);
  const std::vector<char> data(kPiece, 'x');
  for (std::size_t done = 0; done < size; done += kPiece)
    if (::write(new_pipe(), data.data(), kPiece) != static_cast<long>(kPiece)) fail("pipe");
  filling.give_back_rest();
  std::printf("ready: %zu MiB in pipes\n", size / kMiB);
}

void lend_to_pipes(const std::vector<iovec>& pages) {
  constexpr std::size_t kHeld = 16;  // by a pipe
  for (std::size_t at = 0; at < pages.size(); at += kHeld) {
    const std::size_t count = std::min(kHeld, pages.size() - at);
    if (::vmsplice(new_pipe(), &pages[at], count, 0) != static_cast<long>(count * kPage))
      fail("vmsplice");
  }
}

void register_buffers(const std::vector<iovec>& pages) {
  io_uring_params parameters{};
  const long ring = ::syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) fail("io_uring_setup");
  if (::syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, pages.data(),
                static_cast<unsigned>(pages.size())) != 0)
    fail("io_uring_register");
}

void pin(std::size_t count, unsigned long seed, bool ring) {
  Filling filling(kPiece, seed);
  Blocks blocks(seed);
  std::vector<iovec> pages;
  std::vector<std::uint64_t> frames;
  filling.give_back(SIZE_MAX, [&](char* piece) {
    if (pages.size() >= std::min<std::size_t>(count, IOV_MAX) || !blocks.chosen(blocks.of(piece)))
      return true;
    pages.push_back({piece, kPage});
    frames.push_back(frame_of(piece));
    return false;
  });
  ring ? register_buffers(pages) : lend_to_pipes(pages);
  std::map<std::uint64_t, std::size_t> by_block;
  std::size_t moved = 0;
  for (std::size_t each = 0; each < pages.size(); ++each) {
    const char* page = static_cast<char*>(pages[each].iov_base);
    if (frame_of(page) != frames[each]) ++moved;
    ++by_block[blocks.of(page)];
  }
  std::printf("ready: %zu pages pinned, %zu of them moved for that; by block:", pages.size(),
              moved);
  for (const auto& [block, pinned] : by_block)
    std::printf(" %llu%s:%zu", static_cast<unsigned long long>(block),
                blocks.movable(block) ? "M" : "", pinned);
  std::puts("");
}

void take_huge_pages(std::size_t count, unsigned long seed) {
  Filling filling(kHugePage, seed);
  filling.give_back((count + count / 4) * kHugePage);
  std::ofstream("/proc/sys/vm/nr_hugepages") << count << std::flush;
  std::size_t got = 0;
  std::ifstream("/proc/sys/vm/nr_hugepages") >> got;
  filling.give_back_rest();
  if (got > 1) {
    char* memory = map(got / 2 * kHugePage, MAP_HUGETLB);
    for (std::size_t at = 0; at < got / 2; ++at) memory[at * kHugePage] = 1;
  }
  std::printf("ready: %zu huge pages, %zu of them in use\n", got, got / 2);
}

bool start(const std::string& kind, std::size_t amount, unsigned long seed, const char* file) {
  const std::size_t size = amount * kMiB;
  if (kind == "cache" && file != nullptr) return fill_cache(size, seed, file), true;
  if (kind == "anonymous") return fill_anonymous(size, seed), true;
  if (kind == "slab") return fill_slab(size, seed), true;
  if (kind == "pipes") return fill_pipes(size, seed), true;
  if (kind == "uring" || kind == "vmsplice") return pin(amount, seed, kind == "uring"), true;
  if (kind == "huge") return take_huge_pages(amount, seed), true;
  if (kind == "idle") return std::puts("ready") >= 0;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::ofstream("/proc/self/oom_score_adj") << 1000 << std::flush;
  const rlimit many{1U << 20U, 1U << 20U};
  if (::setrlimit(RLIMIT_NOFILE, &many) != 0) fail("setrlimit");
  if (!start(argv[1], std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10),
             argc > 4 ? argv[4] : nullptr))
    return 2;
  std::fflush(stdout);
  for (;;) ::pause();
}
