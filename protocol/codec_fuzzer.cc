// Feeds bytes to every reader of the codec, as a hostile client or a hostile server could send
// them: framing, startup packets, Bind, and what a client reads.
//
// Besides what the sanitizers find, it is a bug when a field lies outside of its message.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "protocol/bind_message.h"
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/startup.h"

namespace connbench::protocol {
namespace {

void RequireWithin(std::string_view field, std::string_view message) {
  if (field.empty()) return;
  const std::less_equal<const char*> not_behind;
  if (not_behind(message.data(), field.data()) &&
      not_behind(field.data() + field.size(), message.data() + message.size())) {
    return;
  }
  std::fprintf(stderr, "codec_fuzzer: a field lies outside of its message\n");
  std::abort();
}

void ReadAsEverything(std::string_view body) {
  BindMessage bind;
  if (bind.Read(body).ok()) {
    RequireWithin(bind.portal, body);
    RequireWithin(bind.statement, body);
    for (const WireValue& value : bind.parameters) {
      if (value.is_null()) continue;
      RequireWithin({value.data, static_cast<size_t>(value.length)}, body);
    }
  }
  ErrorFields fields;
  if (ReadErrorFields(body, fields)) {
    for (const std::string_view field : {fields.severity, fields.code, fields.message,
                                         fields.detail, fields.hint, fields.position}) {
      RequireWithin(field, body);
    }
  }
  uint32_t id;
  uint32_t key;
  ReadBackendKeyData(body, id, key);
  std::string_view name;
  std::string_view value;
  if (ReadParameterStatus(body, name, value)) {
    RequireWithin(name, body);
    RequireWithin(value, body);
  }
  engine::TransactionStatus status;
  ReadReadyForQuery(body, status);
  for (const bool seen : {false, true}) (void)ReadStartupPacket(body, seen, seen);
}

}  // namespace
}  // namespace connbench::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::protocol;
  constexpr size_t kMaxBodyBytes = 1 << 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadAsEverything(bytes);
  std::string_view input = bytes;
  Message message;
  while (NextMessage(input, kMaxBodyBytes, message) == FrameResult::kMessage) {
    RequireWithin(message.body, bytes);
    ReadAsEverything(message.body);
  }
  return 0;
}
