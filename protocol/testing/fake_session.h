// Test support: an engine whose sessions understand a few made-up statements, record every call,
// and answer exactly what a test needs; and the reading of a server's bytes as short texts.
//
// Statements, several of them separated by ";" in a simple Query:
//   row            one row of one column, "1"          rows N     N rows, "1" to "N"
//   wide N         one row of N bytes                  fail       an error with all its fields
//   die            a FATAL error                       notice     a notice, then done
//   begin, commit  as in SQL                           set        reports a changed parameter
//   copyin         COPY FROM STDIN; data with "bad" in it fails
//   copyout N      COPY TO STDOUT of N lines           (nothing)  an empty query
//
// Safety: private memory, one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"
#include "protocol/server_session.h"

namespace connbench::protocol {

// What a test may look at and change while the session is owned by a ServerSession.
struct FakeState {
  std::vector<std::string> calls;
  engine::SessionOptions options;
  engine::TransactionStatus status = engine::TransactionStatus::kIdle;
  MonotonicNs idle_deadline = kNoDeadline;
  Status sync_error;
  bool terminate = false;
  engine::Waiter* waiter = nullptr;
  int64_t max_argument = INT64_MAX;  // of statements with a number
};

class FakeSession : public engine::Session {
 public:
  static constexpr uint32_t kCancelKey = 0xdeadbeef;

  explicit FakeSession(FakeState& state) : state_(state) {}

  void ReportParameters(engine::ResultSink& sink) override;
  uint32_t cancel_key() const override { return kCancelKey; }
  void SetWaiter(engine::Waiter& waiter) override { state_.waiter = &waiter; }
  Result<engine::Progress> Query(std::string_view sql, engine::ResultSink& sink) override;
  Status Parse(std::string_view statement, std::string_view sql,
               std::span<const Oid> parameter_types, engine::ResultSink& sink) override;
  Status Bind(std::string_view portal, std::string_view statement,
              std::span<const WireFormat> parameter_formats, std::span<const WireValue> parameters,
              std::span<const WireFormat> result_formats) override;
  Status DescribeStatement(std::string_view statement, engine::ResultSink& sink) override;
  Status DescribePortal(std::string_view portal, engine::ResultSink& sink) override;
  Result<engine::Progress> Execute(std::string_view portal, int64_t max_rows,
                                   engine::ResultSink& sink) override;
  Status CloseStatement(std::string_view statement) override;
  Status ClosePortal(std::string_view portal) override;
  Status Sync(engine::ResultSink& sink) override;
  Status CopyInData(std::string_view bytes) override;
  Result<engine::Progress> CopyInDone(engine::ResultSink& sink) override;
  Status CopyInFail(std::string_view reason) override;
  void FailTransaction() override;
  engine::TransactionStatus transaction_status() const override { return state_.status; }
  MonotonicNs IdleDeadline(MonotonicNs) const override { return state_.idle_deadline; }
  Status IdleTimeoutError() const override;
  Status TerminationRequested() const override;

 private:
  struct Portal {
    std::string sql;
    WireFormat format = WireFormat::kText;
    int64_t rows_sent = 0;
  };

  void Log(std::string call) { state_.calls.push_back(std::move(call)); }
  Status Fail(Status status);
  int64_t Argument(std::string_view statement) const;
  Result<engine::Progress> RunAll(bool describe, engine::ResultSink& sink);
  Result<engine::Progress> RunOne(std::string_view statement, bool describe,
                                  engine::ResultSink& sink);
  Status SendRows(int64_t first, int64_t last, engine::ResultSink& sink);

  FakeState& state_;
  std::string rest_;  // of the simple Query
  std::string copied_;
  std::map<std::string, std::string, std::less<>> statements_;
  std::map<std::string, Portal, std::less<>> portals_;
};

class FakeEngine : public engine::Engine {
 public:
  FakeEngine();
  ~FakeEngine() override;

  const engine::EngineConfig& config() const override { return engine_config; }
  const std::string& segment_name() const override { return engine_config.segment_name; }
  engine::ConnectionLog& connection_log() override { return *log_; }
  engine::EngineCounters counters() const override { return {}; }
  engine::SessionStates session_states() const override { return {}; }
  Result<std::unique_ptr<engine::Session>> StartSession(engine::SessionOptions options,
                                                        engine::Waiter& waiter) override;
  Result<std::optional<engine::Role>> FindRole(std::string_view name, uint32_t connection_id,
                                               engine::Waiter& waiter) override;
  std::string_view mock_authentication_nonce() const override { return "fake"; }
  bool roles_changed() const override { return !roles.empty(); }
  void Cancel(uint32_t connection_id, uint32_t cancel_key) override;
  void SetEndListener(int32_t /*pid*/, int /*signal*/) override {}
  std::vector<engine::EndingSession> ending_sessions() const override { return {}; }
  bool AskedToEnd(uint32_t /*connection_id*/) const override { return false; }
  void RequestShutdown() override { shutdown = true; }
  bool ShutdownRequested() const override { return shutdown; }

  engine::EngineConfig engine_config;
  std::vector<engine::Role> roles;
  FakeState state;     // of the one session
  Status start_error;  // what StartSession answers, unless ok
  bool shutdown = false;
  std::vector<std::pair<uint32_t, uint32_t>> cancelled;

 private:
  void* log_memory_;
  engine::ConnectionLog* log_;
};

// Keeps what was flushed; says that the client is gone once it has taken `accepts` flushes.
class FakeChannel : public OutputChannel {
 public:
  Status Flush(std::string& bytes) override;

  std::string sent;
  size_t flushes = 0;
  size_t accepts = SIZE_MAX;
  size_t largest = 0;
};

// A ServerSession with everything that it needs.
struct FakeConnection {
  explicit FakeConnection(uint32_t id = 0, const ServerSecurity* security = nullptr);

  // Hands bytes over, and returns what the server answered since the last call, as texts.
  std::vector<std::string> Send(std::string_view bytes);
  // The start of every session: startup packet with user "alice", its answer thrown away.
  void Start();
  std::vector<std::string> TakeOutput();

  FakeEngine engine;
  engine::BlockingWaiter waiter;
  FakeChannel channel;
  uint32_t connection_id;
  ServerSession session;
  Want want = Want::kInput;
};

// One text per message: "Z I", "D 1|NULL", "C SELECT 1", "E ERROR 42601 syntax error", ... Bytes
// that are no whole message end as "? <n> bytes".
std::vector<std::string> DescribeMessages(std::string_view bytes);

// The bytes of a startup packet for user "alice".
std::string AliceStartup();

}  // namespace connbench::protocol
