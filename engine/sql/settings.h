// A session's settings (PostgreSQL calls them GUCs): SET, SET LOCAL, RESET, SHOW, and what a
// transaction's end does to them. One table of definitions: settings_table.cc.
//
// Safety: private memory of one session, one thread at a time. Memory: only what differs from the
// defaults is stored, so a fresh session holds a few hundred bytes.
//
// Errors, as PostgreSQL words them: 42704 unknown name, 22023 bad value, 55P02 not changeable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/time_zone.h"
#include "engine/session.h"
#include "engine/sql/settings_table.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

struct SettingDefaults;

// setting is named in the error: 22023 for what is no level, 0A000 for SERIALIZABLE.
Result<IsolationLevel> ParseIsolationLevel(std::string_view setting, std::string_view value);
std::string_view IsolationLevelName(IsolationLevel level);
// Whether the setting is really a property of the open transaction: transaction_isolation,
// transaction_read_only. The session answers for those.
bool IsOfTransaction(std::string_view setting);

// When a query is worth parallel workers, in PostgreSQL's terms.
struct ParallelSettings {
  float setup_cost = 1000;
  float tuple_cost = 0.1F;
  int32_t min_scan_blocks = 1024;
  int16_t workers_per_gather = 2;
  bool leader_participation = true;
  bool force = false;  // force_parallel_mode: regardless of cost
};

class Settings {
 public:
  // The defaults must outlive the settings.
  Settings(const SettingDefaults& defaults, const SessionOptions& options);

  // What the startup packet asks for. These values are what RESET goes back to.
  Status ApplyStartup(const std::vector<StartupParameter>& parameters);

  // For a pooler's backend (engine/session.h). Begin: as if the session were new, with these
  // parameters; on an error it has the defaults. Resume: the values are as FillClientState() gave
  // them.
  Status BeginClient(const std::vector<StartupParameter>& parameters);
  void ResumeClient(const ClientState& state);
  void FillClientState(ClientState& state) const;
  // Counts assignments.
  uint64_t version() const { return version_; }

  // in_transaction: remember the old value, for RollBackTo and AtEnd. local: until the
  // transaction ends.
  Status Set(std::string_view name, std::string_view value, bool local, bool in_transaction);
  Status Reset(std::string_view name, bool local, bool in_transaction);
  void ResetAll(bool in_transaction);
  Result<std::string> Show(std::string_view name) const;
  // The name as the table spells it ("DateStyle"); 42704.
  Result<std::string> CanonicalName(std::string_view name) const;

  struct Row {
    std::string name;
    std::string value;
    std::string description;
  };
  std::vector<Row> ShowAll() const;

  // For savepoints: a mark taken when one is set, undone to when it is rolled back to.
  size_t Mark() const { return log_.size(); }
  void RollBackTo(size_t mark);
  // The transaction's end: a rollback takes back everything, a commit what was LOCAL.
  void AtEnd(bool committed);

  // All reported parameters, and those that changed since the last call.
  void ReportAll(ResultSink& sink);
  void ReportChanges(ResultSink& sink) {
    if (!changed_.empty()) ReportChangesSlow(sink);
  }

  // Typed values, kept current, for the data path.
  struct Current {
    bool synchronous_commit = true;
    int64_t statement_timeout_ns = 0;  // 0: none
    int64_t lock_timeout_ns = 0;
    int64_t idle_in_transaction_timeout_ns = 0;
    int64_t idle_session_timeout_ns = 0;
    int64_t work_mem_bytes = 0;
    int client_min_messages = 0;  // NoticeLevel
    bool default_read_only = false;
    IsolationLevel default_isolation = IsolationLevel::kReadCommitted;
    bool enable_seqscan = true;
    bool enable_indexscan = true;
    IntervalStyle interval_style = IntervalStyle::kPostgres;
    ParallelSettings parallel;
    std::shared_ptr<const TimeZone> time_zone;
  };
  const Current& current() const { return current_; }

 private:
  struct Override {
    int index = 0;            // into the table; kCustom for "class.name"
    std::string custom_name;  // lower case
    std::string value;        // as SHOW prints it
  };
  struct LogEntry {
    int index;
    std::string custom_name;
    std::optional<std::string> before;  // none: the default
    std::optional<std::string> after;
    bool local;
  };
  static constexpr int kCustom = -1;

  std::string Default(int index) const;
  std::string Value(int index) const;
  const Override* FindOverride(int index, std::string_view custom_name) const;
  // Checks and prints value as SHOW would.
  Result<std::string> Canonicalize(const SettingDefinition& setting, std::string_view value) const;
  void Assign(int index, std::string_view custom_name, std::optional<std::string> value);
  void AssignLogged(int index, const std::string& custom_name, std::optional<std::string> value,
                    bool local, bool in_transaction);
  void ReportChangesSlow(ResultSink& sink);
  void ReturnToDefaults();

  const SettingDefaults& defaults_;
  std::string user_;
  bool superuser_;
  std::vector<Override> overrides_;
  std::vector<Override> startup_;  // RESET's values
  std::vector<LogEntry> log_;
  struct Change {
    int index;
    std::string told;  // the value that the client knows
  };
  std::vector<Change> changed_;  // reported settings that may have to be sent again
  Current current_;
  uint64_t version_ = 0;
};

// What every session of a server starts from. Made once, before backends are forked: each would
// otherwise read and print the same numbers again, with code and pages that it needs for nothing
// else.
struct SettingDefaults {
  std::vector<std::string> texts;  // as SHOW prints them, in the order of SettingDefinitions()
  Settings::Current values;
};

}  // namespace connbench::engine
