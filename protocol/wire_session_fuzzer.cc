// Feeds bytes to a ServerSession in front of the real engine, as a client could send them that has
// logged in. The first byte says how the rest is cut into pieces; see tests/fuzz/README.md.
//
// Besides what the sanitizers find, it is a bug when
//   - the answer is not a sequence of whole messages, all of them of the server's,
//   - a session that asked to be closed says anything more, or closes without a word or Terminate,
//   - a session that lives does not answer a SELECT and stand outside of any transaction
//     afterwards,
//   - the rows that another session's snapshot holds have changed.
//
// Each input has a session of its own and finds tables w and v as tests/system/wire_cases.py makes
// them. What else earlier inputs have committed may still be there: an engine serves
// kInputsPerEngine of them, because making one takes many times longer than an input does.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/sql/testing/counting_sink.h"
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session.h"

namespace connbench::protocol {
namespace {

constexpr int kInputsPerEngine = 200;
constexpr uint32_t kConnectionId = 1;       // of the session that is fuzzed
constexpr uint32_t kWitnessId = 1'000'003;  // no input will hit upon it to end that session
constexpr int kWitnessRows = 3;
constexpr size_t kMaxAnswerBytes = 8 << 20;  // a client that is sent more goes away
constexpr size_t kMaxPadding = 64 << 10;     // to complete a message that the input has begun
constexpr auto kStatementTime = std::chrono::milliseconds(200);  // then it is cancelled

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "wire_session_fuzzer: %s\n", what);
  std::abort();
}

void Require(bool condition, const char* what) {
  if (!condition) Fail(what);
}

class KeepingChannel : public OutputChannel {
 public:
  Status Flush(std::string& bytes) override {
    sent += bytes;
    bytes.clear();
    if (sent.size() <= kMaxAnswerBytes) return {};
    gone = true;
    return Status::Fatal(sqlstate::kConnectionFailure, "the client has gone");
  }
  std::string sent;
  bool gone = false;
};

// Cancels statements that run for long: an input may switch its timeouts off.
class Watchdog {
 public:
  Watchdog() {
    std::thread([this] { Run(); }).detach();
  }
  // The statements of this session from now on; null: nobody's.
  void Watch(engine::Engine* engine, uint32_t key) {
    const std::lock_guard<std::mutex> hold(mutex_);
    engine_ = engine;
    key_ = key;
    since_ = std::chrono::steady_clock::now();
  }

 private:
  [[noreturn]] void Run() {
    while (true) {
      std::this_thread::sleep_for(kStatementTime / 4);
      const std::lock_guard<std::mutex> hold(mutex_);
      if (engine_ == nullptr || std::chrono::steady_clock::now() - since_ < kStatementTime)
        continue;
      engine_->Cancel(kConnectionId, key_);
    }
  }

  std::mutex mutex_;
  engine::Engine* engine_ = nullptr;
  uint32_t key_ = 0;
  std::chrono::steady_clock::time_point since_;
};

Watchdog& TheWatchdog() {
  static Watchdog* const watchdog = new Watchdog;  // its thread lives as long as the program
  return *watchdog;
}

bool RunSql(engine::Session& session, std::string_view sql, engine::CountingSink& sink) {
  const Result<engine::Progress> progress = session.Query(sql, sink);
  return progress.ok() && *progress == engine::Progress::kDone;
}

std::unique_ptr<engine::Session> StartPlain(engine::Engine& engine, uint32_t id,
                                            engine::Waiter& waiter) {
  engine::SessionOptions options;
  options.connection_id = id;
  options.user = "witness";
  options.superuser = true;
  Result<std::unique_ptr<engine::Session>> session =
      engine.StartSession(std::move(options), waiter);
  return session.ok() ? std::move(*session) : nullptr;
}

// An engine, and a session with a snapshot of a table that nobody can take away meanwhile.
struct World {
  engine::BlockingWaiter waiter;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<engine::Session> witness;
  int inputs = 0;

  World() {
    engine::EngineConfig config;
    config.segment_backing = engine::SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = int64_t{16} << 20;
    config.max_connections = 8;
    config.connection_log_entries = 16;
    auto created = engine::Engine::Create(config);
    Require(created.ok(), "no engine");
    engine = std::move(*created);
    witness = StartPlain(*engine, kWitnessId, waiter);
    engine::CountingSink sink;
    Require(witness != nullptr &&
                RunSql(*witness,
                       "create table witnessed (a int primary key); insert into witnessed select "
                       "generate_series from generate_series(1, 3)",
                       sink) &&
                RunSql(*witness, "begin isolation level repeatable read", sink),
            "no witness");
    CheckWitness();
  }

  void CheckWitness() {
    engine::CountingSink sink;
    Require(RunSql(*witness, "select a from witnessed where a between 1 and 3", sink) &&
                sink.rows == kWitnessRows,
            "another session's rows have changed");
  }

  // False if earlier inputs have filled the engine.
  bool MakeTables() {
    const std::unique_ptr<engine::Session> session = StartPlain(*engine, kConnectionId, waiter);
    engine::CountingSink sink;
    return session != nullptr &&
           RunSql(
               *session,
               "drop table if exists w, v, u; create table w (a int primary key, b text); insert "
               "into w values (1, 'one'), (2, 'two'), (3, null), (4, 'four'), (5, 'five'); "
               "create table v (i int8, n numeric(8,2), f float8, c varchar(5), t timestamp)",
               sink);
  }
};

struct Client {
  explicit Client(World& world)
      : session(*world.engine, waiter, channel, kConnectionId, {.name = "127.0.0.1:1"}) {}

  // False once the session has asked to be closed.
  bool Send(std::string_view bytes) {
    if (closed) return false;
    closed = session.Receive(bytes) == Want::kClose;
    channel.sent += session.output();
    session.ClearOutput();
    return !closed;
  }
  std::string TakeAnswer() { return std::exchange(channel.sent, {}); }

  engine::BlockingWaiter waiter;
  KeepingChannel channel;
  ServerSession session;
  bool closed = false;
};

// What an answer consists of.
struct Answer {
  std::string types;
  bool fatal = false;
  bool row = false;
  char ready = 0;  // of the last ReadyForQuery
  bool cancelled = false;
  uint32_t key = 0;
};

Answer Read(std::string_view bytes) {
  static constexpr std::string_view kServerMessages = "RSKZ123TDCENntGIscHdvA";
  Answer answer;
  Message message;
  while (!bytes.empty()) {
    if (NextMessage(bytes, kMaxAnswerBytes, message) != FrameResult::kMessage) {
      Fail("the answer is not made of whole messages");
    }
    Require(kServerMessages.find(message.type) != std::string_view::npos,
            "a message that no server sends");
    answer.types += message.type;
    ErrorFields error;
    uint32_t id = 0;
    switch (message.type) {
      case backend::kErrorResponse:
        Require(ReadErrorFields(message.body, error) && error.code.size() == 5 &&
                    !error.message.empty(),
                "a bad ErrorResponse");
        answer.fatal = error.severity == "FATAL";
        answer.cancelled = error.code == sqlstate::kQueryCanceled;
        break;
      case backend::kDataRow:
        answer.row = true;
        break;
      case backend::kReadyForQuery:
        Require(message.body.size() == 1 &&
                    std::string_view("ITE").find(message.body[0]) != std::string_view::npos,
                "a bad ReadyForQuery");
        answer.ready = message.body[0];
        break;
      case backend::kBackendKeyData:
        (void)ReadBackendKeyData(message.body, id, answer.key);
        break;
      default:
        break;
    }
  }
  return answer;
}

// Bytes that complete the message which the input ends in, or nothing if they would be too many.
std::optional<std::string> Padding(std::string_view input) {
  while (!input.empty()) {
    if (input.size() < kHeaderBytes) {
      // The rest of a length word, such that the length is the least that there is.
      std::string header(input);
      const size_t have = header.size();
      header.append("\0\0\0\4", kHeaderBytes - 1);
      if (have > 1) {
        header.resize(have);
        header.append(kHeaderBytes - have, '\4');
        const uint32_t length = LoadUint32(header.data() + 1);
        if (length < kLengthBytes || length > kMaxPadding) return std::nullopt;
        header.append(length - kLengthBytes, '\0');
      }
      return header.substr(have);
    }
    const size_t length = LoadUint32(input.data() + 1);
    if (length < kLengthBytes) return std::string();  // the session ends here
    const size_t bytes = 1 + length;
    if (bytes > input.size()) {
      if (bytes - input.size() > kMaxPadding) return std::nullopt;
      return std::string(bytes - input.size(), '\0');
    }
    input.remove_prefix(bytes);
  }
  return std::string();
}

void SendInPieces(Client& client, std::string_view input, uint8_t seed) {
  uint32_t random = seed;
  while (!input.empty()) {
    random = random * 1664525 + 1013904223;
    const size_t size = seed == 0 ? input.size() : 1 + (random >> 8) % (size_t{2} * seed);
    const std::string_view piece = input.substr(0, size);
    input.remove_prefix(piece.size());
    if (!client.Send(piece)) return;
  }
}

void CheckClosed(Client& client, const Answer& answer, std::string_view input) {
  Require(client.session.Receive("S\0\0\0\4") == Want::kClose && client.session.output().empty(),
          "a closed session goes on");
  const bool terminated = input.find(frontend::kTerminate) != std::string_view::npos;
  Require(answer.fatal || terminated || client.channel.gone, "a session closes without a word");
}

void CheckAlive(Client& client) {
  std::string probe;
  AppendCopyFail(probe, "end");
  AppendSync(probe);
  AppendQuery(probe, "rollback");
  AppendQuery(probe, "reset all");
  client.Send(probe);
  (void)Read(client.TakeAnswer());
  if (client.closed) Fail("a session ends at a ROLLBACK");
  std::string select;
  AppendQuery(select, "select 'alive'");
  client.Send(select);
  const Answer answer = Read(client.TakeAnswer());
  Require(answer.row || answer.cancelled, "the session does not answer any more");
  Require(!client.closed && answer.ready == 'I', "the session does not leave its transaction");
}

void RunInput(World& world, uint8_t seed, std::string_view input) {
  Client client(world);
  std::string startup;
  const NameValue parameters[] = {
      {"user", "fuzz"}, {"database", "fuzz"}, {"statement_timeout", "100"}, {"lock_timeout", "10"}};
  AppendStartup(startup, parameters);
  client.Send(startup);
  const Answer greeting = Read(client.TakeAnswer());
  Require(greeting.ready == 'I', "no session");
  TheWatchdog().Watch(world.engine.get(), greeting.key);
  SendInPieces(client, input, seed);
  const std::optional<std::string> padding = Padding(input);
  if (padding && !padding->empty()) client.Send(*padding);
  TheWatchdog().Watch(nullptr, 0);
  const Answer answer = Read(client.TakeAnswer());
  if (client.closed) {
    CheckClosed(client, answer, input);
  } else if (padding) {
    CheckAlive(client);
  }
}

}  // namespace
}  // namespace connbench::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::protocol;
  static std::unique_ptr<World> world;
  if (size == 0) return 0;
  if (world != nullptr && (++world->inputs > kInputsPerEngine || !world->MakeTables())) {
    world.reset();
  }
  if (world == nullptr) {
    world = std::make_unique<World>();
    Require(world->MakeTables(), "no tables");
  }
  RunInput(*world, data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  world->CheckWitness();
  return 0;
}
