#include "protocol/answer_writer.h"

#include <cstring>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"

namespace connbench::protocol {

void AnswerWriter::ParameterDescription(std::span<const engine::Oid> types) {
  MessageWriter writer(out_, backend::kParameterDescription);
  writer.Int16(static_cast<int16_t>(types.size()));
  for (const engine::Oid type : types) writer.Int32(static_cast<int32_t>(type));
  writer.Finish();
}

void AnswerWriter::RowDescription(std::span<const engine::ColumnDescription> columns,
                                  std::span<const engine::WireFormat> formats) {
  MessageWriter writer(out_, backend::kRowDescription);
  writer.Int16(static_cast<int16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const engine::ColumnDescription& column = columns[i];
    engine::WireFormat format = engine::WireFormat::kText;
    if (formats.size() == 1) {
      format = formats[0];
    } else if (i < formats.size()) {
      format = formats[i];
    }
    writer.String(column.name)
        .Int32(static_cast<int32_t>(column.table_oid))
        .Int16(column.column_number)
        .Int32(static_cast<int32_t>(column.type_oid))
        .Int16(column.type_size)
        .Int32(column.type_modifier)
        .Int16(static_cast<int16_t>(format));
  }
  writer.Finish();
}

void AnswerWriter::NoData() { AppendEmptyMessage(out_, backend::kNoData); }

Status AnswerWriter::DataRow(std::span<const engine::WireValue> values) {
  size_t bytes = kHeaderBytes + 2;
  for (const engine::WireValue& value : values) {
    bytes += 4 + (value.is_null() ? 0 : static_cast<size_t>(value.length));
  }
  if (bytes > kMaxBackendMessageBytes) {
    return Status::Error(sqlstate::kProgramLimitExceeded, "a result row is longer than 1 GB");
  }
  const size_t begin = out_.size();
  out_.resize(begin + bytes);
  char* at = out_.data() + begin;
  *at = backend::kDataRow;
  StoreUint32(at + 1, static_cast<uint32_t>(bytes - 1));
  StoreUint16(at + kHeaderBytes, static_cast<uint16_t>(values.size()));
  at += kHeaderBytes + 2;
  for (const engine::WireValue& value : values) {
    if (value.is_null()) {
      StoreUint32(at, UINT32_MAX);
      at += 4;
      continue;
    }
    const auto length = static_cast<uint32_t>(value.length);
    StoreUint32(at, length);
    std::memcpy(at + 4, value.data, length);
    at += 4 + length;
  }
  return FlushIfLarge();
}

void AnswerWriter::CommandComplete(std::string_view tag) {
  MessageWriter writer(out_, backend::kCommandComplete);
  writer.String(tag).Finish();
}

void AnswerWriter::EmptyQuery() { AppendEmptyMessage(out_, backend::kEmptyQueryResponse); }

void AnswerWriter::PortalSuspended() { AppendEmptyMessage(out_, backend::kPortalSuspended); }

void AnswerWriter::CopyInResponse(engine::WireFormat format, int columns) {
  CopyResponse(backend::kCopyInResponse, format, columns);
}

void AnswerWriter::CopyOutResponse(engine::WireFormat format, int columns) {
  CopyResponse(backend::kCopyOutResponse, format, columns);
}

void AnswerWriter::CopyResponse(char type, engine::WireFormat format, int columns) {
  MessageWriter writer(out_, type);
  writer.Byte(static_cast<char>(format)).Int16(static_cast<int16_t>(columns));
  for (int i = 0; i < columns; ++i) writer.Int16(static_cast<int16_t>(format));
  writer.Finish();
}

Status AnswerWriter::CopyData(std::string_view bytes) {
  AppendCopyData(out_, bytes);
  return FlushIfLarge();
}

void AnswerWriter::CopyDone() { AppendEmptyMessage(out_, backend::kCopyDone); }

void AnswerWriter::Notice(std::string_view severity, const ErrorInfo& notice) {
  AppendNoticeResponse(out_, severity, notice);
}

void AnswerWriter::ParameterStatus(std::string_view name, std::string_view value) {
  AppendParameterStatus(out_, name, value);
}

Status AnswerWriter::FlushIfLarge() {
  if (out_.size() < kOutputFlushBytes && !client_gone_) return {};
  if (!client_gone_) {
    Status status = channel_.Flush(out_);
    if (status.ok()) return {};
    client_gone_ = true;
    out_.clear();
    return status;
  }
  out_.clear();
  return Status::Fatal(sqlstate::kConnectionFailure, "the client is gone");
}

Status AnswerWriter::Relay(std::string_view messages) {
  out_.append(messages);
  return FlushIfLarge();
}

}  // namespace connbench::protocol
