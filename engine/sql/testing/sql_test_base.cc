// For tests of sessions: an engine in this process, sessions on it, and answers as strings.
#include "engine/sql/testing/sql_test_base.h"

#include <fmt/format.h>

namespace connbench::engine {
namespace {

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace

void CollectingSink::ParameterDescription(std::span<const Oid> types) {
  std::string line = "parameters";
  for (Oid type : types) line += fmt::format(" {}", type);
  Say(std::move(line));
}

void CollectingSink::RowDescription(std::span<const ColumnDescription> described,
                                    std::span<const WireFormat> /*formats*/) {
  columns.clear();
  for (const ColumnDescription& column : described) {
    columns.push_back(fmt::format("{}:{}", column.name, column.type_oid));
  }
}

Status CollectingSink::DataRow(std::span<const WireValue> values) {
  std::vector<std::string> fields;
  for (const WireValue& value : values) {
    fields.push_back(value.is_null() ? "<null>"
                                     : std::string(value.data, static_cast<size_t>(value.length)));
  }
  rows.push_back(Join(fields, "|"));
  Say(rows.back());
  return {};
}

void CollectingSink::CopyInResponse(WireFormat /*format*/, int column_count) {
  Say(fmt::format("copy in {}", column_count));
}
void CollectingSink::CopyOutResponse(WireFormat /*format*/, int column_count) {
  Say(fmt::format("copy out {}", column_count));
}
Status CollectingSink::CopyData(std::string_view bytes) {
  copied += bytes;
  return {};
}
void CollectingSink::Notice(std::string_view severity, const ErrorInfo& notice) {
  Say(fmt::format("{} {} {}", severity, notice.code, notice.message));
}
void CollectingSink::ParameterStatus(std::string_view name, std::string_view value) {
  Say(fmt::format("{}={}", name, value));
}

TestSession::TestSession(Engine& engine, std::vector<StartupParameter> parameters,
                         std::string user) {
  SessionOptions options;
  options.connection_id = engine.connection_log().Begin(MonotonicNow());
  options.superuser = user == "postgres";
  options.user = std::move(user);
  options.database = "testdb";
  options.parameters = std::move(parameters);
  Result<std::unique_ptr<Session>> session = engine.StartSession(std::move(options), waiter_);
  if (!session.ok()) {
    ADD_FAILURE() << session.status().ToString();
    return;
  }
  session_ = std::move(*session);
}

std::string TestSession::ErrorText(const Status& status) {
  if (status.ok()) return "ok";
  return fmt::format("{} {} {}", status.error().code, status.error().position,
                     status.error().message);
}

std::string TestSession::Run(std::string_view sql, std::string_view copy_data) {
  sink_ = {};
  Result<Progress> progress = session_->Query(sql, sink_);
  if (progress.ok() && *progress == Progress::kCopyIn) {
    Status status;
    // In small pieces, so that lines are split anywhere.
    constexpr size_t kPiece = 7;
    for (size_t at = 0; at < copy_data.size() && status.ok(); at += kPiece) {
      status = session_->CopyInData(copy_data.substr(at, kPiece));
    }
    progress = status.ok() ? session_->CopyInDone(sink_) : Result<Progress>(status);
  }
  if (!progress.ok()) sink_.lines.push_back("ERROR " + ErrorText(progress.status()));
  return Join(sink_.lines, "\n");
}

std::string TestSession::Rows(std::string_view sql) {
  Run(sql);
  if (!sink_.lines.empty() && sink_.lines.back().starts_with("ERROR")) return sink_.lines.back();
  return Join(sink_.rows, " ");
}

std::string TestSession::Error(std::string_view sql) {
  Run(sql);
  const std::string& last = sink_.lines.back();
  return last.starts_with("ERROR ") ? last.substr(6) : "ok";
}

std::string TestSession::Extended(std::string_view sql,
                                  const std::vector<std::string>& parameters) {
  sink_ = {};
  Status status = session_->Parse("", sql, {}, sink_);
  std::vector<WireValue> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) {
    values.push_back({parameter.data(), static_cast<int32_t>(parameter.size())});
  }
  if (status.ok()) status = session_->Bind("", "", {}, values, {});
  if (status.ok()) status = session_->Execute("", 0, sink_).TakeStatus();
  Status synced = session_->Sync(sink_);
  if (status.ok()) status = std::move(synced);
  if (!status.ok()) sink_.lines.push_back("ERROR " + ErrorText(status));
  return Join(sink_.lines, "\n");
}

EngineConfig SqlTest::SmallConfig() {
  EngineConfig config;
  config.segment_backing = SegmentBacking::kAnonymous;
  config.shared_buffers_bytes = int64_t{32} << 20;
  config.max_connections = 20;
  config.deadlock_timeout_ms = 50;
  return config;
}

SqlTest::SqlTest() {
  Result<std::unique_ptr<Engine>> engine = Engine::Create(SmallConfig());
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status().ToString();
    return;
  }
  engine_ = std::move(*engine);
  a_ = std::make_unique<TestSession>(*engine_);
  b_ = std::make_unique<TestSession>(*engine_);
}

std::string SqlTest::FullError(std::string_view sql) {
  CollectingSink sink;
  const Result<Progress> progress = a_->session().Query(sql, sink);
  if (progress.ok()) return "ok";
  const ErrorInfo& error = progress.status().error();
  return std::string(error.code) + " " + error.message + "\n" + error.detail + "\n" + error.hint;
}

}  // namespace connbench::engine
