// Feeds any text to a session: parser, planner, executor, utility statements, and COPY data.
//
// The statement is what comes before the first NUL byte; COPY FROM STDIN takes what comes after it.
// Besides what the sanitizers find, it is a bug when the session does not answer "select 1" any
// more.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/sql/counting_sink.h"

namespace connbench::engine {
namespace {

void Run(Session& session, std::string_view sql, std::string_view copy_data, CountingSink& sink) {
  Result<Progress> progress = session.Query(sql, sink);
  while (progress.ok() && *progress == Progress::kCopyIn) {
    const Status taken = session.CopyInData(copy_data);
    if (!taken.ok()) return;
    progress = session.CopyInDone(sink);
  }
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const std::string_view sql = input.substr(0, end);
  const std::string_view copy_data =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  // A fresh engine for each input, so that a finding can be played again.
  const std::unique_ptr<Engine> engine = MakeEngine();
  BlockingWaiter waiter;
  SessionOptions options;
  options.connection_id = 1;
  options.user = "fuzz";
  options.parameters = {{"statement_timeout", "100"}};
  Result<std::unique_ptr<Session>> session = engine->StartSession(std::move(options), waiter);
  if (!session.ok()) std::abort();
  CountingSink sink;
  Run(**session,
      "create table t (a int primary key, b text); insert into t values (1, 'x'), (2, null)", {},
      sink);
  Run(**session, sql, copy_data, sink);
  Run(**session, "rollback", {}, sink);
  sink.rows = 0;
  Run(**session, "select 1", {}, sink);
  if (sink.rows != 1) {
    std::fprintf(stderr, "session_fuzzer: the session does not answer any more\n");
    std::abort();
  }
  return 0;
}

}  // namespace connbench::engine
