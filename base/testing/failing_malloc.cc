// A malloc() that a test can let fail.
#include "base/testing/failing_malloc.h"

#include <atomic>
#include <cerrno>

namespace connbench::testing {
namespace {

std::atomic<AllocationHook> allocation_hook{nullptr};

}  // namespace

void SetAllocationHook(AllocationHook hook) { allocation_hook.store(hook); }

[[maybe_unused]] static bool Fails(size_t bytes) {
  const AllocationHook hook = allocation_hook.load(std::memory_order_relaxed);
  if (hook == nullptr || !hook(bytes)) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace connbench::testing

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's own, behind the names that are replaced here
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  return connbench::testing::Fails(bytes) ? nullptr : __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  return connbench::testing::Fails(count * bytes) ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  return connbench::testing::Fails(bytes) ? nullptr : __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return connbench::testing::Fails(bytes) ? nullptr : __libc_memalign(alignment, bytes);
}
}
// NOLINTEND(bugprone-reserved-identifier)
#endif
