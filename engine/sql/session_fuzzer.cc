// Feeds any text to a session: parser, planner, executor, utility statements, and COPY data.
//
// The statement is what comes before the first NUL byte; COPY FROM STDIN takes what comes after it.
// Besides what the sanitizers find, it is a bug when the session does not answer "select 1" any
// more.
//
// Each input has a session of its own and finds table t as it was made. What else earlier inputs
// have committed may still be there: an engine serves kInputsPerEngine of them, because making one
// takes many times longer than an input does. So a finding that does not come again when its input
// is replayed alone, on a new engine, comes again with the run's -seed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/sql/testing/counting_sink.h"

namespace connbench::engine {
namespace {

constexpr int kInputsPerEngine = 200;

// False if it ended with an error.
bool Run(Session& session, std::string_view sql, std::string_view copy_data, CountingSink& sink) {
  Result<Progress> progress = session.Query(sql, sink);
  while (progress.ok() && *progress == Progress::kCopyIn) {
    const Status taken = session.CopyInData(copy_data);
    if (!taken.ok()) return false;
    progress = session.CopyInDone(sink);
  }
  return progress.ok();
}

std::unique_ptr<Engine> MakeEngine() {
  EngineConfig config;
  config.segment_backing = SegmentBacking::kAnonymous;
  config.shared_buffers_bytes = int64_t{16} << 20;
  config.max_connections = 4;
  Result<std::unique_ptr<Engine>> engine = Engine::Create(config);
  if (!engine.ok()) std::abort();
  return std::move(*engine);
}

// Null if the table cannot be made: earlier inputs have filled the engine.
std::unique_ptr<Session> StartSession(Engine& engine, Waiter& waiter) {
  SessionOptions options;
  options.connection_id = 1;
  options.user = "fuzz";
  options.parameters = {{"statement_timeout", "100"}};
  Result<std::unique_ptr<Session>> session = engine.StartSession(std::move(options), waiter);
  if (!session.ok()) return nullptr;
  CountingSink sink;
  const bool ready = Run(**session,
                         "drop table if exists t; create table t (a int primary key, b text); "
                         "insert into t values (1, 'x'), (2, null)",
                         {}, sink);
  return ready ? std::move(*session) : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::unique_ptr<Engine> engine;
  static int inputs = 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const std::string_view sql = input.substr(0, end);
  const std::string_view copy_data =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  if (++inputs > kInputsPerEngine) engine.reset();
  BlockingWaiter waiter;
  std::unique_ptr<Session> session;
  if (engine != nullptr) session = StartSession(*engine, waiter);
  if (session == nullptr) {
    engine = MakeEngine();
    inputs = 1;
    session = StartSession(*engine, waiter);
    if (session == nullptr) std::abort();
  }
  CountingSink sink;
  (void)Run(*session, sql, copy_data, sink);
  (void)Run(*session, "rollback", {}, sink);
  sink.rows = 0;
  (void)Run(*session, "select 1", {}, sink);
  if (sink.rows != 1) {
    std::fprintf(stderr, "session_fuzzer: the session does not answer any more\n");
    std::abort();
  }
  return 0;
}

}  // namespace connbench::engine
