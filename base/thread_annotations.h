// Which lock guards what, in a form that clang checks: an access without the lock does not compile
// in the builds that clang makes (cmake/build_kinds.cmake: fuzz). gcc reads none of it.
//
// A member says CONNBENCH_GUARDED_BY(mutex_), a function that may only be called with the lock held
// CONNBENCH_REQUIRES(mutex_). The checker sees one function at a time and compares expressions, so
// code that finds its lock by computation says CONNBENCH_NO_THREAD_SAFETY_ANALYSIS with the reason,
// and asserts what it can (base/assert.h).
//
// Safety: nothing is left of this at run time.
#pragma once

#ifdef __clang__
#define CONNBENCH_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CONNBENCH_THREAD_ANNOTATION(x)
#endif

// For classes: what can be held, and guards that hold it while they live.
#define CONNBENCH_CAPABILITY(name) CONNBENCH_THREAD_ANNOTATION(capability(name))
#define CONNBENCH_SCOPED_CAPABILITY CONNBENCH_THREAD_ANNOTATION(scoped_lockable)

// For members.
#define CONNBENCH_GUARDED_BY(lock) CONNBENCH_THREAD_ANNOTATION(guarded_by(lock))

// For functions.
#define CONNBENCH_REQUIRES(...) CONNBENCH_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CONNBENCH_ACQUIRE(...) CONNBENCH_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CONNBENCH_ACQUIRE_SHARED(...) \
  CONNBENCH_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define CONNBENCH_TRY_ACQUIRE(...) CONNBENCH_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CONNBENCH_TRY_ACQUIRE_SHARED(...) \
  CONNBENCH_THREAD_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define CONNBENCH_RELEASE(...) CONNBENCH_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define CONNBENCH_RELEASE_SHARED(...) \
  CONNBENCH_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define CONNBENCH_EXCLUDES(...) CONNBENCH_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CONNBENCH_NO_THREAD_SAFETY_ANALYSIS CONNBENCH_THREAD_ANNOTATION(no_thread_safety_analysis)
