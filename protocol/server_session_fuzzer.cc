// Feeds bytes to a ServerSession as a hostile client could send them. The first byte chooses the
// engine behind it and how the rest is cut into pieces; see tests/fuzz/README.md.
//
// Besides what the sanitizers find, it is a bug when
//   - the answer is not a sequence of whole messages,
//   - the answer depends on how the input was cut,
//   - a session that asked to be closed says anything more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "protocol/codec.h"
#include "protocol/server_session.h"
#include "protocol/testing/fake_session.h"

namespace connbench::protocol {
namespace {

constexpr uint8_t kCannedEngine = 0x80;  // of the first byte; else the scripted one
constexpr int64_t kMaxRows = 100;        // that a statement of the scripted engine may ask for

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "server_session_fuzzer: %s\n", what);
  std::abort();
}

std::string Take(ServerSession& session, FakeChannel& channel) {
  std::string answer = std::move(channel.sent);
  channel.sent.clear();
  answer += session.output();
  session.ClearOutput();
  return answer;
}

// Where input ends if it is an SSLRequest or GSSENCRequest; 0 otherwise. A client waits for the
// answer to one of these: what comes with it unasked is refused, so a cut must be there.
size_t EncryptionRequestBytes(std::string_view input) {
  constexpr size_t kRequestBytes = 8;
  if (input.size() < kRequestBytes) return 0;
  const size_t length = LoadUint32(input.data());
  const uint32_t code = LoadUint32(input.data() + kLengthBytes);
  const bool request = code == kSslRequestCode || code == kGssEncRequestCode;
  return request && length >= kRequestBytes && length <= input.size() ? length : 0;
}

// Pieces of 1 to 2 * seed bytes, cut by a generator that the seed starts; 0: one piece.
std::string Run(engine::Engine& engine, std::string_view input, uint8_t seed) {
  engine::BlockingWaiter waiter;
  FakeChannel channel;
  // The id is not drawn from the log: it is part of the answer, which must not change.
  ServerSession session(engine, waiter, channel, 1, {.name = "127.0.0.1:1"});
  std::string answer;
  uint32_t random = seed;
  size_t request_left = EncryptionRequestBytes(input);
  while (!input.empty()) {
    random = random * 1664525 + 1013904223;
    size_t size = seed == 0 ? input.size() : 1 + (random >> 8) % (size_t{2} * seed);
    if (request_left > 0) size = std::min(size, request_left);
    const std::string_view piece = input.substr(0, size);
    input.remove_prefix(piece.size());
    if (request_left > 0) {
      request_left -= piece.size();
      if (request_left == 0) request_left = EncryptionRequestBytes(input);
    }
    const Want want = session.Receive(piece);
    answer += Take(session, channel);
    if (want == Want::kClose) {
      Require(session.Receive(input) == Want::kClose, "a closed session goes on");
      Require(Take(session, channel).empty(), "a closed session speaks");
      break;
    }
    Require(session.output().empty(), "output is left after it was cleared");
  }
  return answer;
}

std::string RunScripted(std::string_view input, uint8_t seed) {
  FakeEngine engine;
  engine.state.max_argument = kMaxRows;
  return Run(engine, input, seed);
}

engine::Engine& CannedEngine() {
  static const std::unique_ptr<engine::Engine> engine = [] {
    engine::EngineConfig config;
    config.engine = engine::EngineKind::kCanned;
    config.segment_backing = engine::SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = 1 << 20;
    config.connection_log_entries = 16;
    auto created = engine::Engine::Create(config);
    Require(created.ok(), "no engine");
    return std::move(*created);
  }();
  return *engine;
}

void CheckMessages(std::string_view answer) {
  const std::vector<std::string> messages = DescribeMessages(answer);
  Require(messages.empty() || messages.back()[0] != '?', "the answer ends within a message");
}

}  // namespace
}  // namespace connbench::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::protocol;
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const uint8_t seed = choice & 0x7f;
  if ((choice & kCannedEngine) != 0) {
    CheckMessages(Run(CannedEngine(), input, seed));
    return 0;
  }
  const std::string answer = RunScripted(input, seed);
  CheckMessages(answer);
  Require(seed == 0 || RunScripted(input, 0) == answer, "the answer depends on the cuts");
  return 0;
}
