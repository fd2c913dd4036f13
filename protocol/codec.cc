// The framing of PostgreSQL's protocol 3.0, for both directions.
#include "protocol/codec.h"

namespace connbench::protocol {

[[gnu::hot]] FrameResult NextMessage(std::string_view& input, size_t max_body_bytes,
                                     Message& message) {
  if (input.size() < kHeaderBytes) return FrameResult::kIncomplete;
  const size_t length = LoadUint32(input.data() + 1);
  if (length < kLengthBytes || length - kLengthBytes > max_body_bytes) {
    return FrameResult::kBadLength;
  }
  if (input.size() < 1 + length) return FrameResult::kIncomplete;
  message.type = input[0];
  message.body = input.substr(kHeaderBytes, length - kLengthBytes);
  input.remove_prefix(1 + length);
  return FrameResult::kMessage;
}

}  // namespace connbench::protocol
