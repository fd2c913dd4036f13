// What the protocol costs, in CPU per round of messages, with the canned session behind it: the
// part of every model's floor that is not the model's.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/canned_session.h"
#include "engine/engine.h"
#include "protocol/messages.h"
#include "protocol/server_session.h"

namespace connbench::protocol {
namespace {

class DiscardingChannel : public OutputChannel {
 public:
  Status Flush(std::string& bytes) override {
    bytes.clear();
    return {};
  }
};

// A session that has started, in an engine without tables.
class Connection {
 public:
  Connection() {
    engine::EngineConfig config;
    config.engine = engine::EngineKind::kCanned;
    config.segment_backing = engine::SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = 1 << 20;
    config.connection_log_entries = 16;
    engine_ = std::move(*engine::Engine::Create(config));
    session_.emplace(*engine_, waiter_, channel_, engine_->connection_log().Begin(MonotonicNow()),
                     ClientOrigin{.name = "127.0.0.1:1"});
    std::string bytes;
    const NameValue parameters[] = {{"user", "alice"}};
    AppendStartup(bytes, parameters);
    Send(bytes);
  }

  size_t Send(std::string_view bytes) {
    session_->Receive(bytes);
    const size_t answered = session_->output().size();
    session_->ClearOutput();
    return answered;
  }

 private:
  std::unique_ptr<engine::Engine> engine_;
  engine::BlockingWaiter waiter_;
  DiscardingChannel channel_;
  std::optional<ServerSession> session_;
};

// pgbench -S -M prepared: one Bind, Describe, Execute, Sync.
void BM_PreparedSelect(benchmark::State& state) {
  Connection connection;
  std::string bytes;
  AppendParse(bytes, "P_0", "SELECT abalance FROM pgbench_accounts WHERE aid = $1;");
  AppendSync(bytes);
  connection.Send(bytes);
  bytes.clear();
  const WireValue parameter{"54321", 5};
  AppendBind(bytes, "", "P_0", {&parameter, 1});
  AppendDescribePortal(bytes, "");
  AppendExecute(bytes, "");
  AppendSync(bytes);
  size_t answered = 0;
  for (auto _ : state) answered = connection.Send(bytes);
  state.counters["answer_bytes"] = static_cast<double>(answered);
}
BENCHMARK(BM_PreparedSelect);

// pgbench -S -M simple: one Query.
void BM_SimpleSelect(benchmark::State& state) {
  Connection connection;
  std::string bytes;
  AppendQuery(bytes, "SELECT abalance FROM pgbench_accounts WHERE aid = 54321;");
  for (auto _ : state) benchmark::DoNotOptimize(connection.Send(bytes));
}
BENCHMARK(BM_SimpleSelect);

// From accept to ready, without the socket.
void BM_Startup(benchmark::State& state) {
  engine::EngineConfig config;
  config.engine = engine::EngineKind::kCanned;
  config.segment_backing = engine::SegmentBacking::kAnonymous;
  config.shared_buffers_bytes = 1 << 20;
  config.connection_log_entries = 16;
  const auto engine = std::move(*engine::Engine::Create(config));
  engine::BlockingWaiter waiter;
  DiscardingChannel channel;
  std::string bytes;
  const NameValue parameters[] = {
      {"user", "alice"}, {"database", "shop"}, {"application_name", "pgbench"}};
  AppendStartup(bytes, parameters);
  for (auto _ : state) {
    ServerSession session(*engine, waiter, channel, engine->connection_log().Begin(MonotonicNow()),
                          ClientOrigin{.name = "127.0.0.1:1"});
    benchmark::DoNotOptimize(session.Receive(bytes));
  }
}
BENCHMARK(BM_Startup);

}  // namespace
}  // namespace connbench::protocol
