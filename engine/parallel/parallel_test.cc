// What leaders and workers share: blocks, and jobs and errors as bytes. Queries that run in
// parallel are tested in engine/sql/parallel_query_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/parallel/error_bytes.h"
#include "engine/parallel/job.h"
#include "engine/storage/shared_blocks.h"

namespace connbench::engine {
namespace {

TEST(SharedBlocksTest, EachBlockIsTakenOnceByOneOfMany) {
  constexpr BlockNumber kBlocks = 10'001;
  SharedBlocks blocks;
  blocks.Begin(kBlocks);
  std::vector<std::atomic<int>> taken(kBlocks);
  std::vector<std::thread> scans;
  for (int i = 0; i < 3; ++i) {
    scans.emplace_back([&] {
      BlockNumber first = 0;
      BlockNumber last = 0;
      while (blocks.Take(first, last)) {
        for (; first < last; ++first) ++taken[first];
      }
    });
  }
  for (std::thread& scan : scans) scan.join();
  for (const std::atomic<int>& times : taken) EXPECT_EQ(times, 1);
}

TEST(SharedBlocksTest, AnEmptyTableHasNone) {
  SharedBlocks blocks;
  blocks.Begin(0);
  BlockNumber first = 0;
  BlockNumber last = 0;
  EXPECT_FALSE(blocks.Take(first, last));
}

ParallelJob SomeJob() {
  ParallelJob job;
  job.sql = "select count(*) from t where a < $1";
  job.statement = 1;
  job.gather = 2;
  job.fingerprint = 0x1234567890abcdef;
  job.takes_parameters = true;
  job.parameter_types = {23, 25};
  job.parameters = std::string("\0\1\2", 3);
  job.user = "alice";
  job.database = "shop";
  job.role = 10;
  job.superuser = true;
  job.startup = {{"TimeZone", "UTC"}};
  job.settings = {{"work_mem", "64kB"}, {"a.b", ""}};
  job.isolation = IsolationLevel::kRepeatableRead;
  job.read_only = true;
  job.transaction_start_us = 5;
  job.statement_start_us = -6;
  job.csn = 7;
  job.command = 8;
  job.backend = 9;
  return job;
}

TEST(ParallelJobTest, BytesTellAllOfIt) {
  const ParallelJob job = SomeJob();
  const std::optional<ParallelJob> read = ParallelJob::Read(job.Write());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->Write(), job.Write());
  EXPECT_EQ(read->sql, job.sql);
  EXPECT_EQ(read->parameters, job.parameters);
  EXPECT_EQ(read->settings, job.settings);
  EXPECT_EQ(read->isolation, job.isolation);
  EXPECT_EQ(read->statement_start_us, job.statement_start_us);
  EXPECT_EQ(read->backend, job.backend);
}

TEST(ParallelJobTest, BytesThatEndEarlyAreNoJob) {
  const std::string bytes = SomeJob().Write();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParallelJob::Read(std::string_view(bytes).substr(0, length))) << length;
  }
}

TEST(ParallelErrorTest, TheLeaderHasTheWorkersError) {
  const Status status = Status::Error(sqlstate::kInsufficientPrivilege, "no", 7)
                            .WithDetail("detail")
                            .WithHint("hint")
                            .OfColumn("t", "a");
  const Status read = ReadError(WriteError(status.error()));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.code(), sqlstate::kInsufficientPrivilege);
  EXPECT_EQ(read.error().message, "no");
  EXPECT_EQ(read.error().detail, "detail");
  EXPECT_EQ(read.error().hint, "hint");
  EXPECT_EQ(read.error().context, "parallel worker");
  EXPECT_EQ(read.error().table, "t");
  EXPECT_EQ(read.error().column, "a");
  EXPECT_EQ(read.error().position, 7);
}

}  // namespace
}  // namespace connbench::engine
