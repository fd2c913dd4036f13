// PgBouncer in front of another target: the installed program with a configuration file of its own.
// Client and server connections, limits and the listen queue are sized by the load; pool_mode is
// transaction and default_pool_size 20 (in session mode, where a pool smaller than the load would
// make clients wait for ever, as many as there are clients). Everything else is PgBouncer's default.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/clock.h"
#include "base/near_names.h"
#include "harness/targets/child_process.h"
#include "harness/targets/server_processes.h"
#include "harness/targets/server_programs.h"
#include "harness/targets/target_kinds.h"

namespace connbench::targets {
namespace {

constexpr std::string_view kPrefix = "pgbouncer+";
constexpr char kPackage[] = "pgbouncer";
constexpr int64_t kStartTimeoutNs = 20 * kNanosecondsPerSecond;
constexpr int64_t kStopTimeoutNs = 10 * kNanosecondsPerSecond;
constexpr useconds_t kReadyPollUs = 5000;
constexpr int kSpareClients = 10;
constexpr int kFastExit = 1;
// The first release that keeps prepared statements in transaction pooling.
constexpr std::pair<int, int> kFirstWithPrepared = {1, 21};

// What a suite may set, as in PgBouncer's manual. Where to listen, whom to serve and what to write is
// the harness's.
constexpr std::string_view kSettings[] = {"application_name_add_host",
                                          "default_pool_size",
                                          "listen_backlog",
                                          "max_prepared_statements",
                                          "min_pool_size",
                                          "pkt_buf",
                                          "pool_mode",
                                          "reserve_pool_size",
                                          "reserve_pool_timeout",
                                          "sbuf_loopcnt",
                                          "server_check_delay",
                                          "server_check_query",
                                          "server_fast_close",
                                          "server_idle_timeout",
                                          "server_lifetime",
                                          "server_reset_query",
                                          "server_round_robin",
                                          "stats_period",
                                          "tcp_defer_accept",
                                          "tcp_socket_buffer"};
constexpr std::string_view kPoolModes[] = {"session", "transaction", "statement"};

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether somebody accepts connections there.
bool Accepts(const load::Endpoint& endpoint) {
  const auto address = load::ResolveEndpoint(endpoint);
  if (!address.ok()) return false;
  const int socket = ::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = socket >= 0 && ::connect(socket, address->get(), address->length) == 0;
  if (socket >= 0) ::close(socket);
  return connected;
}

class PgbouncerTarget final : public Target {
 public:
  PgbouncerTarget(const TargetRequest& request, std::unique_ptr<Target> server)
      : settings_(SettingsOfPart("pgbouncer", request.settings)),
        protocol_(request.protocol),
        clients_(request.connections + kSpareClients),
        server_(std::move(server)) {}
  PgbouncerTarget(const PgbouncerTarget&) = delete;
  PgbouncerTarget& operator=(const PgbouncerTarget&) = delete;
  ~PgbouncerTarget() override {
    if (child_.running()) (void)StopPooler();
    if (log_ >= 0) ::close(log_);
  }

  Status Prepare() override {
    CONNBENCH_RETURN_IF_ERROR(FindProgram());
    CONNBENCH_RETURN_IF_ERROR(server_->Prepare());
    const bool carries_prepared = Get("pool_mode") == "session" ||
                                  std::pair(version_.major, version_.minor) >= kFirstWithPrepared;
    if (protocol_ != load::ProtocolMode::kPrepared || carries_prepared) return Status::Ok();
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("PgBouncer {}.{} carries no prepared statements in pool mode "
                                     "{}",
                                     version_.major, version_.minor, Get("pool_mode")))
        .WithHint(
            "Set protocol = \"extended\" for the experiment, pgbouncer.pool_mode = \"session\", or "
            "use PgBouncer 1.21 or newer.");
  }

  std::vector<std::pair<std::string, std::string>> Versions() const override {
    auto versions = server_->Versions();
    versions.emplace_back("pgbouncer", version_.text);
    return versions;
  }

  Status Start() override {
    CONNBENCH_RETURN_IF_ERROR(FindProgram());
    CONNBENCH_RETURN_IF_ERROR(server_->Start());
    CONNBENCH_ASSIGN_OR_RETURN(folder_, ServerFolder::Make("", user_));
    endpoint_ = server_->endpoint();
    CONNBENCH_ASSIGN_OR_RETURN(endpoint_.port, FindFreePort());
    CONNBENCH_RETURN_IF_ERROR(WriteConfiguration());
    log_ = MakeOutputFile("connbench-pgbouncer-log");
    ChildOptions options;
    options.argv = {program_, folder_.Path("pgbouncer.ini")};
    options.run_as = user_;
    options.folder = folder_.path();
    options.raise_descriptor_limit = true;
    options.descriptors = {{log_, STDOUT_FILENO}, {log_, STDERR_FILENO}};
    options.death_signal = SIGKILL;
    CONNBENCH_ASSIGN_OR_RETURN(child_, ChildProcess::Start(options));
    return AwaitReady();
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  const load::Endpoint& setup_endpoint() const override { return server_->setup_endpoint(); }
  TableSetup table_setup() const override { return server_->table_setup(); }
  pid_t root_pid() const override { return server_->root_pid(); }
  std::vector<pid_t> root_pids() const override {
    std::vector<pid_t> pids = server_->root_pids();
    if (child_.pid() != 0) pids.push_back(child_.pid());
    return pids;
  }
  std::vector<int> exit_descriptors() const override {
    std::vector<int> descriptors = server_->exit_descriptors();
    descriptors.push_back(child_.exit_descriptor());
    return descriptors;
  }

  Status CheckAlive() override {
    CONNBENCH_RETURN_IF_ERROR(server_->CheckAlive());
    const std::optional<ChildExit> ended = child_.Wait(0);
    return ended ? Ended(*ended) : Status::Ok();
  }

  // The server knows the pooler's connections, not the clients'.
  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    return std::vector<engine::ConnectionLogRecord>();
  }

  Result<rusage> Stop() override {
    const Result<rusage> pooler = StopPooler();
    // Also after a failure: nothing may be left.
    Result<rusage> server = server_->root_pid() == 0 ? rusage{} : server_->Stop();
    if (!pooler.ok()) return pooler.status();
    if (!server.ok()) return server;
    server->ru_nvcsw += pooler->ru_nvcsw;
    server->ru_nivcsw += pooler->ru_nivcsw;
    return server;
  }

 private:
  Status FindProgram() {
    if (!program_.empty()) return Status::Ok();
    CONNBENCH_ASSIGN_OR_RETURN(const std::string program, FindServerProgram("pgbouncer", kPackage));
    CONNBENCH_ASSIGN_OR_RETURN(user_, UnprivilegedUser());
    ChildOptions options;
    options.argv = {program, "--version"};
    options.run_as = user_;
    CONNBENCH_ASSIGN_OR_RETURN(const std::string text, RunProgram(std::move(options)));
    CONNBENCH_ASSIGN_OR_RETURN(version_, ParseProgramVersion(text));
    program_ = program;
    return Status::Ok();
  }

  Settings AllSettings() const {
    Settings all = {{"pool_mode", "transaction"}, {"default_pool_size", "20"}};
    const auto set = [&](const std::string& name, const std::string& value) {
      std::erase_if(all, [&](const auto& setting) { return setting.first == name; });
      all.emplace_back(name, value);
    };
    for (const auto& [name, value] : settings_) {
      if (name == "pool_mode" && value == "session") {
        set("default_pool_size", std::to_string(clients_));
      }
    }
    if (std::pair(version_.major, version_.minor) >= kFirstWithPrepared) {
      set("max_prepared_statements", "100");
    }
    // As the built-in models: room for twice the clients, capped by the kernel.
    set("listen_backlog", std::to_string(2 * clients_));
    for (const auto& [name, value] : settings_) set(name, value);
    return all;
  }

  std::string Get(std::string_view wanted) const {
    for (const auto& [name, value] : AllSettings()) {
      if (name == wanted) return value;
    }
    return {};
  }

  Status WriteConfiguration() {
    const load::Endpoint& server = server_->endpoint();
    std::string text = fmt::format(
        "[databases]\n* = host={} port={} user={}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        "listen_port = {}\nunix_socket_dir =\nauth_type = any\nmax_client_conn = {}\n"
        "ignore_startup_parameters = extra_float_digits,options\nlog_connections = 0\n"
        "log_disconnections = 0\n",
        server.host, server.port, server.user, endpoint_.port, clients_);
    for (const auto& [name, value] : AllSettings()) text += fmt::format("{} = {}\n", name, value);
    const std::string path = folder_.Path("pgbouncer.ini");
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) return Status::System("cannot write " + path, errno);
    if (user_ && ::chown(path.c_str(), user_->user, user_->group) != 0) {
      return Status::System("cannot give " + path + " to the pooler's user", errno);
    }
    return Status::Ok();
  }

  Status AwaitReady() {
    const MonotonicNs deadline = MonotonicNow() + kStartTimeoutNs;
    while (!Accepts(endpoint_)) {
      if (const std::optional<ChildExit> ended = child_.Wait(0)) return Ended(*ended);
      if (MonotonicNow() > deadline) {
        return Status::Error(sqlstate::kCannotConnectNow, "PgBouncer was not ready in time")
            .WithDetail(ReadOutputTail(log_));
      }
      ::usleep(kReadyPollUs);
    }
    return Status::Ok();
  }

  Result<rusage> StopPooler() {
    if (child_.pid() == 0) return rusage{};
    if (const std::optional<ChildExit> ended = child_.Wait(0)) {
      folder_.Remove();
      return Ended(*ended);
    }
    Result<ChildExit> exit = EndServer(child_, SIGTERM, kStopTimeoutNs, "PgBouncer", log_);
    folder_.Remove();
    if (!exit.ok()) return exit.TakeStatus();
    // Its fast exit ends with 1.
    if (exit->exit_code() != 0 && exit->exit_code() != kFastExit) return Ended(*exit);
    return exit->usage;
  }

  Status Ended(const ChildExit& exit) const {
    return Status::Error(sqlstate::kCrashShutdown,
                         fmt::format("PgBouncer ({}) {}", program_, exit.Describe()))
        .WithDetail(ReadOutputTail(log_));
  }

  const Settings settings_;
  const load::ProtocolMode protocol_;
  const int clients_;
  const std::unique_ptr<Target> server_;
  std::string program_;
  ProgramVersion version_;
  std::optional<UserIds> user_;
  ServerFolder folder_;
  ChildProcess child_;
  int log_ = -1;
  load::Endpoint endpoint_;
};

}  // namespace

Status CheckPgbouncerSetting(std::string_view name, std::string_view value) {
  if (!Contains(kSettings, name)) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("\"{}\" is no PgBouncer setting that can be set here", name))
        .WithHint(SuggestNames(name, kSettings));
  }
  if (name == "pool_mode" && !Contains(kPoolModes, value)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("pgbouncer.pool_mode cannot be \"{}\"", value))
        .WithHint(SuggestNames(value, kPoolModes));
  }
  // Each is a line of its configuration file.
  if (value.find_first_of("\r\n") != std::string_view::npos) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("pgbouncer.{} must be one line", name));
  }
  return Status::Ok();
}

Result<std::optional<TargetName>> ParsePgbouncerTarget(const std::string& text) {
  if (!text.starts_with(kPrefix)) return std::optional<TargetName>();
  CONNBENCH_ASSIGN_OR_RETURN(const TargetName server, FindTarget(text.substr(kPrefix.size())));
  const bool builtin = server.target == "builtin";
  if (!builtin && server.target != "postgres") {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("PgBouncer cannot be put in front of \"{}\"", server.text))
        .WithHint("Name pgbouncer+postgres or pgbouncer+MODEL; a pooler of yours is a dsn:.");
  }
  TargetName name = {text, builtin ? "pgbouncer" : text, server.model,
                     fmt::format("target:{}", text), server.parts};
  name.parts.emplace_back("pgbouncer");
  return std::optional<TargetName>(std::move(name));
}

std::unique_ptr<Target> MakePgbouncerTarget(const TargetRequest& request,
                                            TargetEnvironment& environment) {
  TargetRequest behind = request;
  auto server = FindTarget(request.name.text.substr(kPrefix.size()));
  behind.name = std::move(*server);  // ParsePgbouncerTarget() has found it
  return std::make_unique<PgbouncerTarget>(request, MakeTarget(behind, environment));
}

}  // namespace connbench::targets
