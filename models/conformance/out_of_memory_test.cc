// Memory that runs out: every allocation of a session fails once, and each time the client hears
// 53200 or gets its answer, the session lives, and nothing stays locked or pinned.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/failing_malloc.h"
#include "engine/engine.h"
#include "models/testing/raw_client.h"
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session.h"

namespace connbench::models::testing {
namespace {

// Counts down to the allocation that fails; one thread.
std::atomic<int64_t> allocations_left{INT64_MAX};
std::atomic<int64_t> failed{0};

bool FailOne(size_t /*bytes*/) {
  if (allocations_left.fetch_sub(1, std::memory_order_relaxed) != 1) return false;
  failed.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool FailFromThenOn(size_t /*bytes*/) {
  if (allocations_left.fetch_sub(1, std::memory_order_relaxed) > 1) return false;
  failed.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::string Startup() {
  const std::vector<protocol::NameValue> parameters = {{"user", "somebody"}, {"database", "shop"}};
  std::string bytes;
  protocol::AppendStartup(bytes, parameters);
  return bytes;
}

// A session, and what it has answered.
class Connection : public protocol::OutputChannel {
 public:
  explicit Connection(engine::Engine& engine)
      : session_(std::make_unique<protocol::ServerSession>(
            engine, waiter_, *this, engine.connection_log().Begin(1), protocol::ClientOrigin{})) {}

  void Start() { Send(Startup()); }
  // The types of the messages that were answered, errors with their code: "TDCZ", "E[53200]Z".
  std::string Send(std::string_view bytes) {
    Deliver(bytes);
    return TakeAnswer();
  }
  // Without a look at the answer, which needs memory.
  void Deliver(std::string_view bytes) {
    if (closed_) return;
    // In pieces, so that incomplete messages are kept.
    constexpr size_t kPiece = 1000;
    while (!bytes.empty() && !closed_) {
      const std::string_view piece = bytes.substr(0, kPiece);
      bytes.remove_prefix(piece.size());
      closed_ = session_->Receive(piece) == protocol::Want::kClose;
    }
  }
  std::string TakeAnswer() {
    flushed_.append(session_->output());
    session_->ClearOutput();
    std::string answer;
    std::string_view input = flushed_;
    protocol::Message message;
    while (protocol::NextMessage(input, SIZE_MAX, message) == protocol::FrameResult::kMessage) {
      if (message.type == protocol::backend::kParameterStatus) continue;
      answer.push_back(message.type);
      if (message.type != protocol::backend::kErrorResponse) continue;
      const size_t code = message.body.find(std::string_view("\0C", 2));
      answer += "[" + std::string(message.body.substr(code + 2, 5)) + "]";
    }
    EXPECT_EQ(input, "") << "part of a message";
    flushed_.clear();
    return answer;
  }
  bool closed() const { return closed_; }

 private:
  Status Flush(std::string& bytes) override {
    flushed_.append(bytes);
    bytes.clear();
    return {};
  }

  engine::BlockingWaiter waiter_;
  std::string flushed_;
  bool closed_ = false;
  std::unique_ptr<protocol::ServerSession> session_;
};

struct Script {
  const char* name;
  std::string bytes;
};

std::vector<Script> Scripts() {
  const auto simple = [](const char* sql) { return Script{sql, Query(sql)}; };
  std::vector<Script> scripts = {
      simple("select 1"),
      simple("select id, value from t where id = 3"),
      simple("select count(*), sum(value) from t group by id % 3 order by 1"),
      simple("select a.id from t a join t b on a.id = b.value order by a.id"),
      simple("insert into t values (1000, 1), (1001, 2)"),
      simple("update t set value = value + 1 where id = 5"),
      simple("update t set value = value + 1"),
      simple("delete from t where id < 4"),
      simple("select * from t where id = 1 for update"),
      simple("savepoint s; update t set value = 0 where id = 1; rollback to s; release s"),
      simple("create table n (a int primary key, b text); insert into n values (1, 'x')"),
      simple("create index on t (value)"),
      simple("copy t to stdout"),
      simple("select repeat('x', 100000 + g) from generate_series(1, 3) g"),
      simple("prepare p as select $1::int; execute p(1); deallocate p"),
      simple("declare c cursor for select * from t; fetch 3 from c; close c"),
      simple("set work_mem = '1MB'; show work_mem"),
      simple("select md5('a') || upper('b'), now(), 1.5::numeric * 3"),
      simple("explain select * from t"),
      simple("vacuum"),
      {"copy from stdin", Query("copy t from stdin") +
                              std::string("d\0\0\0\x0b"
                                          "2000\t1\n",
                                          12) +
                              std::string("c\0\0\0\x04", 5)},
      {"extended", Parse("s", "select value from t where id = $1") + DescribeStatement("s") +
                       Bind("", "s", "3") + Execute("") + CloseStatement("s") + Sync()},
      {"unnamed",
       Parse("", "update t set value = 1 where id = 3") + Bind("", "") + Execute("") + Sync()},
      {"long parameter", Parse("", "select length($1::text)") +
                             Bind("", "", std::string(50'000, 'x')) + Execute("") + Sync()},
  };
  return scripts;
}

class OutOfMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!connbench::testing::kAllocationsCanFail) GTEST_SKIP() << "a sanitizer's malloc";
    engine::EngineConfig config;
    config.max_connections = 10;
    config.shared_buffers_bytes = int64_t{2} << 20;
    config.connection_log_entries = 1024;
    auto engine = engine::Engine::Create(config);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
    Connection setup(*engine_);
    setup.Start();
    ASSERT_EQ(setup.Send(Query("create table t (id int primary key, value int)")), "CZ");
    ASSERT_EQ(setup.Send(Query("insert into t select g, g from generate_series(1, 20) g")), "CZ");
    // What libraries make at their first use, and crash without, is there.
    for (const Script& script : Scripts()) {
      setup.Send(Query("begin"));
      setup.Send(script.bytes);
      setup.Send(Query("rollback"));
    }
  }
  void TearDown() override { connbench::testing::SetAllocationHook(nullptr); }

  // Another session can write every row, and drop nothing's lock.
  void ExpectNothingLocked() {
    Connection other(*engine_);
    other.Start();
    EXPECT_EQ(other.Send(Query("set lock_timeout = '500ms'")), "CZ");
    EXPECT_EQ(other.Send(Query("begin; lock table t in access exclusive mode; "
                               "update t set value = value; rollback")),
              "CCCCZ");
  }

  std::unique_ptr<engine::Engine> engine_;
};

TEST_F(OutOfMemory, OfOneAllocationIsAnErrorOfItsStatement) {
  for (const Script& script : Scripts()) {
    SCOPED_TRACE(script.name);
    bool in_block = std::string_view(script.name) != "vacuum";
    int64_t k = 1;
    for (bool done = false; !done; ++k) {
      Connection connection(*engine_);
      connection.Start();
      if (in_block) {
        ASSERT_EQ(connection.Send(Query("begin")), "CZ");
      }
      failed = 0;
      allocations_left = k;
      connbench::testing::SetAllocationHook(&FailOne);
      connection.Deliver(script.bytes);
      connbench::testing::SetAllocationHook(nullptr);
      const std::string answer = connection.TakeAnswer();
      done = failed == 0;
      ASSERT_FALSE(connection.closed()) << "allocation " << k << ": " << answer;
      ASSERT_TRUE(answer.ends_with("Z")) << "allocation " << k << ": " << answer;
      const size_t error = answer.find('E');
      if (error != std::string::npos && !done) {
        ASSERT_EQ(answer.substr(error, 8), "E[53200]") << "allocation " << k << ": " << answer;
      }
      if (in_block) {
        ASSERT_EQ(connection.Send(Query("rollback")), "CZ") << k;
      }
      ASSERT_EQ(connection.Send(Query("select 1")), "TDCZ") << k;
      ExpectNothingLocked();
      ASSERT_FALSE(HasFailure()) << "allocation " << k;
    }
    ExpectNothingLocked();
    EXPECT_GT(k, 2) << "nothing failed";
  }
}

// Nothing at all can be had from some moment on: then a session may end, if it must without a word,
// but never with the process, and it leaves nothing behind.
TEST_F(OutOfMemory, OfAllAllocationsLeavesNothingBehind) {
  for (const Script& script : Scripts()) {
    SCOPED_TRACE(script.name);
    for (int64_t k = 1; k < 2000; k = k < 200 ? k + 1 : k + 37) {
      failed = 0;
      {
        Connection connection(*engine_);
        connection.Start();
        allocations_left = k;
        connbench::testing::SetAllocationHook(&FailFromThenOn);
        connection.Deliver(script.bytes);
        connbench::testing::SetAllocationHook(nullptr);
        connection.TakeAnswer();
      }
      if (failed == 0) break;
    }
    ExpectNothingLocked();
    ASSERT_FALSE(HasFailure());
    Connection(*engine_).Send({});
    Connection clean(*engine_);
    clean.Start();
    clean.Send(Query("drop table n"));
    clean.Send(Query("drop index t_value_idx"));
  }
}

TEST_F(OutOfMemory, AtTheStartRefusesTheConnection) {
  for (int64_t k = 1;; ++k) {
    failed = 0;
    const std::string bytes = Startup();
    {
      Connection connection(*engine_);
      allocations_left = k;
      connbench::testing::SetAllocationHook(&FailOne);
      connection.Deliver(bytes);
      connbench::testing::SetAllocationHook(nullptr);
      const std::string answer = connection.TakeAnswer();
      if (failed == 0) break;
      EXPECT_TRUE(answer.ends_with("Z") || answer.ends_with("E[53200]")) << k << ": " << answer;
      EXPECT_EQ(connection.closed(), !answer.ends_with("Z"));
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(engine_->counters().sessions_active, 0);
}

}  // namespace
}  // namespace connbench::models::testing
