// The fields of Bind, the one message with arrays in it.
#include "protocol/bind_message.h"

#include <fmt/format.h>

#include "protocol/codec.h"
#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

// A count as the protocol writes it: 16 bits without a sign, because a statement may have 65535
// parameters.
size_t ReadCount(MessageReader& reader) { return static_cast<uint16_t>(reader.Int16()); }

[[gnu::hot]] void ReadFormats(MessageReader& reader, std::vector<WireFormat>& formats) {
  formats.clear();
  const size_t count = ReadCount(reader);
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    formats.push_back(static_cast<WireFormat>(reader.Int16()));
  }
}

template <typename T>
void TrimVector(std::vector<T>& items) {
  if (items.capacity() > kRetainedParameters) std::vector<T>().swap(items);
}

}  // namespace

Status MalformedMessage(const MessageReader& reader) {
  const char* message = "invalid message format";  // more is there than the fields
  switch (reader.failure()) {
    case ReadFailure::kNone:
      break;
    case ReadFailure::kNoData:
      message = "no data left in message";
      break;
    case ReadFailure::kTooShort:
      message = "insufficient data left in message";
      break;
    case ReadFailure::kEndlessString:
      message = "invalid string in message";
      break;
  }
  return Status::Error(sqlstate::kProtocolViolation, message);
}

[[gnu::hot]] Status BindMessage::Read(std::string_view body) {
  MessageReader reader(body);
  portal = reader.String();
  statement = reader.String();
  has_names = reader.ok();
  ReadFormats(reader, parameter_formats);
  parameters.clear();
  const size_t count = ReadCount(reader);
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    WireValue value;
    const int32_t length = reader.Int32();
    if (length != -1) {
      const std::string_view bytes = reader.Bytes(length);  // fails on any other negative length
      value.data = bytes.data();
      value.length = length;
    }
    parameters.push_back(value);
  }
  ReadFormats(reader, result_formats);
  if (!reader.Finished()) return MalformedMessage(reader);
  return {};
}

[[gnu::hot]] void BindMessage::Trim() {
  portal = {};
  statement = {};
  TrimVector(parameter_formats);
  TrimVector(parameters);
  TrimVector(result_formats);
}

size_t BindMessage::retained_bytes() const {
  return (parameter_formats.capacity() + result_formats.capacity()) * sizeof(WireFormat) +
         parameters.capacity() * sizeof(WireValue);
}

}  // namespace connbench::protocol
