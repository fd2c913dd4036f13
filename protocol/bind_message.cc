#include "protocol/bind_message.h"

#include <fmt/format.h>

#include "protocol/codec.h"
#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

// A count as the protocol writes it: 16 bits without a sign, because a statement may have 65535
// parameters.
size_t ReadCount(MessageReader& reader) { return static_cast<uint16_t>(reader.Int16()); }

[[gnu::hot]] Status ReadFormats(MessageReader& reader, std::vector<engine::WireFormat>& formats) {
  formats.clear();
  const size_t count = ReadCount(reader);
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    const int16_t code = reader.Int16();
    if (code != 0 && code != 1) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("unsupported format code: {}", code));
    }
    formats.push_back(static_cast<engine::WireFormat>(code));
  }
  return {};
}

template <typename T>
void TrimVector(std::vector<T>& items) {
  if (items.capacity() > kRetainedParameters) std::vector<T>().swap(items);
}

}  // namespace

Status MalformedMessage(bool read_past_the_end) {
  return Status::Error(sqlstate::kProtocolViolation, read_past_the_end
                                                         ? "insufficient data left in message"
                                                         : "invalid message format");
}

[[gnu::hot]] Status BindMessage::Read(std::string_view body) {
  MessageReader reader(body);
  portal = reader.String();
  statement = reader.String();
  CONNBENCH_RETURN_IF_ERROR(ReadFormats(reader, parameter_formats));
  parameters.clear();
  const size_t count = ReadCount(reader);
  if (parameter_formats.size() > 1 && parameter_formats.size() != count && reader.ok()) {
    return Status::Error(sqlstate::kProtocolViolation,
                         fmt::format("bind message has {} parameter formats but {} parameters",
                                     parameter_formats.size(), count));
  }
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    engine::WireValue value;
    const int32_t length = reader.Int32();
    if (length != -1) {
      const std::string_view bytes = reader.Bytes(length);  // fails on any other negative length
      value.data = bytes.data();
      value.length = length;
    }
    parameters.push_back(value);
  }
  CONNBENCH_RETURN_IF_ERROR(ReadFormats(reader, result_formats));
  if (!reader.Finished()) return MalformedMessage(!reader.ok());
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
  return (parameter_formats.capacity() + result_formats.capacity()) * sizeof(engine::WireFormat) +
         parameters.capacity() * sizeof(engine::WireValue);
}

}  // namespace connbench::protocol
