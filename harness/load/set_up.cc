// Runs a workload's set-up SQL and its check, and asks which tables a server lacks.
#include "harness/load/set_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "harness/load/sql_client.h"
#include "harness/script/script.h"

namespace connbench::load {
namespace {

// The statement's first word in lower case, past white space and comments.
std::string FirstWord(std::string_view sql) {
  while (true) {
    const size_t begin = sql.find_first_not_of(" \t\r\n");
    sql.remove_prefix(std::min(begin, sql.size()));
    std::string_view end;
    if (sql.starts_with("--")) {
      end = "\n";
    } else if (sql.starts_with("/*")) {
      end = "*/";
    } else {
      break;
    }
    const size_t at = sql.find(end);
    sql.remove_prefix(at == std::string_view::npos ? sql.size() : at + end.size());
  }
  const auto is_letter = [](char c) { return AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z'; };
  const auto* const end = std::find_if_not(sql.begin(), sql.end(), is_letter);
  return AsciiLower(std::string_view(sql.begin(), end));
}

// Runs the statements of a set-up. Where tables are to be kept, what destroys is left out, and the
// others are one transaction up to the first VACUUM (which cannot be part of one), so that a table
// that exists already fails the set-up as a whole.
class SetUpRun {
 public:
  SetUpRun(SqlClient& client, ExistingTables existing) : client_(client), existing_(existing) {}

  Status Send(const std::string& sql) {
    if (existing_ == ExistingTables::kKeep) {
      const std::string word = FirstWord(sql);
      if (word == "drop" || word == "truncate" || word == "delete") return Status::Ok();
      if (word == "vacuum") CONNBENCH_RETURN_IF_ERROR(End());
      if (state_ == State::kBefore) CONNBENCH_RETURN_IF_ERROR(Change("BEGIN", State::kInside));
    }
    return client_.Query(sql).status();
  }
  Status End() { return state_ == State::kInside ? Change("COMMIT", State::kAfter) : Status::Ok(); }

 private:
  enum class State : uint8_t { kBefore, kInside, kAfter };

  Status Change(const char* sql, State state) {
    state_ = state;
    return client_.Query(sql).status();
  }

  SqlClient& client_;
  const ExistingTables existing_;
  State state_ = State::kBefore;
};

// Runs a script of the workload with its variables. send(sql, where) sends one statement.
template <typename Send>
Status RunStatements(const Workload& workload, const ScriptSource& source, int64_t scale,
                     const Send& send) {
  std::map<std::string, std::string> define = workload.define;
  define["scale"] = std::to_string(scale > 0 ? scale : workload.scale);
  CONNBENCH_ASSIGN_OR_RETURN(const ScriptSet scripts, ScriptSet::Compile({source}, define));
  ScriptRunner runner(scripts, 0, 0);
  runner.Begin();
  while (true) {
    switch (runner.Next()) {
      case ScriptRunner::Step::kDone:
        return Status::Ok();
      case ScriptRunner::Step::kSleep:
      case ScriptRunner::Step::kSync:
        break;
      case ScriptRunner::Step::kError:
        return runner.error();
      case ScriptRunner::Step::kQuery: {
        std::string sql;
        runner.AppendSql(sql);
        const std::string where = fmt::format("{}:{}", source.path, runner.command().line);
        const Status status = send(sql, where);
        if (status.ok()) break;
        const ErrorInfo& error = status.error();
        return std::move(Status::Error(error.code, fmt::format("{}: {}", where, error.message)))
            .WithDetail(error.detail)
            .WithHint(error.hint);
      }
    }
  }
}

}  // namespace

Status SetUp(const Workload& workload, SqlClient& client, int64_t scale, ExistingTables existing,
             std::vector<SetUpNotice>* notices) {
  if (workload.setup.text.empty()) return Status::Ok();
  SetUpRun run(client, existing);
  const auto send = [&](const std::string& sql, const std::string& where) {
    const Status status = run.Send(sql);
    for (SqlNotice& notice : client.TakeNotices()) {
      if (notices == nullptr) continue;
      notices->push_back({where, std::move(notice.severity), std::move(notice.message)});
    }
    return status;
  };
  CONNBENCH_RETURN_IF_ERROR(RunStatements(workload, workload.setup, scale, send));
  return run.End();
}

Result<std::vector<std::string>> AskCheck(const Workload& workload, SqlClient& client,
                                          int64_t scale) {
  std::vector<std::string> found;
  if (!workload.check) return found;
  const auto ask = [&](const std::string& sql, const std::string& where) -> Status {
    CONNBENCH_ASSIGN_OR_RETURN(const SqlResult result, client.Query(sql));
    for (const auto& row : result.rows) {
      if (found.size() == kMaxContradictions) break;
      std::string text;
      for (const auto& value : row) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", value.value_or("NULL"));
      }
      found.push_back(fmt::format("{}: {}", where, text));
    }
    return Status::Ok();
  };
  CONNBENCH_RETURN_IF_ERROR(RunStatements(workload, *workload.check, scale, ask));
  return found;
}

Result<std::vector<std::string>> MissingTables(const Workload& workload, SqlClient& client) {
  std::vector<std::string> missing;
  for (const std::string& table : workload.tables) {
    const auto result = client.Query(fmt::format("SELECT 1 FROM {} LIMIT 1", table));
    if (result.ok()) continue;
    if (result.status().code() != sqlstate::kUndefinedTable) return result.status();
    missing.push_back(table);
  }
  return missing;
}

}  // namespace connbench::load
