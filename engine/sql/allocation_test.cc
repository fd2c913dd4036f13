// The steady state of prepared statements allocates nothing, and an idle session is small. A
// program of its own, because it counts every operator new.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/sql/testing/sql_test_base.h"

namespace {
std::atomic<int64_t> allocations{0};
std::atomic<int64_t> allocated_bytes{0};
}  // namespace

void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  allocated_bytes.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  void* memory = std::malloc(bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*bytes*/) noexcept { std::free(memory); }

namespace connbench::engine {
namespace {

class SilentSink : public CollectingSink {
 public:
  Status DataRow(std::span<const WireValue> /*values*/) override { return {}; }
  void CommandComplete(std::string_view /*tag*/) override {}
};

using AllocationTest = SqlTest;

TEST_F(AllocationTest, PreparedStatementsAllocateNothing) {
  a_->Run(
      "create table t (id int primary key, v int, f char(84));"
      "insert into t select g, 0, '' from generate_series(1, 100) g;"
      "create table h (id int, v int, at timestamp)");
  const std::string_view statements[] = {"begin", "update t set v = v + $1 where id = $2",
                                         "select v from t where id = $1",
                                         "insert into h values ($1, $2, current_timestamp)", "end"};
  const size_t parameter_counts[] = {0, 2, 1, 2, 0};
  const std::string_view names[] = {"p0", "p1", "p2", "p3", "p4"};
  SilentSink sink;
  Session& session = a_->session();
  for (size_t i = 0; i < std::size(statements); ++i) {
    ASSERT_TRUE(session.Parse(names[i], statements[i], {}, sink).ok());
    ASSERT_TRUE(session.Sync(sink).ok());
  }
  const WireValue values[] = {{"5", 1}, {"7", 1}};
  const auto run_transaction = [&] {
    for (size_t i = 0; i < std::size(statements); ++i) {
      ASSERT_TRUE(session.Bind("", names[i], {}, {values, parameter_counts[i]}, {}).ok());
      ASSERT_TRUE(session.Execute("", 0, sink).ok());
      ASSERT_TRUE(session.Sync(sink).ok());
    }
  };
  for (int i = 0; i < 5; ++i) run_transaction();  // buffers reach their sizes
  const int64_t before = allocations;
  for (int i = 0; i < 100; ++i) run_transaction();
  EXPECT_EQ(allocations - before, 0);
}

TEST_F(AllocationTest, AnIdleSessionIsSmall) {
  constexpr int64_t kMaxIdleBytes = 8 * 1024;
  const int64_t before = allocated_bytes;
  const TestSession client(*engine_);
  EXPECT_LT(allocated_bytes - before, kMaxIdleBytes);
}

}  // namespace
}  // namespace connbench::engine
