// For tests: lets allocations fail, all that a program makes, those of C libraries included.
//
// A test program that has failing_malloc.cc among its sources has a malloc() of its own, which asks
// a hook before it hands the request on to the C library.
//
// Safety: the hook may be called by any thread, in the middle of anything: it allocates nothing.
#pragma once

#include <cstddef>

namespace connbench::testing {

// True: this allocation fails. It may also do something else, as ending the process.
using AllocationHook = bool (*)(size_t bytes);

// Null: none. Inherited by children of fork().
void SetAllocationHook(AllocationHook hook);

// Whether this build can do it: a sanitizer has a malloc() of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kAllocationsCanFail = false;
#else
inline constexpr bool kAllocationsCanFail = true;
#endif

}  // namespace connbench::testing
