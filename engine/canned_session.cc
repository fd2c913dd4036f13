// A session with no engine behind it.
#include "engine/canned_session.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {
namespace {

constexpr int16_t kInt4Size = 4;
constexpr char kAnswerText[] = {'1'};
constexpr char kAnswerBinary[] = {0, 0, 0, 1};

enum class CommandKind : uint8_t { kRow, kCommand, kBegin, kCommit, kRollback, kRefused, kEmpty };

struct Command {
  std::string_view first_word;
  std::string_view tag;
  CommandKind kind;
};

constexpr Command kRowCommand = {"select", "SELECT 1",
                                 CommandKind::kRow};  // also for unknown words
constexpr Command kEmptyCommand = {"", "", CommandKind::kEmpty};
constexpr Command kRefusedCommand = {"", "", CommandKind::kRefused};
constexpr Command kCommands[] = {
    {"begin", "BEGIN", CommandKind::kBegin},
    {"start", "START TRANSACTION", CommandKind::kBegin},
    {"commit", "COMMIT", CommandKind::kCommit},
    {"end", "COMMIT", CommandKind::kCommit},
    {"rollback", "ROLLBACK", CommandKind::kRollback},
    {"abort", "ROLLBACK", CommandKind::kRollback},
    {"update", "UPDATE 1", CommandKind::kCommand},
    {"insert", "INSERT 0 1", CommandKind::kCommand},
    {"delete", "DELETE 1", CommandKind::kCommand},
    {"truncate", "TRUNCATE TABLE", CommandKind::kCommand},
    {"vacuum", "VACUUM", CommandKind::kCommand},
    {"set", "SET", CommandKind::kCommand},
    {"reset", "RESET", CommandKind::kCommand},
    {"discard", "DISCARD ALL", CommandKind::kCommand},
    {"deallocate", "DEALLOCATE", CommandKind::kCommand},
};

const Command& Classify(std::string_view sql) {
  const auto begin = std::find_if(sql.begin(), sql.end(), [](char c) {
    return c != ' ' && c != '\n' && c != '\t' && c != ';';
  });
  if (begin == sql.end()) return kEmptyCommand;
  if (sql.find("pg_class") != std::string_view::npos) return kRefusedCommand;
  const auto end = std::find_if_not(begin, sql.end(), IsAsciiLetter);
  for (const Command& command : kCommands) {
    if (EqualIgnoringCase({begin, end}, command.first_word)) {
      return command;
    }
  }
  return kRowCommand;
}

// The highest n of any $n.
size_t CountParameters(std::string_view sql) {
  constexpr size_t kMaxParameters = 65535;
  size_t highest = 0;
  for (size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '$') continue;
    size_t number = 0;
    for (++i; i < sql.size() && sql[i] >= '0' && sql[i] <= '9' && number <= kMaxParameters; ++i) {
      number = number * 10 + static_cast<size_t>(sql[i] - '0');
    }
    if (number <= kMaxParameters) highest = std::max(highest, number);
    --i;
  }
  return highest;
}

class CannedSession final : public Session {
 public:
  CannedSession(std::unique_ptr<Backend> backend, SessionOptions options)
      : backend_(std::move(backend)),
        user_(std::move(options.user)),
        superuser_(options.superuser) {
    answer_.push_back({"answer", 0, 0, type_oid::kInt4, kInt4Size, -1});
    for (StartupParameter& parameter : options.parameters) {
      if (parameter.name == "application_name") application_name_ = std::move(parameter.value);
    }
  }

  void ReportParameters(ResultSink& sink) override {
    sink.ParameterStatus("application_name", application_name_);
    sink.ParameterStatus("client_encoding", "UTF8");
    sink.ParameterStatus("DateStyle", "ISO, MDY");
    sink.ParameterStatus("default_transaction_read_only", "off");
    sink.ParameterStatus("in_hot_standby", "off");
    sink.ParameterStatus("integer_datetimes", "on");
    sink.ParameterStatus("IntervalStyle", "postgres");
    sink.ParameterStatus("is_superuser", superuser_ ? "on" : "off");
    sink.ParameterStatus("server_encoding", "UTF8");
    sink.ParameterStatus("server_version", "15.0 (connbench, canned)");
    sink.ParameterStatus("session_authorization", user_);
    sink.ParameterStatus("standard_conforming_strings", "on");
    sink.ParameterStatus("TimeZone", "UTC");
  }
  uint32_t cancel_key() const override { return backend_->cancel_key(); }
  void SetWaiter(Waiter& waiter) override { backend_->SetWaiter(waiter); }

  Result<Progress> Query(std::string_view sql, ResultSink& sink) override {
    const Command& command = Classify(sql);
    CONNBENCH_RETURN_IF_ERROR(Check(command));
    if (command.kind == CommandKind::kRow) sink.RowDescription(answer_, {});
    return Run(command, WireFormat::kText, sink);
  }

  Status Parse(std::string_view statement, std::string_view sql,
               std::span<const Oid> parameter_types, ResultSink&) override {
    const Command& command = Classify(sql);
    CONNBENCH_RETURN_IF_ERROR(Check(command));
    if (!statement.empty() && statements_.contains(statement)) {
      return Fail(
          Status::Error(sqlstate::kDuplicatePreparedStatement,
                        "prepared statement \"" + std::string(statement) + "\" already exists"));
    }
    Statement parsed{&command, {parameter_types.begin(), parameter_types.end()}};
    parsed.parameter_types.resize(std::max(parameter_types.size(), CountParameters(sql)),
                                  type_oid::kInt4);
    statements_.insert_or_assign(std::string(statement), std::move(parsed));
    return {};
  }

  Status Bind(std::string_view portal, std::string_view statement, std::span<const WireFormat>,
              std::span<const WireValue>, std::span<const WireFormat> result_formats) override {
    const auto found = statements_.find(statement);
    if (found == statements_.end()) return Fail(NoStatement(statement));
    CONNBENCH_RETURN_IF_ERROR(Check(*found->second.command));
    const Portal bound{found->second.command,
                       result_formats.empty() ? WireFormat::kText : result_formats[0]};
    const auto old = portals_.find(portal);
    if (old == portals_.end()) {
      portals_.emplace(portal, bound);
    } else if (portal.empty()) {
      old->second = bound;
    } else {
      return Fail(Status::Error(sqlstate::kDuplicateCursor,
                                "cursor \"" + std::string(portal) + "\" already exists"));
    }
    return {};
  }

  Status DescribeStatement(std::string_view statement, ResultSink& sink) override {
    const auto found = statements_.find(statement);
    if (found == statements_.end()) return Fail(NoStatement(statement));
    sink.ParameterDescription(found->second.parameter_types);
    DescribeRows(*found->second.command, {}, sink);
    return {};
  }

  Status DescribePortal(std::string_view portal, ResultSink& sink) override {
    const auto found = portals_.find(portal);
    if (found == portals_.end()) return Fail(NoPortal(portal));
    DescribeRows(*found->second.command, {&found->second.format, 1}, sink);
    return {};
  }

  Result<Progress> Execute(std::string_view portal, int64_t, ResultSink& sink) override {
    const auto found = portals_.find(portal);
    if (found == portals_.end()) return Fail(NoPortal(portal));
    const Portal bound = found->second;
    CONNBENCH_RETURN_IF_ERROR(Check(*bound.command));
    return Run(*bound.command, bound.format, sink);
  }

  Status CloseStatement(std::string_view statement) override {
    const auto found = statements_.find(statement);
    if (found != statements_.end()) statements_.erase(found);
    return {};
  }
  Status ClosePortal(std::string_view portal) override {
    const auto found = portals_.find(portal);
    if (found != portals_.end()) portals_.erase(found);
    return {};
  }
  Status Sync(ResultSink&) override {
    if (status_ == TransactionStatus::kIdle) DropNamedPortals();
    return {};
  }

  // No statement of this session ever begins a COPY.
  Status CopyInData(std::string_view) override { return NoCopy(); }
  Result<Progress> CopyInDone(ResultSink&) override { return NoCopy(); }
  Status CopyInFail(std::string_view) override { return NoCopy(); }

  void FailTransaction() override {
    if (status_ == TransactionStatus::kInTransaction) status_ = TransactionStatus::kFailed;
  }
  TransactionStatus transaction_status() const override { return status_; }
  MonotonicNs IdleDeadline(MonotonicNs) const override { return kNoDeadline; }
  Status IdleTimeoutError() const override { return {}; }
  Status TerminationRequested() const override { return backend_->CheckTermination(); }

 private:
  struct Statement {
    const Command* command;
    std::vector<Oid> parameter_types;
  };
  struct Portal {
    const Command* command;
    WireFormat format;
  };

  static Status NoCopy() {
    return Status::Error(sqlstate::kProtocolViolation, "no COPY is in progress");
  }
  static Status NoStatement(std::string_view name) {
    return Status::Error(sqlstate::kInvalidSqlStatementName,
                         "prepared statement \"" + std::string(name) + "\" does not exist");
  }
  static Status NoPortal(std::string_view name) {
    return Status::Error(sqlstate::kInvalidCursorName,
                         "portal \"" + std::string(name) + "\" does not exist");
  }
  Status Fail(Status status) {
    FailTransaction();
    return status;
  }

  Status Check(const Command& command) {
    if (command.kind == CommandKind::kRefused) {
      return Fail(Status::Error(sqlstate::kFeatureNotSupported,
                                "the canned engine has no system catalogs"));
    }
    if (status_ == TransactionStatus::kFailed && command.kind != CommandKind::kCommit &&
        command.kind != CommandKind::kRollback) {
      return Status::Error(
          sqlstate::kInFailedSqlTransaction,
          "current transaction is aborted, commands ignored until end of transaction block");
    }
    return {};
  }

  void DescribeRows(const Command& command, std::span<const WireFormat> formats, ResultSink& sink) {
    if (command.kind == CommandKind::kRow) {
      sink.RowDescription(answer_, formats);
    } else {
      sink.NoData();
    }
  }

  Result<Progress> Run(const Command& command, WireFormat format, ResultSink& sink) {
    BackendCounters& counters = backend_->slot().counters;
    switch (command.kind) {
      case CommandKind::kRow: {
        const WireValue value = format == WireFormat::kText
                                    ? WireValue{kAnswerText, sizeof(kAnswerText)}
                                    : WireValue{kAnswerBinary, sizeof(kAnswerBinary)};
        CONNBENCH_RETURN_IF_ERROR(sink.DataRow({&value, 1}));
        break;
      }
      case CommandKind::kBegin:
        status_ = TransactionStatus::kInTransaction;
        break;
      case CommandKind::kCommit:
      case CommandKind::kRollback: {
        const bool rolled_back =
            status_ == TransactionStatus::kFailed || command.kind == CommandKind::kRollback;
        BackendCounters::Increment(counters.statements);
        if (status_ != TransactionStatus::kIdle) {
          BackendCounters::Increment(rolled_back ? counters.rollbacks : counters.commits);
        }
        status_ = TransactionStatus::kIdle;
        sink.CommandComplete(rolled_back ? "ROLLBACK" : command.tag);
        return Progress::kDone;
      }
      case CommandKind::kEmpty:
        sink.EmptyQuery();
        return Progress::kDone;
      case CommandKind::kCommand:
      case CommandKind::kRefused:  // Check() let none through
        break;
    }
    BackendCounters::Increment(counters.statements);
    if (status_ == TransactionStatus::kIdle) BackendCounters::Increment(counters.commits);
    sink.CommandComplete(command.tag);
    return Progress::kDone;
  }

  // A transaction's end closes its portals; the unnamed one is kept for the next Bind to fill.
  void DropNamedPortals() {
    if (portals_.empty() || (portals_.size() == 1 && portals_.begin()->first.empty())) return;
    std::erase_if(portals_, [](const auto& portal) { return !portal.first.empty(); });
  }

  const std::unique_ptr<Backend> backend_;
  const std::string user_;
  const bool superuser_;
  std::string application_name_;
  std::vector<ColumnDescription> answer_;
  std::map<std::string, Statement, std::less<>> statements_;
  std::map<std::string, Portal, std::less<>> portals_;
  TransactionStatus status_ = TransactionStatus::kIdle;
};

}  // namespace

std::unique_ptr<Session> MakeCannedSession(std::unique_ptr<Backend> backend,
                                           SessionOptions options) {
  return std::make_unique<CannedSession>(std::move(backend), std::move(options));
}

}  // namespace connbench::engine
