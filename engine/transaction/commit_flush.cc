// A commit's way to the disk: group commit.
#include "engine/transaction/commit_flush.h"

#include "engine/transaction/transaction.h"

namespace connbench::engine {

void Transaction::LogCommit() {
  const Lsn end = system_.log->AppendCommit(backend_.number(), sub_xids_.data(),
                                            static_cast<int64_t>(sub_xids_.size()));
  if (system_.synchronous_commit) return AwaitFlush(end);
  const uint32_t wal_writer = system_.log->WantLater(end);
  if (wal_writer != 0) system_.backends->slot(wal_writer - 1).wakeup.Ring();
}

bool Transaction::TryFlush(Log& log) {
  const ShownWait shown(backend_.slot(), WaitReason::kLogSync);
  return log.TryFlush();
}

// Nobody sleeps for ever: a session says what it waits for before it tries to flush itself. If that
// fails, another session's commit is at it. That session looks for those who wait after it has
// given the latch back, and so sees this one. It rings all whose place is on disk by then, and of
// the others the first, which tries again and flushes for the rest. That one may find its place on
// disk because a task has flushed meanwhile: it then leaves the rest to the task, which rings, too.
void Transaction::AwaitFlush(Lsn lsn) {
  Log& log = *system_.log;
  if (log.durable() >= lsn) return;
  const BackendNumber number = backend_.number();
  const MonotonicNs begin = MonotonicNow();
  while (log.durable() < lsn) {
    const uint32_t word = backend_.WakeupWord();
    log.SetWaitsFor(number, lsn);
    if (log.durable() >= lsn) break;
    if (TryFlush(log)) {
      log.SetWaitsFor(number, kNoLsn);
      WakeCommits(log, *system_.backends);
    } else {
      backend_.Wait(word, kNoDeadline, WaitReason::kLogFlush);
    }
  }
  log.SetWaitsFor(number, kNoLsn);
  BackendWaits& waits = backend_.slot().waits;
  BackendCounters::Increment(waits.commit_waits);
  BackendCounters::Add(waits.commit_wait_ns, MonotonicNow() - begin);
}

void WakeCommits(const Log& log, BackendTable& backends) {
  const Lsn durable = log.durable();
  bool successor = false;
  for (BackendNumber number = 0; number < backends.slots_used(); ++number) {
    const Lsn lsn = log.WaitsFor(number);
    if (lsn == kNoLsn || (lsn > durable && successor)) continue;
    if (lsn > durable) successor = true;
    backends.slot(number).wakeup.Ring();
  }
}

}  // namespace connbench::engine
