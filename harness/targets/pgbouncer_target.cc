// PgBouncer in front of another target: the installed program, or the one that the name gives
// (pgbouncer:PROGRAM+SERVER), with a configuration file of its own. Client slots and the listen
// queue are sized by the load; pool_mode is transaction and default_pool_size 20 (in session mode,
// where a pool smaller than the load would make clients wait for ever, as many as there are
// clients). Everything else is PgBouncer's default. pgbouncer.NAME sets any of its settings,
// pgbouncer.pool.NAME any that its pools have (the line of its section [databases]).
#include <fmt/format.h>

#include <algorithm>

#include "base/near_names.h"
#include "harness/load/sql_client.h"
#include "harness/targets/child_server.h"
#include "harness/targets/server_programs.h"
#include "harness/targets/target_kinds.h"

namespace connbench::targets {
namespace {

constexpr std::string_view kPoolerPrefix = "pgbouncer+";
constexpr std::string_view kProgramPrefix = "pgbouncer:";
constexpr char kPackage[] = "pgbouncer";
constexpr char kConfiguration[] = "pgbouncer.ini";
constexpr int kSparePoolClients = 10;
// PgBouncer gives a client's slot free when it reads that the client has left. By then the client
// may have come back, and more than once where PgBouncer is behind.
constexpr int kSlotsPerClient = 4;
// Where a pool leads while only the settings are tried: nobody listens there.
constexpr int kNoServerPort = 1;
constexpr int kFastExit = 1;  // how it ends by SIGTERM
// The first release that keeps prepared statements in transaction pooling.
constexpr std::pair<int, int> kFirstWithPrepared = {1, 21};

// Where it listens and as whom it runs is the harness's.
constexpr std::string_view kOwnSettings[] = {"listen_addr", "listen_port", "unix_socket_dir",
                                             "pidfile", "user"};
// Where its pools lead.
constexpr std::string_view kOwnPoolSettings[] = {"host", "port", "user"};
constexpr std::string_view kPoolPrefix = "pool.";
// What a line of [databases] may have beside them, up to PgBouncer 1.24. One that it does not know
// ends PgBouncer or, with some releases, only the pool.
constexpr std::string_view kPoolSettings[] = {"application_name",
                                              "auth_dbname",
                                              "auth_query",
                                              "auth_user",
                                              "client_encoding",
                                              "connect_query",
                                              "datestyle",
                                              "dbname",
                                              "load_balance_hosts",
                                              "max_db_client_connections",
                                              "max_db_connections",
                                              "min_pool_size",
                                              "password",
                                              "pool_mode",
                                              "pool_size",
                                              "reserve_pool",
                                              "reserve_pool_size",
                                              "server_lifetime",
                                              "timezone"};
constexpr std::string_view kPoolModes[] = {"session", "transaction", "statement"};

// As PgBouncer's names are made of; what it has is for PgBouncer to say, before the first trial.
bool IsSettingName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// A value of a connection string.
std::string Quote(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

class PgbouncerTarget final : public Target {
 public:
  // program: its path; empty: the installed one.
  PgbouncerTarget(const TargetRequest& request, std::string program, std::unique_ptr<Target> server)
      : given_program_(std::move(program)),
        settings_(SettingsOfPart("pgbouncer", request.settings)),
        protocol_(request.protocol),
        clients_(request.connections + kSparePoolClients),
        server_(std::move(server)) {}
  PgbouncerTarget(const PgbouncerTarget&) = delete;
  PgbouncerTarget& operator=(const PgbouncerTarget&) = delete;

  Status Prepare() override {
    CONNBENCH_RETURN_IF_ERROR(FindProgram());
    CONNBENCH_RETURN_IF_ERROR(server_->Prepare());
    const bool carries_prepared =
        PoolMode() == "session" || std::pair(version_.major, version_.minor) >= kFirstWithPrepared;
    if (protocol_ != load::ProtocolMode::kPrepared || carries_prepared) return TrySettings();
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("PgBouncer {}.{} carries no prepared statements in pool mode "
                                     "{}",
                                     version_.major, version_.minor, PoolMode()))
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
    return StartPooler(server_->endpoint());
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  const load::Endpoint& setup_endpoint() const override { return server_->setup_endpoint(); }
  TableSetup table_setup() const override { return server_->table_setup(); }
  pid_t root_pid() const override { return server_->root_pid(); }
  std::vector<pid_t> root_pids() const override {
    std::vector<pid_t> pids = server_->root_pids();
    if (pooler_.started()) pids.push_back(pooler_.pid());
    return pids;
  }
  std::vector<int> exit_descriptors() const override {
    std::vector<int> descriptors = server_->exit_descriptors();
    descriptors.push_back(pooler_.exit_descriptor());
    return descriptors;
  }

  Status CheckAlive() override {
    CONNBENCH_RETURN_IF_ERROR(server_->CheckAlive());
    return pooler_.CheckAlive();
  }

  // The server knows the pooler's connections, not the clients'.
  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    return std::vector<engine::ConnectionLogRecord>();
  }

  Result<std::optional<observe::LogReading>> ReadLog() override { return server_->ReadLog(); }

  Result<rusage> Stop() override {
    const Result<rusage> pooler = pooler_.Stop();
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
    std::string program = given_program_;
    if (program.empty()) {
      CONNBENCH_ASSIGN_OR_RETURN(program, FindServerProgram("pgbouncer", kPackage));
    }
    CONNBENCH_ASSIGN_OR_RETURN(user_, UnprivilegedUser());
    ChildOptions options;
    options.argv = {program, "--version"};
    options.run_as = user_;
    CONNBENCH_ASSIGN_OR_RETURN(const std::string text, RunProgram(std::move(options)));
    CONNBENCH_ASSIGN_OR_RETURN(version_, ParseProgramVersion(text));
    program_ = program;
    return Status::Ok();
  }

  // PgBouncer itself knows which settings it has and which values they take.
  Status TrySettings() {
    load::Endpoint nobody;
    nobody.host = "127.0.0.1";
    nobody.port = kNoServerPort;
    const Status started = StartPooler(nobody);
    if (started.ok()) return pooler_.Stop().status();
    (void)pooler_.Stop();
    return Status::Error(
               sqlstate::kInvalidParameterValue,
               fmt::format("PgBouncer {}.{} refuses its settings", version_.major, version_.minor))
        .WithDetail(started.error().detail)
        .WithHint(SuggestSettings(nobody));
  }

  // Near names of those that it does not have, asked of a PgBouncer without them.
  std::string SuggestSettings(const load::Endpoint& server) {
    const Settings mine = std::exchange(settings_, {});
    Result<load::SqlResult> known = load::SqlResult{};
    if (StartPooler(server).ok()) {
      load::Endpoint console = endpoint_;
      console.database = "pgbouncer";
      const auto client = load::SqlClient::Connect(console);
      if (client.ok()) known = (*client)->Query("SHOW CONFIG");
    }
    (void)pooler_.Stop();
    settings_ = mine;
    std::vector<std::string_view> names;
    if (known.ok()) {
      for (const auto& row : known->rows) names.emplace_back(*row.front());
    }
    for (const auto& [name, value] : settings_) {
      if (name.starts_with(kPoolPrefix) || names.empty() || Contains(names, name)) continue;
      return fmt::format("It has no \"{}\". {}", name, SuggestNames(name, names));
    }
    return "Its manual (man 5 pgbouncer) has names and values.";
  }

  Status StartPooler(const load::Endpoint& server) {
    CONNBENCH_RETURN_IF_ERROR(pooler_.MakeFolder(user_));
    endpoint_ = server;
    CONNBENCH_ASSIGN_OR_RETURN(endpoint_.port, FindFreePort());
    Settings all = AllSettings();
    CONNBENCH_RETURN_IF_ERROR(pooler_.TakeFiles("pgbouncer", all));
    CONNBENCH_RETURN_IF_ERROR(pooler_.WriteFile(kConfiguration, Configuration(server, all)));
    return pooler_.Start({program_, pooler_.folder().Path(kConfiguration)},
                         [this] { return Accepts(endpoint_); });
  }

  Settings AllSettings() const {
    Settings all = {{"pool_mode", "transaction"}, {"default_pool_size", "20"}};
    const auto set = [&](const std::string& name, const std::string& value) {
      std::erase_if(all, [&](const auto& setting) { return setting.first == name; });
      all.emplace_back(name, value);
    };
    for (const auto& [name, value] : settings_) {
      if ((name == "pool_mode" || name == "pool.pool_mode") && value == "session") {
        set("default_pool_size", std::to_string(clients_));
      }
    }
    if (std::pair(version_.major, version_.minor) >= kFirstWithPrepared) {
      set("max_prepared_statements", "100");
    }
    // As the built-in models: room for twice the clients, capped by the kernel.
    set("listen_backlog", std::to_string(2 * clients_));
    set("max_client_conn", std::to_string(kSlotsPerClient * clients_));
    for (const auto& [name, value] : settings_) {
      if (!name.starts_with(kPoolPrefix)) set(name, value);
    }
    return all;
  }

  // Of the section [databases]: the way to the server, and what the pools are given.
  std::string PoolLine(const load::Endpoint& server) const {
    std::string line =
        fmt::format("* = host={} port={} user={}", server.host, server.port, server.user);
    for (const auto& [name, value] : settings_) {
      if (!name.starts_with(kPoolPrefix)) continue;
      line += fmt::format(" {}={}", name.substr(kPoolPrefix.size()), Quote(value));
    }
    return line;
  }

  std::string PoolMode() const {
    const std::string of_pool = ValueOf(settings_, "pool.pool_mode");
    return of_pool.empty() ? ValueOf(AllSettings(), "pool_mode") : of_pool;
  }

  std::string Configuration(const load::Endpoint& server, const Settings& settings) const {
    std::string text = fmt::format(
        "[databases]\n{}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n"
        "unix_socket_dir =\nauth_type = any\n"
        "ignore_startup_parameters = extra_float_digits,options\nlog_connections = 0\n"
        "log_disconnections = 0\n",
        PoolLine(server), endpoint_.port);
    for (const auto& [name, value] : settings) text += fmt::format("{} = {}\n", name, value);
    return text;
  }

  const std::string given_program_;
  Settings settings_;
  const load::ProtocolMode protocol_;
  const int clients_;
  const std::unique_ptr<Target> server_;
  std::string program_;
  ProgramVersion version_;
  std::optional<UserIds> user_;
  load::Endpoint endpoint_;
  ChildServer pooler_{{.name = "PgBouncer", .clean_exits = {0, kFastExit}}};  // before its server
};

// "pgbouncer+SERVER" or "pgbouncer:PROGRAM+SERVER"; nothing if it is neither.
struct PoolerName {
  std::string program;  // empty: the installed one
  std::string server;
};
Result<std::optional<PoolerName>> SplitPoolerName(const std::string& text) {
  if (text.starts_with(kPoolerPrefix)) {
    return std::optional<PoolerName>({"", text.substr(kPoolerPrefix.size())});
  }
  if (!text.starts_with(kProgramPrefix)) return std::optional<PoolerName>();
  // The path may hold a plus, too.
  for (size_t plus = text.find('+'); plus != std::string::npos; plus = text.find('+', plus + 1)) {
    const std::string program = text.substr(kProgramPrefix.size(), plus - kProgramPrefix.size());
    if (!IsProgram(program)) continue;
    return std::optional<PoolerName>({program, text.substr(plus + 1)});
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("\"{}\" names no program that can be run", text))
      .WithHint("Its form is pgbouncer:PROGRAM+SERVER, with the path of a PgBouncer.");
}

}  // namespace

Status CheckPgbouncerSetting(std::string_view name, std::string_view value) {
  const bool of_pool = name.starts_with(kPoolPrefix);
  const std::string_view plain = of_pool ? name.substr(kPoolPrefix.size()) : name;
  if (!IsSettingName(plain)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("\"{}\" is no name of a PgBouncer setting", name));
  }
  const bool own = of_pool ? Contains(kOwnPoolSettings, plain) : Contains(kOwnSettings, plain);
  if (own) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("pgbouncer.{} is set by the harness", name))
        .WithHint(
            "Where PgBouncer listens, as whom it runs and where its pools lead is decided "
            "for each trial.");
  }
  if (of_pool && !Contains(kPoolSettings, plain)) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("a pool of PgBouncer has no setting \"{}\"", plain))
        .WithHint(SuggestNames(plain, kPoolSettings));
  }
  if ((name == "pool_mode" || name == "pool.pool_mode") && !Contains(kPoolModes, value)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("pgbouncer.{} cannot be \"{}\"", name, value))
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
  CONNBENCH_ASSIGN_OR_RETURN(const std::optional<PoolerName> parts, SplitPoolerName(text));
  if (!parts) return std::optional<TargetName>();
  CONNBENCH_ASSIGN_OR_RETURN(const TargetName server, FindTarget(parts->server));
  const bool is_server = Contains(server.parts, "builtin") || Contains(server.parts, "postgres");
  if (!is_server || server.parts.size() > 1) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("PgBouncer cannot be put in front of \"{}\"", server.text))
        .WithHint("Name pgbouncer+postgres or pgbouncer+MODEL; a pooler of yours is a dsn:.");
  }
  const std::string pooler =
      parts->program.empty() ? "pgbouncer" : "pgbouncer:" + CellText(parts->program);
  TargetName name = {text, server.target == "builtin" ? pooler : pooler + "+" + server.target,
                     server.model, fmt::format("target:{}+{}", pooler, CellText(parts->server)),
                     server.parts};
  name.parts.emplace_back("pgbouncer");
  return std::optional<TargetName>(std::move(name));
}

std::unique_ptr<Target> MakePgbouncerTarget(const TargetRequest& request,
                                            TargetEnvironment& environment) {
  const auto parts = SplitPoolerName(request.name.text);
  TargetRequest behind = request;
  // ParsePgbouncerTarget() has found both.
  behind.name = std::move(*FindTarget((*parts)->server));
  return std::make_unique<PgbouncerTarget>(request, (*parts)->program,
                                           MakeTarget(behind, environment));
}

}  // namespace connbench::targets
