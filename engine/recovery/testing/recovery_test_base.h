// For tests of a data directory: an engine on files that misbehave, with one session on it.
//
// Safety: one thread, but for what a test does itself.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine_on_files.h"
#include "engine/files/testing/faulty_files.h"
#include "engine/segment/segment.h"
#include "engine/sql/testing/sql_test_base.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/storage.h"
#include "engine/verify_data.h"
#include "engine/wal/log.h"

namespace connbench::engine {

inline constexpr const char* kFolder = "/data";

// Of an engine with few connections and little memory that keeps its data in the folder.
inline EngineConfig SmallConfig(const std::string& folder) {
  EngineConfig config;
  config.data_directory = folder;
  config.shared_buffers_bytes = int64_t{8} << 20;
  config.max_connections = 8;
  config.connection_log_entries = 64;
  config.max_relations = 100;
  config.recent_transactions = 1024;
  config.remembered_transactions = int64_t{1} << 20;
  config.wal_buffers_bytes = int64_t{1} << 20;
  return config;
}

class RecoveryTest : public ::testing::Test {
 protected:
  Status Open() {
    session_.reset();
    engine_.reset();
    auto made = CreateEngineOnFiles(config_, files_);
    if (!made.ok()) return made.TakeStatus();
    engine_ = std::move(*made);
    session_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>{}, "postgres");
    return {};
  }
  void MustOpen() {
    const Status opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.ToString();
  }
  void Close() {
    session_.reset();
    const Status closed = engine_->CloseData();
    EXPECT_TRUE(closed.ok()) << closed.ToString();
    engine_.reset();
  }
  // The server dies, and what it has not synced may be lost. crashed: the power has failed already.
  void Crash(uint64_t seed, bool crashed = false) {
    if (!crashed) files_.CrashAtCall(1, seed);
    session_.reset();
    engine_.reset();
    files_.Restart();
  }
  std::string Rows(std::string_view sql) { return session_->Rows(sql); }
  void Do(std::string_view sql) { EXPECT_EQ(session_->Error(sql), "ok") << sql; }

  // What `connbench verify` finds; the engine has been closed.
  std::vector<std::string> Damages() {
    std::vector<std::string> damages;
    const auto verified = VerifyData(
        files_, kFolder, [&](const Status& damage) { damages.push_back(damage.error().message); });
    EXPECT_TRUE(verified.ok()) << verified.status().ToString();
    if (!verified.ok()) return damages;
    EXPECT_EQ(verified->damages, std::ssize(damages));
    return damages;
  }
  // Where the log ends now.
  Lsn LogEnd() {
    auto segment = Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    EXPECT_TRUE(segment.ok()) << segment.status().ToString();
    return Log(**segment, files_, config_).inserted();
  }

  // Every heap and every index is sound.
  void CheckIntegrity() {
    auto segment = Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    Storage storage(**segment, TransactionSystem::Find(**segment, config_));
    for (uint32_t index = 1; index < storage.slot_count(); ++index) {
      const StorageSlot& slot = storage.slot(index);
      const StorageId id = slot.id.load();
      if (id == kNoStorage || slot.block_count.load() == 0) continue;
      const auto checked =
          slot.root_block.load() == kNoBlock ? CheckHeap(storage, id) : CheckBTree(storage, id);
      EXPECT_TRUE(checked.ok()) << checked.status().ToString();
    }
  }

  FaultyFiles files_;
  EngineConfig config_ = SmallConfig(kFolder);
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TestSession> session_;
};

}  // namespace connbench::engine
