// An engine whose sessions understand a few made-up statements, record every call.
#include "protocol/testing/fake_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::protocol {
namespace {

using engine::Progress;
using engine::TransactionStatus;

std::string ValueText(const WireValue& value) {
  if (value.is_null()) return "NULL";
  return {value.data, static_cast<size_t>(value.length)};
}

std::vector<int> Codes(std::span<const WireFormat> formats) {
  std::vector<int> codes;
  for (const WireFormat format : formats) codes.push_back(static_cast<int>(format));
  return codes;
}

std::vector<ColumnDescription> OneColumn() { return {{"n", 0, 0, type_oid::kText, -1, -1}}; }

bool HasRows(std::string_view sql) { return sql.starts_with("row") || sql.starts_with("wide"); }

}  // namespace

void FakeSession::ReportParameters(engine::ResultSink& sink) {
  sink.ParameterStatus("server_version", "15.0");
}

// "rows 3" -> 3
int64_t FakeSession::Argument(std::string_view statement) const {
  const size_t space = statement.find(' ');
  if (space == std::string_view::npos) return 0;
  const int64_t number = std::atoll(std::string(statement.substr(space)).c_str());
  return std::clamp<int64_t>(number, 0, state_.max_argument);
}

Status FakeSession::Fail(Status status) {
  if (state_.status == TransactionStatus::kInTransaction)
    state_.status = TransactionStatus::kFailed;
  return status;
}

Result<Progress> FakeSession::Query(std::string_view sql, engine::ResultSink& sink) {
  Log(fmt::format("Query({})", sql));
  rest_ = sql;
  if (sql.empty()) {
    sink.EmptyQuery();
    return Progress::kDone;
  }
  return RunAll(true, sink);
}

Result<Progress> FakeSession::RunAll(bool describe, engine::ResultSink& sink) {
  while (!rest_.empty()) {
    const size_t semicolon = std::min(rest_.find(';'), rest_.size());
    const std::string statement = rest_.substr(0, semicolon);
    rest_.erase(0, std::min(semicolon + 1, rest_.size()));
    Result<Progress> result = RunOne(statement, describe, sink);
    if (!result.ok() || *result == Progress::kCopyIn) return result;
  }
  return Progress::kDone;
}

Status FakeSession::SendRows(int64_t first, int64_t last, engine::ResultSink& sink) {
  for (int64_t i = first; i <= last; ++i) {
    const std::string text = std::to_string(i);
    const WireValue value{text.data(), static_cast<int32_t>(text.size())};
    CONNBENCH_RETURN_IF_ERROR(sink.DataRow({&value, 1}));
  }
  return {};
}

Result<Progress> FakeSession::RunOne(std::string_view statement, bool describe,
                                     engine::ResultSink& sink) {
  if (describe && HasRows(statement)) sink.RowDescription(OneColumn(), {});
  if (statement.starts_with("row")) {
    const int64_t rows = statement == "row" ? 1 : Argument(statement);
    CONNBENCH_RETURN_IF_ERROR(SendRows(1, rows, sink));
    sink.CommandComplete(fmt::format("SELECT {}", rows));
  } else if (statement.starts_with("wide")) {
    const std::string text(static_cast<size_t>(Argument(statement)), 'x');
    const WireValue value{text.data(), static_cast<int32_t>(text.size())};
    CONNBENCH_RETURN_IF_ERROR(sink.DataRow({&value, 1}));
    sink.CommandComplete("SELECT 1");
  } else if (statement == "fail") {
    return Fail(Status::Error(sqlstate::kSyntaxError, "syntax error", 8)
                    .WithDetail("some detail")
                    .WithHint("some hint"));
  } else if (statement == "die") {
    return Status::Fatal(sqlstate::kAdminShutdown, "told to end");
  } else if (statement == "notice") {
    ErrorInfo notice;
    notice.code = sqlstate::kSuccessfulCompletion;
    notice.message = "take note";
    sink.Notice("NOTICE", notice);
    sink.CommandComplete("NOTICE");
  } else if (statement == "begin") {
    state_.status = TransactionStatus::kInTransaction;
    sink.CommandComplete("BEGIN");
  } else if (statement == "commit") {
    const bool failed = state_.status == TransactionStatus::kFailed;
    state_.status = TransactionStatus::kIdle;
    sink.CommandComplete(failed ? "ROLLBACK" : "COMMIT");
  } else if (statement == "set") {
    sink.ParameterStatus("application_name", "new");
    sink.CommandComplete("SET");
  } else if (statement == "copyin") {
    copied_.clear();
    sink.CopyInResponse(WireFormat::kText, 2);
    return Progress::kCopyIn;
  } else if (statement.starts_with("copyout")) {
    sink.CopyOutResponse(WireFormat::kText, 1);
    for (int64_t i = 0; i < Argument(statement); ++i) {
      CONNBENCH_RETURN_IF_ERROR(sink.CopyData("line\n"));
    }
    sink.CopyDone();
    sink.CommandComplete(fmt::format("COPY {}", Argument(statement)));
  } else if (statement.empty()) {
    sink.EmptyQuery();
  } else {
    return Fail(
        Status::Error(sqlstate::kFeatureNotSupported, fmt::format("what is \"{}\"?", statement)));
  }
  return Progress::kDone;
}

Status FakeSession::Parse(std::string_view statement, std::string_view sql,
                          std::span<const Oid> parameter_types, engine::ResultSink&) {
  Log(fmt::format("Parse({}, {}, {})", statement, sql, parameter_types));
  if (sql == "fail") return Fail(Status::Error(sqlstate::kSyntaxError, "syntax error", 8));
  statements_.insert_or_assign(std::string(statement), std::string(sql));
  return {};
}

Status FakeSession::Bind(std::string_view portal, std::string_view statement,
                         std::span<const WireFormat> parameter_formats,
                         std::span<const WireValue> parameters,
                         std::span<const WireFormat> result_formats) {
  std::vector<std::string> values;
  for (const WireValue& value : parameters) values.push_back(ValueText(value));
  Log(fmt::format("Bind({}, {}, {}, {}, {})", portal, statement, Codes(parameter_formats), values,
                  Codes(result_formats)));
  const auto found = statements_.find(statement);
  if (found == statements_.end()) {
    return Fail(Status::Error(sqlstate::kInvalidSqlStatementName, "no such statement"));
  }
  Portal bound;
  bound.sql = found->second;
  if (!result_formats.empty()) bound.format = result_formats[0];
  portals_.insert_or_assign(std::string(portal), std::move(bound));
  return {};
}

Status FakeSession::DescribeStatement(std::string_view statement, engine::ResultSink& sink) {
  Log(fmt::format("DescribeStatement({})", statement));
  const auto found = statements_.find(statement);
  if (found == statements_.end()) {
    return Fail(Status::Error(sqlstate::kInvalidSqlStatementName, "no such statement"));
  }
  sink.ParameterDescription(std::vector<Oid>{type_oid::kText});
  if (HasRows(found->second)) {
    sink.RowDescription(OneColumn(), {});
  } else {
    sink.NoData();
  }
  return {};
}

Status FakeSession::DescribePortal(std::string_view portal, engine::ResultSink& sink) {
  Log(fmt::format("DescribePortal({})", portal));
  const auto found = portals_.find(portal);
  if (found == portals_.end()) {
    return Fail(Status::Error(sqlstate::kInvalidCursorName, "no such portal"));
  }
  if (HasRows(found->second.sql)) {
    sink.RowDescription(OneColumn(), {&found->second.format, 1});
  } else {
    sink.NoData();
  }
  return {};
}

Result<Progress> FakeSession::Execute(std::string_view portal, int64_t max_rows,
                                      engine::ResultSink& sink) {
  Log(fmt::format("Execute({}, {})", portal, max_rows));
  const auto found = portals_.find(portal);
  if (found == portals_.end()) {
    return Fail(Status::Error(sqlstate::kInvalidCursorName, "no such portal"));
  }
  Portal& open = found->second;
  const int64_t rows = Argument(open.sql);
  if (open.sql.starts_with("rows") && max_rows > 0 && rows - open.rows_sent > max_rows) {
    CONNBENCH_RETURN_IF_ERROR(SendRows(open.rows_sent + 1, open.rows_sent + max_rows, sink));
    open.rows_sent += max_rows;
    sink.PortalSuspended();
    return Progress::kDone;
  }
  if (open.rows_sent > 0) {
    CONNBENCH_RETURN_IF_ERROR(SendRows(open.rows_sent + 1, rows, sink));
    sink.CommandComplete(fmt::format("SELECT {}", rows - open.rows_sent));
    return Progress::kDone;
  }
  rest_.clear();
  return RunOne(open.sql, false, sink);
}

Status FakeSession::CloseStatement(std::string_view statement) {
  Log(fmt::format("CloseStatement({})", statement));
  return {};
}

Status FakeSession::ClosePortal(std::string_view portal) {
  Log(fmt::format("ClosePortal({})", portal));
  return {};
}

Status FakeSession::Sync(engine::ResultSink&) {
  Log("Sync");
  return state_.sync_error;
}

Status FakeSession::CopyInData(std::string_view bytes) {
  copied_.append(bytes);
  if (copied_.find("bad") != std::string::npos) {
    return Fail(Status::Error(sqlstate::kInvalidTextRepresentation, "bad data"));
  }
  return {};
}

Result<Progress> FakeSession::CopyInDone(engine::ResultSink& sink) {
  Log(fmt::format("CopyInDone({})", copied_));
  sink.CommandComplete("COPY 1");
  return RunAll(true, sink);
}

Status FakeSession::CopyInFail(std::string_view reason) {
  Log(fmt::format("CopyInFail({})", reason));
  return Fail(
      Status::Error(sqlstate::kQueryCanceled, fmt::format("COPY from stdin failed: {}", reason)));
}

void FakeSession::FailTransaction() {
  Log("FailTransaction");
  (void)Fail(Status());
}

Status FakeSession::IdleTimeoutError() const {
  return Status::Fatal(sqlstate::kIdleInTransactionSessionTimeout, "idle for too long");
}

Status FakeSession::TerminationRequested() const {
  return state_.terminate ? Status::Fatal(sqlstate::kAdminShutdown, "told to end") : Status();
}

FakeEngine::FakeEngine() {
  constexpr int64_t kEntries = 16;
  log_memory_ = std::calloc(1, static_cast<size_t>(engine::ConnectionLog::ShmemSize(kEntries)));
  log_ = new (log_memory_) engine::ConnectionLog();
  log_->Init(kEntries);
}

FakeEngine::~FakeEngine() { std::free(log_memory_); }

Result<std::unique_ptr<engine::Session>> FakeEngine::StartSession(engine::SessionOptions options,
                                                                  engine::Waiter& waiter) {
  state.options = std::move(options);
  state.waiter = &waiter;
  if (!start_error.ok()) return start_error;
  return std::unique_ptr<engine::Session>(std::make_unique<FakeSession>(state));
}

Result<std::optional<engine::Role>> FakeEngine::FindRole(std::string_view name,
                                                         uint32_t /*connection_id*/,
                                                         engine::Waiter& /*waiter*/) {
  for (const engine::Role& role : roles) {
    if (role.name == name) return std::optional<engine::Role>(role);
  }
  return std::optional<engine::Role>();
}

void FakeEngine::Cancel(uint32_t connection_id, uint32_t cancel_key) {
  cancelled.emplace_back(connection_id, cancel_key);
}

Status FakeChannel::Flush(std::string& bytes) {
  if (flushes == accepts) return Status::Fatal(sqlstate::kConnectionFailure, "connection reset");
  ++flushes;
  largest = std::max(largest, bytes.size());
  sent += bytes;
  bytes.clear();
  return {};
}

FakeConnection::FakeConnection(uint32_t id, const ServerSecurity* security)
    : connection_id(id != 0 ? id : engine.connection_log().Begin(MonotonicNow())),
      session(engine, waiter, channel, connection_id,
              {.name = "127.0.0.1:40000",
               .address = IpAddress::Parse("127.0.0.1"),
               .security = security}) {}

std::vector<std::string> FakeConnection::Send(std::string_view bytes) {
  want = session.Receive(bytes);
  return TakeOutput();
}

std::vector<std::string> FakeConnection::TakeOutput() {
  std::vector<std::string> messages = DescribeMessages(channel.sent + session.output());
  channel.sent.clear();
  session.ClearOutput();
  return messages;
}

void FakeConnection::Start() {
  Send(AliceStartup());
  engine.state.calls.clear();
}

std::string AliceStartup() {
  std::string bytes;
  const NameValue parameters[] = {{"user", "alice"}, {"database", "shop"}};
  AppendStartup(bytes, parameters);
  return bytes;
}

namespace {

std::string DescribeRow(MessageReader& reader) {
  std::string text;
  const int columns = reader.Int16();
  for (int i = 0; i < columns; ++i) {
    if (i > 0) text += '|';
    const int32_t length = reader.Int32();
    text += length < 0 ? "NULL" : std::string(reader.Bytes(length));
  }
  return text;
}

std::string DescribeColumns(MessageReader& reader) {
  std::string text;
  const int columns = reader.Int16();
  for (int i = 0; i < columns; ++i) {
    if (i > 0) text += '|';
    text += reader.String();
    reader.Int32();  // table
    reader.Int16();  // column
    const int32_t type = reader.Int32();
    const int size = reader.Int16();
    const int32_t modifier = reader.Int32();
    text += fmt::format(" {} {} {} {}", type, size, modifier, reader.Int16());
  }
  return text;
}

std::string DescribeError(std::string_view body) {
  ErrorFields fields;
  if (!ReadErrorFields(body, fields)) return "malformed";
  std::string text = fmt::format("{} {} {}", fields.severity, fields.code, fields.message);
  if (!fields.detail.empty()) text += fmt::format(" D:{}", fields.detail);
  if (!fields.hint.empty()) text += fmt::format(" H:{}", fields.hint);
  if (!fields.position.empty()) text += fmt::format(" P:{}", fields.position);
  return text;
}

std::string DescribeBody(const Message& message) {
  MessageReader reader(message.body);
  switch (message.type) {
    case backend::kAuthentication:
      return std::to_string(reader.Int32());
    case backend::kBackendKeyData: {
      const auto id = static_cast<uint32_t>(reader.Int32());
      return fmt::format("{} {:x}", id, static_cast<uint32_t>(reader.Int32()));
    }
    case backend::kParameterStatus: {
      const std::string_view name = reader.String();
      return fmt::format("{}={}", name, reader.String());
    }
    case backend::kCommandComplete:
      return std::string(reader.String());
    case backend::kErrorResponse:
    case backend::kNoticeResponse:
      return DescribeError(message.body);
    case backend::kDataRow:
      return DescribeRow(reader);
    case backend::kRowDescription:
      return DescribeColumns(reader);
    case backend::kParameterDescription: {
      std::string text;
      const int count = reader.Int16();
      for (int i = 0; i < count; ++i) text += fmt::format("{}{}", i > 0 ? " " : "", reader.Int32());
      return text;
    }
    case backend::kCopyInResponse:
    case backend::kCopyOutResponse: {
      const int format = reader.Byte();
      return fmt::format("{} {}", format, reader.Int16());
    }
    case backend::kNegotiateProtocolVersion: {
      const auto newest = static_cast<uint32_t>(reader.Int32());
      std::string text = fmt::format("{}.{}", newest >> 16, newest & 0xffff);
      const int count = reader.Int32();
      for (int i = 0; i < count; ++i) text += fmt::format(" {}", reader.String());
      return text;
    }
    default:
      return std::string(message.body);
  }
}

}  // namespace

std::vector<std::string> DescribeMessages(std::string_view bytes) {
  std::vector<std::string> texts;
  // The one-byte answers to SSLRequest and GSSENCRequest come before any message.
  while (!bytes.empty() && bytes[0] == 'N' && (bytes.size() < 5 || bytes[1] != '\0')) {
    texts.emplace_back("N");
    bytes.remove_prefix(1);
  }
  Message message;
  while (NextMessage(bytes, 1 << 30, message) == FrameResult::kMessage) {
    const std::string body = DescribeBody(message);
    texts.push_back(body.empty() ? std::string(1, message.type)
                                 : fmt::format("{} {}", message.type, body));
  }
  if (!bytes.empty()) texts.push_back(fmt::format("? {} bytes", bytes.size()));
  return texts;
}

}  // namespace connbench::protocol
