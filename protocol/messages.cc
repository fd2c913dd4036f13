// The messages themselves.
#include "protocol/messages.h"

#include <string>

namespace connbench::protocol {
namespace {

void AppendNamed(std::string& out, char type, char kind, std::string_view name) {
  MessageWriter writer(out, type);
  writer.Byte(kind).String(name).Finish();
}

void AppendFields(std::string& out, char type, std::string_view severity, const ErrorInfo& info) {
  MessageWriter writer(out, type);
  writer.Byte('S').String(severity);
  writer.Byte('V').String(severity);  // never translated; ours never are
  writer.Byte('C').String(info.code);
  writer.Byte('M').String(info.message);
  if (!info.detail.empty()) writer.Byte('D').String(info.detail);
  if (!info.hint.empty()) writer.Byte('H').String(info.hint);
  if (!info.context.empty()) writer.Byte('W').String(info.context);
  if (info.position > 0) writer.Byte('P').String(std::to_string(info.position));
  if (!info.table.empty()) writer.Byte('s').String("public").Byte('t').String(info.table);
  if (!info.column.empty()) writer.Byte('c').String(info.column);
  if (!info.constraint.empty()) writer.Byte('n').String(info.constraint);
  writer.Byte('\0').Finish();
}

}  // namespace

void AppendStartup(std::string& out, std::span<const NameValue> parameters, uint32_t version) {
  MessageWriter writer(out);
  writer.Int32(static_cast<int32_t>(version));
  for (const auto& [name, value] : parameters) writer.String(name).String(value);
  writer.Byte('\0').Finish();
}

void AppendSslRequest(std::string& out) {
  MessageWriter writer(out);
  writer.Int32(kSslRequestCode).Finish();
}

void AppendCancelRequest(std::string& out, uint32_t connection_id, uint32_t key) {
  MessageWriter writer(out);
  writer.Int32(kCancelRequestCode)
      .Int32(static_cast<int32_t>(connection_id))
      .Int32(static_cast<int32_t>(key))
      .Finish();
}

void AppendQuery(std::string& out, std::string_view sql) {
  MessageWriter writer(out, frontend::kQuery);
  writer.String(sql).Finish();
}

void AppendParse(std::string& out, std::string_view statement, std::string_view sql,
                 std::span<const Oid> parameter_types) {
  MessageWriter writer(out, frontend::kParse);
  writer.String(statement).String(sql).Int16(static_cast<int16_t>(parameter_types.size()));
  for (const Oid type : parameter_types) writer.Int32(static_cast<int32_t>(type));
  writer.Finish();
}

void AppendBind(std::string& out, std::string_view portal, std::string_view statement,
                std::span<const WireValue> parameters, WireFormat result_format) {
  MessageWriter writer(out, frontend::kBind);
  writer.String(portal).String(statement);
  writer.Int16(0);  // no parameter formats: all text
  writer.Int16(static_cast<int16_t>(parameters.size()));
  for (const WireValue& parameter : parameters) {
    if (parameter.is_null()) {
      writer.Null();
    } else {
      writer.Value({parameter.data, static_cast<size_t>(parameter.length)});
    }
  }
  writer.Int16(1).Int16(static_cast<int16_t>(result_format)).Finish();
}

void AppendDescribeStatement(std::string& out, std::string_view statement) {
  AppendNamed(out, frontend::kDescribe, frontend::kOfStatement, statement);
}

void AppendDescribePortal(std::string& out, std::string_view portal) {
  AppendNamed(out, frontend::kDescribe, frontend::kOfPortal, portal);
}

void AppendExecute(std::string& out, std::string_view portal, int32_t max_rows) {
  MessageWriter writer(out, frontend::kExecute);
  writer.String(portal).Int32(max_rows).Finish();
}

void AppendCloseStatement(std::string& out, std::string_view statement) {
  AppendNamed(out, frontend::kClose, frontend::kOfStatement, statement);
}

void AppendClosePortal(std::string& out, std::string_view portal) {
  AppendNamed(out, frontend::kClose, frontend::kOfPortal, portal);
}

void AppendCopyData(std::string& out, std::string_view bytes) {
  MessageWriter writer(out, frontend::kCopyData);
  writer.Bytes(bytes).Finish();
}

void AppendCopyFail(std::string& out, std::string_view reason) {
  MessageWriter writer(out, frontend::kCopyFail);
  writer.String(reason).Finish();
}

void AppendPassword(std::string& out, std::string_view password) {
  MessageWriter(out, frontend::kPassword).String(password).Finish();
}

void AppendSaslInitialResponse(std::string& out, std::string_view mechanism,
                               std::string_view response) {
  MessageWriter(out, frontend::kPassword).String(mechanism).Value(response).Finish();
}

void AppendSaslResponse(std::string& out, std::string_view response) {
  MessageWriter(out, frontend::kPassword).Bytes(response).Finish();
}

void AppendAuthenticationCleartextPassword(std::string& out) {
  MessageWriter(out, backend::kAuthentication).Int32(kAuthenticationCleartextPassword).Finish();
}

void AppendAuthenticationSasl(std::string& out, std::span<const std::string_view> mechanisms) {
  MessageWriter writer(out, backend::kAuthentication);
  writer.Int32(kAuthenticationSasl);
  for (const std::string_view mechanism : mechanisms) writer.String(mechanism);
  writer.Byte('\0').Finish();
}

void AppendAuthenticationSaslData(std::string& out, int32_t method, std::string_view data) {
  MessageWriter(out, backend::kAuthentication).Int32(method).Bytes(data).Finish();
}

void AppendAuthenticationOk(std::string& out) {
  MessageWriter writer(out, backend::kAuthentication);
  writer.Int32(kAuthenticationOk).Finish();
}

void AppendBackendKeyData(std::string& out, uint32_t connection_id, uint32_t key) {
  MessageWriter writer(out, backend::kBackendKeyData);
  writer.Int32(static_cast<int32_t>(connection_id)).Int32(static_cast<int32_t>(key)).Finish();
}

void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value) {
  MessageWriter writer(out, backend::kParameterStatus);
  writer.String(name).String(value).Finish();
}

[[gnu::hot]] void AppendReadyForQuery(std::string& out, engine::TransactionStatus status) {
  const char bytes[] = {backend::kReadyForQuery,  0, 0, 0, kLengthBytes + 1,
                        static_cast<char>(status)};
  out.append(bytes, sizeof(bytes));
}

void AppendErrorResponse(std::string& out, std::string_view severity, const ErrorInfo& error) {
  AppendFields(out, backend::kErrorResponse, severity, error);
}

void AppendNoticeResponse(std::string& out, std::string_view severity, const ErrorInfo& notice) {
  AppendFields(out, backend::kNoticeResponse, severity, notice);
}

void AppendNegotiateProtocolVersion(std::string& out, uint32_t newest,
                                    std::span<const std::string_view> unknown_options) {
  MessageWriter writer(out, backend::kNegotiateProtocolVersion);
  writer.Int32(static_cast<int32_t>(newest)).Int32(static_cast<int32_t>(unknown_options.size()));
  for (const std::string_view option : unknown_options) writer.String(option);
  writer.Finish();
}

bool ReadErrorFields(std::string_view body, ErrorFields& fields) {
  fields = {};
  MessageReader reader(body);
  while (true) {
    const char field = static_cast<char>(reader.Byte());
    if (!reader.ok()) return false;
    if (field == '\0') return reader.Finished();
    const std::string_view value = reader.String();
    if (!reader.ok()) return false;
    switch (field) {
      case 'S':
        if (fields.severity.empty()) fields.severity = value;
        break;
      case 'V':
        fields.severity = value;
        break;
      case 'C':
        fields.code = value;
        break;
      case 'M':
        fields.message = value;
        break;
      case 'D':
        fields.detail = value;
        break;
      case 'H':
        fields.hint = value;
        break;
      case 'W':
        fields.context = value;
        break;
      case 'P':
        fields.position = value;
        break;
      default:  // the protocol tells clients to skip fields they do not know
        break;
    }
  }
}

bool ReadBackendKeyData(std::string_view body, uint32_t& connection_id, uint32_t& key) {
  MessageReader reader(body);
  connection_id = static_cast<uint32_t>(reader.Int32());
  key = static_cast<uint32_t>(reader.Int32());
  return reader.Finished();
}

bool ReadParameterStatus(std::string_view body, std::string_view& name, std::string_view& value) {
  MessageReader reader(body);
  name = reader.String();
  value = reader.String();
  return reader.Finished();
}

bool ReadReadyForQuery(std::string_view body, engine::TransactionStatus& status) {
  MessageReader reader(body);
  status = static_cast<engine::TransactionStatus>(reader.Byte());
  if (!reader.Finished()) return false;
  return status == engine::TransactionStatus::kIdle ||
         status == engine::TransactionStatus::kInTransaction ||
         status == engine::TransactionStatus::kFailed;
}

}  // namespace connbench::protocol
