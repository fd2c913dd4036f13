// A word in the segment on which one session waits and which anyone may ring.
//
// Safety: lives in shared memory; trivially destructible, no pointers. Ring() may be called by any
// thread of any process, with or without latches held; it never blocks. Only the session that owns
// the wakeup waits on it, through the Waiter its model gave it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace connbench::engine {

struct Wakeup {
  std::atomic<uint32_t> word{0};     // counts rings; the value is compared, never interpreted
  std::atomic<uint32_t> waiting{0};  // 1 while the owner may be asleep: spares the system call
  uint32_t futex_private = 0;        // 1: FUTEX_PRIVATE_FLAG
  // 0: the owner sleeps in futex(word). Otherwise an event descriptor, valid in every process that
  // can ring, which Ring() writes to: for owners that live in an event loop. Such an owner sets it
  // before it looks at word for the last time and sleeps.
  std::atomic<int32_t> event_fd{0};

  void Ring();
  // The same on the thread of the loop that has this event descriptor, or -1. It looks at the words
  // of its own sessions next, and need not be signalled for them.
  void RingFrom(int own_event_fd);
};
static_assert(std::atomic<uint32_t>::is_always_lock_free);

enum class WaitReason : uint8_t {
  kRowLock,      // another transaction holds the row
  kTableLock,    // another transaction holds the table in a conflicting mode
  kUniqueCheck,  // another transaction inserted the same key and is still open
  kSleep,        // pg_sleep()
  kLogFlush,     // a commit's log record is not on disk yet
  kLogSync,      // not a wait for others: the session itself brings the log to disk
  kPageRead,     // a page is being read, by whomever
  kFrame,        // every frame of the buffer pool is in use
  kCheckpoint,   // CHECKPOINT: the checkpointer is at it
  kTask,         // a task of the engine has nothing to do
  kGather,       // parallel workers have no row ready
  kRowQueue,     // a parallel worker's queue is full
  kTeamEnd,      // parallel workers have been told to stop
};

enum class WaitResult : uint8_t { kRung, kTimedOut };

// What the kernel does for the sessions of one thread while that thread runs others
// (io_method=io_uring, storage/ring_reads.h).
//
// Safety: the thread whose sessions they are.
class ThreadIo {
 public:
  virtual ~ThreadIo() = default;
  // Ends what the kernel has done, and rings who waited for it; never blocks. The caller then looks
  // at the wakeups of its own sessions, which need no other signal.
  virtual void Reap() = 0;
  // Nothing is under way.
  virtual bool idle() const = 0;
};

// A thread that runs several sessions has one. It calls Reap() when event_fd has been written to,
// and does not end before idle().
struct ThreadIoPlace {
  int event_fd = -1;
  std::unique_ptr<ThreadIo> io;  // made when the first of the sessions needs it
};

// How a session's thread of control waits for something that may take long (a row lock, the flush
// that another session does for its commit). The connection model hands one in, so that a thread
// can block, a fiber can park and a pool can add a worker. Latches do not come here: they are
// short.
//
// Safety: used by one thread at a time, the one that runs the session.
class Waiter {
 public:
  virtual ~Waiter() = default;

  // Returns kRung as soon as wakeup.word != expected (at once if it already is), kTimedOut when
  // deadline passes first. Spurious returns of kRung are allowed: callers loop.
  virtual WaitResult Wait(Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                          WaitReason reason) = 0;

  // Called now and then by a statement that computes for long, without latches or pins: who runs
  // several sessions on one thread may run others before it returns.
  virtual void Yield() {}

  // Of the thread that runs the session, if that one runs others while this one waits. Null: the
  // thread blocks.
  virtual ThreadIoPlace* thread_io() { return nullptr; }

  // Calls block(), which blocks the thread until the kernel has done something for the session. Who
  // has other threads for other sessions may see to it that one runs. Must not throw.
  virtual void Block(const std::function<void()>& block) { block(); }
};

// Blocks the calling thread in futex(2).
class BlockingWaiter : public Waiter {
 public:
  WaitResult Wait(Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                  WaitReason reason) override;
};

}  // namespace connbench::engine
