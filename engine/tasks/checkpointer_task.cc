// The checkpointer: makes checkpoints when they are asked for, when the log since the last one has
// grown to max_wal_size, and every checkpoint_timeout in which something was logged.
#include <fmt/format.h>

#include <algorithm>

#include "base/server_log.h"
#include "engine/recovery/checkpointer.h"
#include "engine/tasks/checkpoint_request.h"
#include "engine/tasks/task.h"

namespace connbench::engine {
namespace {

// After a failure, so that a full disk does not keep a CPU busy.
constexpr int64_t kRetryMs = 1000;

constexpr const char* kTimedOut = "checkpoint_timeout";

class CheckpointerTask {
 public:
  explicit CheckpointerTask(TaskContext& context)
      : context_(context),
        header_(context.log->header()),
        timeout_ns_(context.config.checkpoint_timeout_s * kNanosecondsPerSecond) {}

  void Run() {
    header_.checkpointer_slot.store(context_.backend.number() + 1, std::memory_order_seq_cst);
    last_begin_ = MonotonicNow();
    while (true) {
      const uint32_t word = context_.backend.WakeupWord();
      if (context_.stop.requested()) break;
      const MonotonicNs now = MonotonicNow();
      if (now < not_before_) {
        context_.backend.Wait(word, not_before_, WaitReason::kTask);
      } else if (const char* reason = Reason(now)) {
        Make(reason, now);
      } else {
        context_.backend.Wait(word, last_begin_ + timeout_ns_, WaitReason::kTask);
      }
    }
    header_.checkpointer_slot.store(0, std::memory_order_seq_cst);
  }

 private:
  // Why there is to be a checkpoint now; null: there is not.
  const char* Reason(MonotonicNs now) {
    if (header_.checkpoints_wanted.load(std::memory_order_seq_cst) !=
        header_.checkpoints_answered.load(std::memory_order_relaxed)) {
      return "asked for";
    }
    if (context_.checkpointer->Due()) return "max_wal_size";
    if (now < last_begin_ + timeout_ns_) return nullptr;
    if (context_.log->inserted() != header_.checkpoint_complete.load()) return kTimedOut;
    last_begin_ = now;  // nothing to write down: the next look is one timeout later
    return nullptr;
  }

  void Make(const char* reason, MonotonicNs now) {
    const uint64_t answers = header_.checkpoints_wanted.load(std::memory_order_seq_cst);
    last_begin_ = now;
    const Result<CheckpointReport> made = context_.checkpointer->Run(
        CheckpointMoment::kServing, [this] { return context_.stop.requested(); });
    // The next run of this task answers then.
    if (!made.ok() && context_.stop.requested()) return;
    if (made.ok()) {
      CountCheckpoint(header_.tallies, *made, reason == kTimedOut);
      LogLine(fmt::format("checkpoint {} ({}): {} of {} pages written in {} ms", made->number,
                          reason, made->pages_written, made->pages,
                          (MonotonicNow() - now) / kNanosecondsPerMillisecond));
    } else {
      LogLine(fmt::format("checkpoint failed ({}): {}", reason, made.status().ToString()));
      header_.checkpoints_failed.store(answers, std::memory_order_seq_cst);
      not_before_ = MonotonicNow() + kRetryMs * kNanosecondsPerMillisecond;
    }
    // Before this task looks again by itself whether the log has grown.
    header_.checkpoint_due_told.store(0, std::memory_order_seq_cst);
    header_.checkpoints_answered.store(answers, std::memory_order_seq_cst);
    RingCheckpointWaiters(*context_.log, context_.backends);
  }

  TaskContext& context_;
  LogHeader& header_;
  const MonotonicNs timeout_ns_;
  MonotonicNs last_begin_ = 0;
  MonotonicNs not_before_ = 0;
};

}  // namespace

void RunCheckpointer(TaskContext& context) { CheckpointerTask(context).Run(); }

}  // namespace connbench::engine
