// std::mutex and std::unique_lock with the words that clang's thread-safety check needs, which the
// standard library's own lack.
//
// Safety: a Mutex may be locked by any thread of its process; a MutexLock belongs to one thread.
#pragma once

#include <mutex>

#include "base/thread_annotations.h"

namespace connbench {

class CONNBENCH_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds the mutex while it lives, but between Unlock() and Lock().
class CONNBENCH_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CONNBENCH_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() CONNBENCH_RELEASE() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() CONNBENCH_RELEASE() { lock_.unlock(); }
  void Lock() CONNBENCH_ACQUIRE() { lock_.lock(); }
  // For std::condition_variable, which has it locked again when it returns.
  std::unique_lock<std::mutex>& native() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace connbench
