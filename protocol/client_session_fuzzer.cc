// Fuzzes the client's side of the protocol with what a server might send. The first byte says how
// the rest is cut and whether rows are looked at. Beyond the sanitizers: a closed session stays
// closed, and the cuts do not change what was understood.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/client_session.h"

namespace {

using connbench::WireValue;
using connbench::protocol::ClientRowSink;
using connbench::protocol::ClientSession;

// Adds up all it is shown, so that every byte is read.
class Sum final : public ClientRowSink {
 public:
  void Columns(std::span<const std::string_view> names) override {
    for (const std::string_view name : names) Add(name);
  }
  void Row(std::span<const WireValue> values) override {
    for (const WireValue& value : values) {
      if (!value.is_null()) Add({value.data, static_cast<size_t>(value.length)});
    }
  }
  void Tag(std::string_view tag) override { Add(tag); }
  uint64_t value() const { return value_; }

 private:
  void Add(std::string_view bytes) {
    for (const char c : bytes) value_ = value_ * 31 + static_cast<unsigned char>(c);
  }
  uint64_t value_ = 0;
};

// Feeds all bytes, one command after the other; returns a summary of what was understood.
uint64_t Play(std::string_view bytes, size_t cut, bool look) {
  constexpr size_t kSmallMessages = 1 << 16;
  ClientSession session;
  Sum sum;
  if (look) session.set_sink(&sum);
  session.set_keep_parameters(true);
  session.set_max_message_bytes(kSmallMessages);
  session.Start({.user = "u", .database = "d", .application_name = "a"});
  uint64_t rows = 0;
  while (!bytes.empty()) {
    const size_t count = std::min(cut, bytes.size());
    const bool was_closed = session.state() == ClientSession::State::kClosed;
    session.Receive(bytes.substr(0, count));
    if (was_closed && session.state() != ClientSession::State::kClosed) std::abort();
    bytes.remove_prefix(count);
    // Commands are given between reads, so their moment depends on the cuts: only whole-input
    // playing is compared, see below.
    if (session.state() == ClientSession::State::kIdle && cut == 1) {
      rows += session.command().rows;
      session.QueryPrepared(static_cast<uint32_t>(rows % 4), "SELECT $1", {});
    }
    session.output().clear();
  }
  return sum.value() * 31 + session.connection_id() + session.command().rows +
         static_cast<uint64_t>(session.state()) * 7 + session.error().message.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool look = (data[0] & 1) != 0;
  const size_t cut = 2 + (data[0] >> 1);
  Play(bytes, 1, look);
  if (Play(bytes, cut, look) != Play(bytes, bytes.size() + 2, look)) std::abort();
  return 0;
}
