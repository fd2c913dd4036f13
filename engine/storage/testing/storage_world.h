// What the storage tests and benchmarks share: an engine's lower half in a small segment, and
// sessions on it. Throws where a test could not go on.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/segment/wakeup.h"
#include "engine/storage/btree.h"
#include "engine/storage/heap.h"
#include "engine/storage/storage.h"
#include "engine/transaction/backend.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

// The segment and what lives in it.
class StorageWorld {
 public:
  explicit StorageWorld(int64_t pages = 1024, int64_t recent_transactions = 1 << 16,
                        int64_t remembered_transactions = 1 << 20) {
    config_.segment_backing = SegmentBacking::kAnonymous;
    config_.shared_buffers_bytes = pages * kPageSize;
    config_.max_connections = 40;
    config_.max_relations = 64;
    config_.deadlock_timeout_ms = 100;
    config_.recent_transactions = recent_transactions;
    config_.remembered_transactions = remembered_transactions;
    const int64_t reserved =
        AddSize(TransactionSystem::ReservedShmemSize(config_), Storage::ShmemSize(config_));
    segment_ =
        Check(Segment::Create(config_, reserved, TransactionSystem::SparseShmemSize(config_)));
    system_ = Check(TransactionSystem::Init(*segment_, config_));
    Check(Storage::Init(*segment_, config_));
    storage_ = std::make_unique<Storage>(*segment_, system_);
    Check(storage_->CreateCatalog());
    segment_->Seal();
  }

  Storage& storage() { return *storage_; }
  const TransactionSystem& system() const { return system_; }
  const Segment& segment() const { return *segment_; }
  BackendTable& backends() { return *system_.backends; }

  StorageId NewHeap() { return Check(storage_->CreateStorage(1)); }
  StorageId NewIndex() {
    const StorageId id = Check(storage_->CreateStorage(2));
    Check(BTree::Create(*storage_, id));
    return id;
  }

 private:
  template <typename T>
  static T Check(Result<T> result) {
    Check(result.status());
    return std::move(result.value());
  }
  static void Check(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

  EngineConfig config_;
  std::unique_ptr<Segment> segment_;
  TransactionSystem system_;
  std::unique_ptr<Storage> storage_;
};

// A session without SQL; one thread's.
class TestSession {
 public:
  TestSession(StorageWorld& world, uint32_t connection_id)
      : backend_(std::move(
            Backend::Start(world.backends(), connection_id, /*superuser=*/true, waiter_).value())),
        transaction_(world.system(), *backend_) {}

  Transaction& tx() { return transaction_; }
  void Begin(IsolationLevel isolation = IsolationLevel::kReadCommitted) {
    transaction_.Begin(isolation, /*read_only=*/false);
  }
  void Commit() {
    if (const Status status = transaction_.Commit(); !status.ok()) {
      throw std::runtime_error(status.ToString());
    }
  }
  void Rollback() { transaction_.Rollback(); }

 private:
  BlockingWaiter waiter_;
  std::unique_ptr<Backend> backend_;
  Transaction transaction_;
};

// A snapshot for as long as it is in scope.
class ScopedSnapshot {
 public:
  explicit ScopedSnapshot(TestSession& session)
      : session_(session), snapshot_(session.tx().TakeSnapshot()) {}
  ~ScopedSnapshot() { session_.tx().ReleaseSnapshot(snapshot_); }
  ScopedSnapshot(const ScopedSnapshot&) = delete;
  ScopedSnapshot& operator=(const ScopedSnapshot&) = delete;
  const Snapshot& get() const { return snapshot_; }

 private:
  TestSession& session_;
  Snapshot snapshot_;
};

// A key that memcmp orders as the number is.
inline std::string IntKey(uint64_t number) {
  std::string key(8, '\0');
  for (int i = 7; i >= 0; --i) {
    key[i] = static_cast<char>(number);
    number >>= 8;
  }
  return key;
}

}  // namespace connbench::engine
