// What the tests of this folder and of those above it need: a small transaction system in an
// anonymous segment, and sessions in it.
//
// Safety: test code; one Environment per test. A TestSession belongs to one thread at a time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/segment/wakeup.h"
#include "engine/transaction/backend.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

inline EngineConfig SmallConfig() {
  EngineConfig config;
  config.segment_backing = SegmentBacking::kAnonymous;
  config.max_connections = 20;
  config.deadlock_timeout_ms = 20;
  config.recent_transactions = 1024;
  config.remembered_transactions = 1 << 20;
  return config;
}

// Room for what others write while a thread with a snapshot is off its processor.
inline EngineConfig RoomyConfig() {
  EngineConfig config = SmallConfig();
  config.recent_transactions = 1 << 22;
  config.remembered_transactions = 1 << 22;
  return config;
}

class TransactionEnvironment {
 public:
  explicit TransactionEnvironment(const EngineConfig& config = SmallConfig()) {
    auto made = Segment::Create(config, TransactionSystem::ReservedShmemSize(config),
                                TransactionSystem::SparseShmemSize(config));
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    segment_ = std::move(*made);
    auto system = TransactionSystem::Init(*segment_, config);
    EXPECT_TRUE(system.ok()) << system.status().ToString();
    system_ = *system;
    segment_->Seal();
  }

  TransactionSystem& system() { return system_; }
  Segment& segment() { return *segment_; }
  BackendTable& backends() { return *system_.backends; }
  CommitLog& log() { return *system_.commit_log; }

 private:
  std::unique_ptr<Segment> segment_;
  TransactionSystem system_;
};

// A session without SQL: backend, waiter and transaction.
class TestSession {
 public:
  TestSession(TransactionEnvironment& environment, uint32_t connection_id)
      : TestSession(environment.system(), connection_id) {}
  TestSession(const TransactionSystem& system, uint32_t connection_id) {
    auto started = Backend::Start(*system.backends, connection_id, /*superuser=*/true, waiter_);
    EXPECT_TRUE(started.ok()) << started.status().ToString();
    backend_ = std::move(*started);
    transaction_ = std::make_unique<Transaction>(system, *backend_);
  }

  Backend& backend() { return *backend_; }
  Transaction& operator*() { return *transaction_; }
  Transaction* operator->() { return transaction_.get(); }
  LockManager& locks() { return transaction_->locks(); }

  void Begin(IsolationLevel isolation = IsolationLevel::kReadCommitted) {
    transaction_->Begin(isolation, /*read_only=*/false);
  }
  Xid Write() {
    auto xid = transaction_->CurrentXid();
    EXPECT_TRUE(xid.ok()) << xid.status().ToString();
    return xid.ok() ? *xid : kInvalidXid;
  }
  // A whole transaction that writes; its xid.
  Xid CommitOne() {
    Begin();
    const Xid xid = Write();
    EXPECT_TRUE(transaction_->Commit().ok());
    return xid;
  }
  // True once the session sleeps on a lock.
  bool Waits() const {
    return backend_->slot().waiting_request.load(std::memory_order_acquire) != 0;
  }

 private:
  BlockingWaiter waiter_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Transaction> transaction_;
};

}  // namespace connbench::engine
