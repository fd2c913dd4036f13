// Turns a session's answers into messages, straight into the output buffer.
#include "protocol/answer_writer.h"

#include <cstring>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"

namespace connbench::protocol {
namespace {

// What RowDescription says of a column after its name: the name's zero byte and six numbers.
constexpr size_t kColumnDescriptionBytes = 1 + 4 + 2 + 4 + 2 + 4 + 2;

}  // namespace

void AnswerWriter::ParameterDescription(std::span<const Oid> types) {
  MessageWriter writer(*out_, backend::kParameterDescription);
  writer.Int16(static_cast<int16_t>(types.size()));
  for (const Oid type : types) writer.Int32(static_cast<int32_t>(type));
  writer.Finish();
}

[[gnu::hot]] void AnswerWriter::RowDescription(std::span<const ColumnDescription> columns,
                                               std::span<const WireFormat> formats) {
  size_t bytes = kHeaderBytes + 2;
  for (const ColumnDescription& column : columns) {
    bytes += column.name.size() + kColumnDescriptionBytes;
  }
  const size_t begin = out_->size();
  out_->resize(begin + bytes);
  char* at = out_->data() + begin;
  *at = backend::kRowDescription;
  StoreUint32(at + 1, static_cast<uint32_t>(bytes - 1));
  StoreUint16(at + kHeaderBytes, static_cast<uint16_t>(columns.size()));
  at += kHeaderBytes + 2;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDescription& column = columns[i];
    WireFormat format = WireFormat::kText;
    if (formats.size() == 1) {
      format = formats[0];
    } else if (i < formats.size()) {
      format = formats[i];
    }
    std::memcpy(at, column.name.data(), column.name.size());
    at += column.name.size();
    *at = '\0';
    StoreUint32(at + 1, column.table_oid);
    StoreUint16(at + 5, static_cast<uint16_t>(column.column_number));
    StoreUint32(at + 7, column.type_oid);
    StoreUint16(at + 11, static_cast<uint16_t>(column.type_size));
    StoreUint32(at + 13, static_cast<uint32_t>(column.type_modifier));
    StoreUint16(at + 17, static_cast<uint16_t>(format));
    at += kColumnDescriptionBytes;
  }
}

[[gnu::hot]] void AnswerWriter::NoData() { AppendEmptyMessage(*out_, backend::kNoData); }

[[gnu::hot]] Status AnswerWriter::DataRow(std::span<const WireValue> values) {
  size_t bytes = kHeaderBytes + 2;
  for (const WireValue& value : values) {
    bytes += 4 + (value.is_null() ? 0 : static_cast<size_t>(value.length));
  }
  if (bytes > kMaxBackendMessageBytes) {
    return Status::Error(sqlstate::kProgramLimitExceeded, "a result row is longer than 1 GB");
  }
  const size_t begin = out_->size();
  out_->resize(begin + bytes);
  char* at = out_->data() + begin;
  *at = backend::kDataRow;
  StoreUint32(at + 1, static_cast<uint32_t>(bytes - 1));
  StoreUint16(at + kHeaderBytes, static_cast<uint16_t>(values.size()));
  at += kHeaderBytes + 2;
  for (const WireValue& value : values) {
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

[[gnu::hot]] void AnswerWriter::CommandComplete(std::string_view tag) {
  const size_t begin = out_->size();
  const size_t bytes = kHeaderBytes + tag.size() + 1;
  out_->resize(begin + bytes);  // the last byte is the zero that ends the tag
  char* at = out_->data() + begin;
  *at = backend::kCommandComplete;
  StoreUint32(at + 1, static_cast<uint32_t>(bytes - 1));
  std::memcpy(at + kHeaderBytes, tag.data(), tag.size());
}

void AnswerWriter::EmptyQuery() { AppendEmptyMessage(*out_, backend::kEmptyQueryResponse); }

void AnswerWriter::PortalSuspended() { AppendEmptyMessage(*out_, backend::kPortalSuspended); }

void AnswerWriter::CopyInResponse(WireFormat format, int columns) {
  CopyResponse(backend::kCopyInResponse, format, columns);
}

void AnswerWriter::CopyOutResponse(WireFormat format, int columns) {
  CopyResponse(backend::kCopyOutResponse, format, columns);
}

void AnswerWriter::CopyResponse(char type, WireFormat format, int columns) {
  MessageWriter writer(*out_, type);
  writer.Byte(static_cast<char>(format)).Int16(static_cast<int16_t>(columns));
  for (int i = 0; i < columns; ++i) writer.Int16(static_cast<int16_t>(format));
  writer.Finish();
}

Status AnswerWriter::CopyData(std::string_view bytes) {
  AppendCopyData(*out_, bytes);
  return FlushIfLarge();
}

void AnswerWriter::CopyDone() { AppendEmptyMessage(*out_, backend::kCopyDone); }

void AnswerWriter::Notice(std::string_view severity, const ErrorInfo& notice) {
  AppendNoticeResponse(*out_, severity, notice);
}

void AnswerWriter::ParameterStatus(std::string_view name, std::string_view value) {
  AppendParameterStatus(*out_, name, value);
}

[[gnu::hot]] Status AnswerWriter::FlushIfLarge() {
  if (out_->size() < kOutputFlushBytes && !client_gone_) return {};
  if (!client_gone_) {
    Status status = channel_->Flush(*out_);
    if (status.ok()) return {};
    client_gone_ = true;
    out_->clear();
    return status;
  }
  out_->clear();
  return Status::Fatal(sqlstate::kConnectionFailure, "the client is gone");
}

[[gnu::hot]] Status AnswerWriter::Relay(std::string_view messages, int64_t patience_ns) {
  out_->append(messages);
  if (out_->size() < kOutputFlushBytes && !client_gone_) {
    relay_flush_at_ = kOutputFlushBytes;
    return {};
  }
  if (out_->size() < relay_flush_at_) return {};
  return FlushDownTo(kRelayedAnswerBytes, patience_ns);
}

Status AnswerWriter::FlushSome() { return out_->empty() ? Status() : FlushDownTo(out_->size(), 0); }

Status AnswerWriter::FlushDownTo(size_t keep, int64_t patience_ns) {
  if (client_gone_) {
    out_->clear();
    return Status::Fatal(sqlstate::kConnectionFailure, "the client is gone");
  }
  Status status = channel_->FlushDownTo(*out_, keep, patience_ns);
  if (!status.ok()) {
    client_gone_ = true;
    out_->clear();
  }
  relay_flush_at_ = out_->size() + kOutputFlushBytes;
  return status;
}

}  // namespace connbench::protocol
