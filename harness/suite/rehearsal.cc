// Before the first trial: tables are made and every script is run once, on each contender.
#include "harness/suite/rehearsal.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "harness/load/sql_client.h"
#include "harness/script/script.h"
#include "harness/suite/effective_settings.h"

namespace connbench::suite {
namespace {

// Tables are made at this scale where they are the harness's own: the SQL is the same, its data is
// not what is looked at.
constexpr int64_t kScale = 1;
constexpr int64_t kStatementTimeoutNs = 60 * kNanosecondsPerSecond;

// Refused for what the statement is, not for what it met.
bool CannotRun(const Status& status) {
  const std::string_view code = status.code();
  return code.starts_with("0A") || code.starts_with("42");
}
// The server said so, and not the connection to it.
bool ServerSaidNo(const Status& status) {
  static constexpr std::string_view kOwn[] = {"08", "57", "58"};
  return std::none_of(std::begin(kOwn), std::end(kOwn),
                      [&](std::string_view own) { return status.code().starts_with(own); });
}

// One contender with one set of settings, and all that its cells run.
class ContenderRehearsal {
 public:
  ContenderRehearsal(const Cell& first, targets::TargetEnvironment& environment)
      : target_(targets::MakeTarget(first.Request(), environment)) {
    report_.contender = first.target.cell;
    report_.settings = first.settings;
    pooled_ = std::find(first.target.parts.begin(), first.target.parts.end(), "pgbouncer") !=
              first.target.parts.end();
    built_in_ = !first.target.model.empty();
  }

  // False: it cannot be started, which is the trials' business.
  bool Start() {
    if (!target_->Prepare().ok() || !target_->Start().ok()) return false;
    report_.versions = target_->Versions();
    report_.configuration = ReadEffectiveSettings(*target_, built_in_, pooled_);
    return true;
  }

  Status Try(const load::Workload& workload) {
    const bool fresh = target_->table_setup() == targets::TableSetup::kFresh;
    if (!workload.setup.text.empty()) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool made, MakeTables(workload, fresh));
      if (!made) return Status::Ok();
    }
    std::map<std::string, std::string> define = workload.define;
    define["scale"] = std::to_string(fresh ? kScale : workload.scale);
    for (const load::ClientGroup& group : workload.AllGroups()) {
      for (load::ScriptSource script : group.scripts) {
        script.weight = 1;
        if (!tried_.insert(script.path + '\n' + workload.name).second) continue;
        CONNBENCH_RETURN_IF_ERROR(RunScript(script, define));
      }
    }
    return TryCheck(workload, fresh ? kScale : 0);
  }

  ContenderReport TakeReport() {
    (void)target_->Stop();
    return std::move(report_);
  }

 private:
  Status Refused(const std::string& where, const Status& status) const {
    const ErrorInfo& error = status.error();
    return Status::Error(error.code,
                         fmt::format("{}{} cannot run it: {}", where.empty() ? "" : where + ": ",
                                     report_.contender, error.message))
        .WithDetail(error.detail)
        .WithHint(error.hint.empty() ? "Change the statement, or measure without this contender."
                                     : error.hint);
  }

  // False: there are none, and the trials will say why.
  Result<bool> MakeTables(const load::Workload& workload, bool fresh) {
    const auto client = load::SqlClient::Connect(target_->setup_endpoint());
    if (!client.ok()) return false;
    if (!fresh) {
      const auto missing = load::MissingTables(workload, **client);
      return missing.ok() && missing->empty();
    }
    std::vector<load::SetUpNotice> notices;
    const Status status =
        load::SetUp(workload, **client, kScale, load::ExistingTables::kReplace, &notices);
    for (load::SetUpNotice& notice : notices) {
      report_.notices.push_back({workload.name, std::move(notice)});
    }
    if (!status.ok() && ServerSaidNo(status)) return Refused("", status);
    return status.ok();
  }

  // A contradiction after one transaction of each kind is one of the set-up or of the check.
  Status TryCheck(const load::Workload& workload, int64_t scale) {
    if (!workload.check) return Status::Ok();
    const auto client = load::SqlClient::Connect(target_->setup_endpoint());
    if (!client.ok()) return Status::Ok();
    const auto found = load::AskCheck(workload, **client, scale);
    if (!found.ok()) return CannotRun(found.status()) ? Refused("", found.status()) : Status::Ok();
    if (found->empty()) return Status::Ok();
    return Status::Error(sqlstate::kDataCorrupted,
                         fmt::format("{} contradicts itself before the first trial: {}",
                                     report_.contender, fmt::join(*found, "; ")))
        .WithHint("Look at the set-up, the scripts and the check, with psql.");
  }

  Status RunScript(const load::ScriptSource& source,
                   const std::map<std::string, std::string>& define) {
    CONNBENCH_ASSIGN_OR_RETURN(const load::ScriptSet scripts,
                               load::ScriptSet::Compile({source}, define));
    const auto client = load::SqlClient::Connect(target_->endpoint());
    if (!client.ok()) return Status::Ok();
    load::ScriptRunner runner(scripts, 0, 0);
    runner.Begin();
    while (true) {
      switch (runner.Next()) {
        case load::ScriptRunner::Step::kDone:
        case load::ScriptRunner::Step::kError:
          return Status::Ok();
        case load::ScriptRunner::Step::kSleep:
        case load::ScriptRunner::Step::kSync:
          break;
        case load::ScriptRunner::Step::kQuery: {
          std::string sql;
          runner.AppendSql(sql);
          const auto result = (*client)->Query(sql, kStatementTimeoutNs);
          if (!result.ok()) {
            if (!CannotRun(result.status())) return Status::Ok();
            return Refused(fmt::format("{}:{}", source.path, runner.command().line),
                           result.status());
          }
          Capture(*result, runner);
        }
      }
    }
  }

  // \gset and \aset: the last row's values.
  static void Capture(const load::SqlResult& result, load::ScriptRunner& runner) {
    const load::ScriptCommand& command = runner.command();
    if (command.capture == load::Capture::kNone || result.rows.empty()) return;
    for (size_t i = 0; i < result.columns.size(); ++i) {
      if (const auto& value = result.rows.back()[i]) {
        (void)runner.SetVariable(command.capture_prefix + result.columns[i], *value);
      }
    }
  }

  const std::unique_ptr<targets::Target> target_;
  bool built_in_ = false;
  bool pooled_ = false;
  ContenderReport report_;
  std::set<std::string> tried_;  // path of the script and name of the workload
};

// A warning says that the statement did something else than it says. Where all contenders warn
// alike they do the same work; where one does and another does not, they do not.
Status CompareWarnings(const std::vector<ContenderReport>& reports,
                       const std::map<std::string, std::set<std::string>>& runs) {
  for (const ContenderReport& warned : reports) {
    for (const WorkloadNotice& each : warned.notices) {
      if (each.notice.severity != "WARNING") continue;
      for (const ContenderReport& other : reports) {
        const bool runs_it = runs.at(each.workload).contains(other.contender);
        const bool alike =
            std::any_of(other.notices.begin(), other.notices.end(), [&](const auto& same) {
              return same.workload == each.workload && same.notice.where == each.notice.where &&
                     same.notice.severity == "WARNING";
            });
        if (!runs_it || alike) continue;
        return Status::Error(
                   sqlstate::kFeatureNotSupported,
                   fmt::format("{}: {} would do other work than {}: {}", each.notice.where,
                               warned.contender, other.contender, each.notice.message))
            .WithHint(fmt::format("Leave it out of the statement, or measure without {}.",
                                  warned.contender));
      }
    }
  }
  return Status::Ok();
}

Poco::JSON::Object::Ptr PairsObject(const targets::Settings& pairs) {
  Poco::JSON::Object::Ptr object = new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [name, value] : pairs) object->set(name, value);
  return object;
}

}  // namespace

Result<std::vector<ContenderReport>> Rehearse(const std::vector<Cell>& cells,
                                              targets::TargetEnvironment& environment,
                                              Interruption& interruption) {
  std::vector<std::pair<std::string, std::vector<const Cell*>>> contenders;  // in the plan's order
  std::map<std::string, std::set<std::string>> runs;                         // by workload
  for (const Cell& cell : cells) {
    const std::string key = cell.ContenderKey();
    auto known = std::find_if(contenders.begin(), contenders.end(),
                              [&](const auto& contender) { return contender.first == key; });
    if (known == contenders.end()) {
      known = contenders.insert(known, {key, std::vector<const Cell*>()});
    }
    known->second.push_back(&cell);
  }
  std::vector<ContenderReport> reports;
  for (const auto& [key, its_cells] : contenders) {
    ContenderRehearsal rehearsal(*its_cells.front(), environment);
    if (!rehearsal.Start()) continue;
    std::set<std::string> workloads;
    for (const Cell* cell : its_cells) {
      if (interruption.Requested()) break;
      std::string varied = cell->workload.name + '\n';
      for (const auto& [name, value] : cell->workload.define) varied += name + '=' + value + '\n';
      if (!workloads.insert(varied).second) continue;
      runs[cell->workload.name].insert(cell->target.cell);
      CONNBENCH_RETURN_IF_ERROR(rehearsal.Try(cell->workload));
    }
    reports.push_back(rehearsal.TakeReport());
    if (interruption.Requested()) return reports;
  }
  CONNBENCH_RETURN_IF_ERROR(CompareWarnings(reports, runs));
  return reports;
}

std::string WriteContendersJson(const std::vector<ContenderReport>& reports) {
  Poco::JSON::Array all;
  for (const ContenderReport& report : reports) {
    Poco::JSON::Object::Ptr contender = new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
    contender->set("contender", report.contender);
    contender->set("settings", PairsObject(report.settings));
    contender->set("versions", PairsObject(report.versions));
    Poco::JSON::Array::Ptr configuration = new Poco::JSON::Array;
    for (const EffectiveSetting& setting : report.configuration) {
      configuration->add(PairsObject({{"part", setting.part},
                                      {"name", setting.name},
                                      {"value", setting.value},
                                      {"default", setting.preset}}));
    }
    contender->set("configuration", configuration);
    Poco::JSON::Array::Ptr notices = new Poco::JSON::Array;
    for (const WorkloadNotice& each : report.notices) {
      notices->add(PairsObject({{"workload", each.workload},
                                {"where", each.notice.where},
                                {"severity", each.notice.severity},
                                {"message", each.notice.message}}));
    }
    contender->set("notices", notices);
    all.add(contender);
  }
  std::ostringstream text;
  all.stringify(text, 2);
  return text.str() + "\n";
}

}  // namespace connbench::suite
