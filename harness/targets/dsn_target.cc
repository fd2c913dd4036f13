// Any server that speaks the protocol, by libpq's connection string or URI. It is reached, never
// started or stopped. Nothing is created in it unless dsn.setup = on, and nothing is ever dropped.
// Its processes are observed if dsn.pid says where their tree begins, or if it is a PostgreSQL on
// this machine whose backend's process id, which every client is told, leads to its postmaster.
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <filesystem>

#include "base/near_names.h"
#include "base/number.h"
#include "harness/load/sql_client.h"
#include "harness/observe/proc_files.h"
#include "harness/targets/conninfo.h"
#include "harness/targets/target_kinds.h"

namespace connbench::targets {
namespace {

constexpr std::string_view kPrefix = "dsn:";
constexpr std::string_view kSettings[] = {"pid", "setup"};

std::string Label(const load::Endpoint& endpoint) {
  return CellText(fmt::format(
      "dsn:{}@{}", endpoint.database.empty() ? endpoint.user : endpoint.database,
      endpoint.is_unix() ? fmt::format("socket:{}", endpoint.port) : endpoint.ToString()));
}

// Of a connection's backend, if it is a PostgreSQL on this machine; otherwise 0.
pid_t FindPostmaster(const load::Endpoint& endpoint, pid_t backend) {
  const auto address = load::ResolveEndpoint(endpoint);
  if (!address.ok() || !(endpoint.is_unix() || address->is_loopback_v4())) return 0;
  const auto runs_postgres = [](pid_t pid) {
    std::error_code error;
    const auto program = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error);
    return !error && program.filename() == "postgres";
  };
  const auto stat = observe::ReadProcessStat(backend);
  return stat && runs_postgres(backend) && runs_postgres(stat->parent) ? stat->parent : 0;
}

class DsnTarget final : public Target {
 public:
  explicit DsnTarget(const TargetRequest& request) {
    // ParseDsnTarget() has read it before.
    if (auto endpoint = ParseConninfo(request.name.text.substr(kPrefix.size())); endpoint.ok()) {
      endpoint_ = std::move(*endpoint);
    }
    for (const auto& [name, value] : SettingsOfPart("dsn", request.settings)) {
      if (name == "setup") setup_ = value == "on";
      if (name == "pid") given_pid_ = std::atoi(value.c_str());
    }
  }
  DsnTarget(const DsnTarget&) = delete;
  DsnTarget& operator=(const DsnTarget&) = delete;
  ~DsnTarget() override { Forget(); }

  Status Prepare() override {
    CONNBENCH_ASSIGN_OR_RETURN(const auto client, load::SqlClient::Connect(endpoint_));
    version_ = client->ServerParameter("server_version");
    return Status::Ok();
  }
  std::vector<std::pair<std::string, std::string>> Versions() const override {
    return {{Label(endpoint_), version_}};
  }

  Status Start() override {
    Forget();
    CONNBENCH_ASSIGN_OR_RETURN(const auto client, load::SqlClient::Connect(endpoint_));
    pid_ = given_pid_ != 0 ? given_pid_
                           : FindPostmaster(endpoint_, static_cast<pid_t>(client->connection_id()));
    if (pid_ == 0) return Status::Ok();
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd_ >= 0) return Status::Ok();
    return Status::System(fmt::format("dsn.pid: there is no process {} to observe", pid_), errno);
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  TableSetup table_setup() const override { return setup_ ? TableSetup::kKeep : TableSetup::kNone; }
  pid_t root_pid() const override { return pid_; }
  std::vector<int> exit_descriptors() const override {
    return pidfd_ < 0 ? std::vector<int>() : std::vector<int>{pidfd_};
  }

  Status CheckAlive() override {
    const auto client = load::SqlClient::Connect(endpoint_);
    return client.ok() ? Status::Ok() : client.status();
  }
  // Also where its processes are seen: they are somebody's.
  Status Crash() override {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "a server reached by dsn: is not the harness's to crash")
        .WithHint("Run a failover against a target that the harness starts.");
  }
  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    return std::vector<engine::ConnectionLogRecord>();
  }

  // It goes on; of its life nothing is known.
  Result<rusage> Stop() override {
    Forget();
    return rusage{};
  }

 private:
  void Forget() {
    if (pidfd_ >= 0) ::close(pidfd_);
    pidfd_ = -1;
    pid_ = 0;
  }

  load::Endpoint endpoint_;
  std::string version_;
  bool setup_ = false;
  pid_t given_pid_ = 0;
  pid_t pid_ = 0;
  int pidfd_ = -1;
};

}  // namespace

Status CheckDsnSetting(std::string_view name, std::string_view value) {
  if (std::find(std::begin(kSettings), std::end(kSettings), name) == std::end(kSettings)) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("there is no setting dsn.{}", name))
        .WithHint(SuggestNames(name, kSettings));
  }
  const bool good =
      name == "setup" ? value == "on" || value == "off" : ParseWholeNumber(value, 1, INT_MAX).ok();
  if (good) return Status::Ok();
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("dsn.{} cannot be \"{}\"", name, value))
      .WithHint(name == "setup" ? "It is on or off." : "It is the number of a process.");
}

Result<std::optional<TargetName>> ParseDsnTarget(const std::string& text) {
  if (!text.starts_with(kPrefix)) return std::optional<TargetName>();
  CONNBENCH_ASSIGN_OR_RETURN(const load::Endpoint endpoint,
                             ParseConninfo(text.substr(kPrefix.size())));
  const std::string label = Label(endpoint);
  return std::optional<TargetName>(TargetName{text, label, "", "target:" + label, {"dsn"}});
}

std::unique_ptr<Target> MakeDsnTarget(const TargetRequest& request,
                                      TargetEnvironment& /*environment*/) {
  return std::make_unique<DsnTarget>(request);
}

}  // namespace connbench::targets
