// What a statement costs the session alone: no socket, no protocol, one client.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/sql/testing/counting_sink.h"

namespace connbench::engine {
namespace {

constexpr int kRows = 10000;

class Bench {
 public:
  Bench() {
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = int64_t{64} << 20;
    config.max_connections = 1100;
    engine_ = std::move(*Engine::Create(config));
    SessionOptions options;
    options.connection_id = 1;
    options.user = "bench";
    session_ = std::move(*engine_->StartSession(std::move(options), waiter_));
    Run("create table accounts (aid int primary key, bid int, abalance int, filler char(84));"
        "insert into accounts select g, 1, 0, '' from generate_series(1, 10000) g;"
        "create table history (tid int, bid int, aid int, delta int, mtime timestamp)");
  }
  void Run(std::string_view sql) { Check(session_->Query(sql, sink_).TakeStatus()); }
  void Prepare(std::string_view sql) { PrepareOn(*session_, sql); }
  void PrepareOn(Session& session, std::string_view sql) {
    Check(session.Parse("p", sql, {}, sink_));
    Check(session.Sync(sink_));
  }
  std::unique_ptr<Session> Another(uint32_t connection_id = 2) {
    SessionOptions options;
    options.connection_id = connection_id;
    options.user = "bench";
    options.parameters = {{"application_name", "bench"}, {"client_encoding", "UTF8"}};
    std::unique_ptr<Session> session =
        std::move(*engine_->StartSession(std::move(options), waiter_));
    session->ReportParameters(sink_);
    return session;
  }
  void Execute(std::span<const std::string> parameters) { ExecuteOn(*session_, parameters); }
  void ExecuteOn(Session& session, std::span<const std::string> parameters) {
    WireValue values[8];
    for (size_t i = 0; i < parameters.size(); ++i) {
      values[i] = {parameters[i].data(), static_cast<int32_t>(parameters[i].size())};
    }
    Check(session.Bind("", "p", {}, {values, parameters.size()}, {}));
    Check(session.Execute("", 0, sink_).TakeStatus());
    Check(session.Sync(sink_));
  }

 private:
  static void Check(Status status) {
    if (status.ok()) return;
    fprintf(stderr, "%s\n", status.ToString().c_str());
    std::abort();
  }
  BlockingWaiter waiter_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
  CountingSink sink_;
};

std::string NextId(uint32_t& state, uint32_t rows = kRows) {
  state = state * 1664525u + 1013904223u;
  return std::to_string(1 + (state >> 8) % rows);
}

void BM_PreparedPointSelect(benchmark::State& state) {
  Bench bench;
  bench.Prepare("SELECT abalance FROM accounts WHERE aid = $1");
  uint32_t random = 1;
  for (auto _ : state) {
    const std::string id = NextId(random);
    bench.Execute({&id, 1});
  }
}
BENCHMARK(BM_PreparedPointSelect);

void BM_SimplePointSelect(benchmark::State& state) {
  Bench bench;
  uint32_t random = 1;
  for (auto _ : state) bench.Run("SELECT abalance FROM accounts WHERE aid = " + NextId(random));
}
BENCHMARK(BM_SimplePointSelect);

void BM_PreparedUpdate(benchmark::State& state) {
  Bench bench;
  bench.Prepare("UPDATE accounts SET abalance = abalance + $1 WHERE aid = $2");
  uint32_t random = 1;
  for (auto _ : state) {
    const std::string parameters[] = {"17", NextId(random)};
    bench.Execute(parameters);
  }
}
BENCHMARK(BM_PreparedUpdate);

void BM_PreparedInsert(benchmark::State& state) {
  Bench bench;
  bench.Prepare("INSERT INTO history VALUES ($1, 1, 2, 3, CURRENT_TIMESTAMP)");
  uint32_t random = 1;
  for (auto _ : state) {
    const std::string id = NextId(random);
    bench.Execute({&id, 1});
    if (state.iterations() % 100000 == 99999) bench.Run("truncate history");
  }
}
BENCHMARK(BM_PreparedInsert)->Iterations(50000);

// The same statement on many sessions in turn: neither a session's own memory nor the table's pages
// are warm, as it is behind many connections.
void BM_PreparedPointSelectOfMany(benchmark::State& state) {
  constexpr int kManyRows = 100000;
  Bench bench;
  bench.Run(
      "create table many (aid int primary key, bid int, abalance int, filler char(84));"
      "insert into many select g, 1, 0, '' from generate_series(1, 100000) g");
  std::vector<std::unique_ptr<Session>> sessions;
  for (int64_t i = 0; i < state.range(0); ++i) {
    sessions.push_back(bench.Another(static_cast<uint32_t>(i) + 2));
    bench.PrepareOn(*sessions.back(), "SELECT abalance FROM many WHERE aid = $1");
  }
  uint32_t random = 1;
  size_t next = 0;
  for (auto _ : state) {
    const std::string id = NextId(random, kManyRows);
    bench.ExecuteOn(*sessions[next], {&id, 1});
    next = (next + 1) % sessions.size();
  }
}
BENCHMARK(BM_PreparedPointSelectOfMany)->Arg(1)->Arg(64)->Arg(256)->Arg(1000);

// What a connection costs beyond its thread or process and its bytes on the wire.
void BM_StartSession(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) bench.Another();
}
BENCHMARK(BM_StartSession);

void BM_ScanAndSum(benchmark::State& state) {
  Bench bench;
  bench.Prepare("SELECT sum(abalance), count(*) FROM accounts");
  for (auto _ : state) bench.Execute({});
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(BM_ScanAndSum);

}  // namespace
}  // namespace connbench::engine
