// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/shared_progress.hpp"

#include <cerrno>
#include <new>

#include <sys/mman.h>

namespace memonline::apply {

static_assert(sizeof(BlockResult) == 4, "large hosts have half a million of them");
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");

namespace {

struct Layout {
  std::size_t tasks, results, size;
};

Layout layout_of(const Program& program) {
  constexpr std::size_t kLine = 64;
  const auto up = [](std::size_t n) { return (n + kLine - 1) / kLine * kLine; };
  Layout layout{};
  layout.tasks = up(sizeof(SharedProgress::Head));
  layout.results = up(layout.tasks + program.tasks.size() * sizeof(TaskProgress));
  layout.size = up(layout.results + program.results * sizeof(BlockResult)) + kLine;
  return layout;
}

}  // namespace

Result<std::shared_ptr<SharedProgress>, int> SharedProgress::make(const Program& program) {
  constexpr std::size_t kMaxResults = std::size_t{1} << 32U;  // more blocks than any machine has
  if (program.results > kMaxResults) return fail(ENOMEM);
  const std::size_t size = layout_of(program).size;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return fail(static_cast<int>(errno));
  return std::shared_ptr<SharedProgress>(new SharedProgress(memory, size, program));
}

SharedProgress::SharedProgress(void* memory, std::size_t size, const Program& program)
    : memory_(memory), size_(size) {
  const Layout layout = layout_of(program);
  auto* bytes = static_cast<std::byte*>(memory);
  head_ = new (bytes) Head;
  tasks_ = reinterpret_cast<TaskProgress*>(bytes + layout.tasks);
  for (std::size_t i = 0; i < program.tasks.size(); ++i) new (tasks_ + i) TaskProgress;
  results_ = reinterpret_cast<BlockResult*>(bytes + layout.results);
  for (std::size_t i = 0; i < program.results; ++i) new (results_ + i) BlockResult;
}

SharedProgress::~SharedProgress() { ::munmap(memory_, size_); }

void SharedProgress::lock_in_memory() { (void)::mlock(memory_, size_); }

}  // namespace memonline::apply
