// PostgreSQL as a target: the installed server, or that of any folder of programs
// (postgres:BINDIR), in a cluster of its own that is made for the trial
// and removed after it. initdb runs once per run; each trial gets a copy of what it made.
//
// Equal to the built-in models (docs/method.md says why): shared_buffers, max_connections and
// whatever else a suite sets by a plain name; nothing is forced to disk unless the setting data
// says so; no background worker starts work of its own accord. Everything else is PostgreSQL's
// default, and every parameter can be set as postgres.NAME; postgres.folder says where the cluster
// lies (a tmpfs, a certain disk).
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/near_names.h"
#include "engine/config.h"
#include "harness/load/sql_client.h"
#include "harness/targets/child_server.h"
#include "harness/targets/server_programs.h"
#include "harness/targets/target_kinds.h"
#include "harness/targets/trial_security.h"
#include "models/settings.h"

namespace connbench::targets {
namespace {

constexpr int64_t kPostgresStartTimeoutNs = 60 * kNanosecondsPerSecond;
constexpr int64_t kPostgresStopTimeoutNs = 30 * kNanosecondsPerSecond;
constexpr int kReadyLine = 8;  // of postmaster.pid, counted from 1
constexpr std::string_view kProgramsPrefix = "postgres:";
constexpr char kPostgresPackage[] = "postgresql";
constexpr char kFolderSetting[] = "folder";
constexpr int kFirstWithSetupDurations = 18;
constexpr int kFirstWithChecksumsByDefault = 18;
// All that PostgreSQL says is kept for its last words, or for the lines about each connection.
constexpr size_t kMaxLogBytes = size_t{256} << 20;

// What the built-in models have under the same name.
constexpr std::string_view kSharedSettings[] = {"authentication",
                                                "authentication_timeout",
                                                "checkpoint_timeout",
                                                "data",
                                                "deadlock_timeout",
                                                "fsync",
                                                "huge_pages",
                                                "max_connections",
                                                "max_locks_per_transaction",
                                                "max_wal_size",
                                                "shared_buffers",
                                                "ssl",
                                                "ssl_cert_file",
                                                "ssl_key_file",
                                                "superuser_reserved_connections",
                                                "synchronous_commit",
                                                "transport",
                                                "wal_buffers",
                                                "wal_writer_delay",
                                                "work_mem"};

// Held equal to the built-in models, which have no disk to wait for and no work of their own, or
// needed to leave nothing behind. A suite's postgres.NAME comes after and wins.
constexpr std::pair<const char*, const char*> kEqualised[] = {
    {"wal_level", "minimal"},
    {"max_wal_senders", "0"},
    {"autovacuum", "off"},
    {"huge_pages", "off"},
    {"jit", "off"},
    {"listen_addresses", "127.0.0.1"},
    {"unix_socket_directories", ""},
    {"logging_collector", "off"},
    {"log_destination", "stderr"},
    {"log_line_prefix", "%p "},
    {"lc_messages", "C"},
    // Files in the cluster instead of segments in /dev/shm that a killed server leaves there.
    {"dynamic_shared_memory_type", "mmap"},
};

// While the built-in models keep their data in memory only.
constexpr std::pair<const char*, const char*> kEqualisedInMemory[] = {
    {"fsync", "off"},
    {"synchronous_commit", "off"},
    {"full_page_writes", "off"},
    {"max_wal_size", "16GB"},  // no checkpoint amid a trial
    {"checkpoint_timeout", "1h"},
};

// What the log has done, by version: bytes, flushes, checkpoints.
constexpr int kFirstWithCheckpointerView = 17;
constexpr int kFirstWithLogInIoView = 18;

void Set(Settings& settings, const std::string& name, const std::string& value) {
  std::erase_if(settings, [&](const auto& setting) { return setting.first == name; });
  settings.emplace_back(name, value);
}

// BINDIR of "postgres:BINDIR"; empty if there is none.
std::string ProgramsOf(const std::string& text) {
  return text.starts_with(kProgramsPrefix) ? text.substr(kProgramsPrefix.size()) : std::string();
}

// Its own messages and time zone, whatever ours are.
std::vector<std::pair<std::string, std::string>> ServerEnvironment() {
  return {{"LC_ALL", "C"}, {"TZ", "UTC"}};
}

class PostgresTarget final : public Target {
 public:
  PostgresTarget(const TargetRequest& request, TargetEnvironment& environment)
      : environment_(environment),
        data_setting_(ValueOf(request.settings, kDataSetting)),
        chosen_(WithoutData(PlainSettings(request.settings))),
        own_(SettingsOfPart("postgres", request.settings)),
        programs_(ProgramsOf(request.name.text)) {
    if (KeepsData(data_setting_)) place_ = DataParent(data_setting_);
    for (const auto& [name, value] : own_) {
      if (name == kFolderSetting) place_ = value;
    }
    std::erase_if(own_, [](const auto& setting) { return setting.first == kFolderSetting; });
  }
  PostgresTarget(const PostgresTarget&) = delete;
  PostgresTarget& operator=(const PostgresTarget&) = delete;

  Status Prepare() override {
    CONNBENCH_RETURN_IF_ERROR(FindPrograms());
    CONNBENCH_ASSIGN_OR_RETURN(const std::string cluster, FindCluster());
    // The server itself knows which parameters it has and which values they take.
    ChildOptions options = AsServer();
    options.argv = {postgres_, "-D", cluster, "-C", "shared_buffers"};
    // Whether it takes the certificate shows when it starts.
    for (const auto& setting : chosen_) {
      if (setting.first != kAuthenticationSetting && setting.first != "ssl" &&
          setting.first != kTransportSetting) {
        applied_.push_back(setting);
      }
    }
    given_ = own_;
    AddParameters(options.argv);
    applied_.clear();
    const auto checked = RunProgram(std::move(options));
    if (checked.ok()) return Status::Ok();
    return Status::Error(sqlstate::kInvalidParameterValue, "PostgreSQL refuses the settings")
        .WithDetail(checked.status().error().detail);
  }

  std::vector<std::pair<std::string, std::string>> Versions() const override {
    return {{"postgres", version_.text}};
  }

  Status Start() override {
    CONNBENCH_RETURN_IF_ERROR(FindPrograms());
    CONNBENCH_ASSIGN_OR_RETURN(const std::string cluster, FindCluster());
    CONNBENCH_RETURN_IF_ERROR(server_.MakeFolder(user_, place_));
    if (KeepsData(data_setting_) && environment_.keeps_data) server_.KeepFolderAfterwards();
    ChildOptions copy = AsServer();
    copy.argv = {"/bin/cp", "-a", cluster, data()};
    if (const auto copied = RunProgram(std::move(copy)); !copied.ok()) return copied.status();
    security_ = TrialSecurity();
    applied_ = chosen_;
    CONNBENCH_RETURN_IF_ERROR(security_.Apply(environment_.password, user_, applied_, endpoint_));
    CONNBENCH_ASSIGN_OR_RETURN(endpoint_.port, FindFreePort());
    if (ValueOf(applied_, kTransportSetting) == "unix") {
      Set(applied_, "unix_socket_directories", server_.folder().path());
      endpoint_.host = server_.folder().path();
    }
    std::erase_if(applied_, [](const auto& setting) { return setting.first == kTransportSetting; });
    CONNBENCH_RETURN_IF_ERROR(server_.TakeFiles("", applied_));
    given_ = own_;
    CONNBENCH_RETURN_IF_ERROR(server_.TakeFiles("postgres", given_));
    endpoint_.user = "postgres";
    std::vector<std::string> argv = {postgres_, "-D", data(), "-p", std::to_string(endpoint_.port)};
    AddParameters(argv);
    // The postmaster writes its state into its pid file; asking over a connection would leave a
    // backend that is about to end.
    return server_.Start(argv, [this] { return IsReady(); });
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  pid_t root_pid() const override { return server_.pid(); }
  std::vector<int> exit_descriptors() const override { return {server_.exit_descriptor()}; }

  Status CheckAlive() override { return server_.CheckAlive(); }

  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    return std::vector<engine::ConnectionLogRecord>();
  }
  std::vector<observe::SetupDurations> ReadSetupDurations() override {
    return observe::ParseSetupDurations(server_.Log(kMaxLogBytes) + "\n");
  }

  // PostgreSQL's sessions tell their counts once in a second, so that flushes may be counted a
  // second late. The session that asks stays: one that ended would be work of the server's.
  Result<std::optional<observe::LogReading>> ReadLog() override {
    std::optional<observe::LogReading> reading;
    if (!KeepsData(data_setting_)) return reading;
    if (observer_ == nullptr) {
      auto connected = load::SqlClient::Connect(endpoint_);
      if (!connected.ok()) return reading;
      observer_ = std::move(*connected);
    }
    const Result<load::SqlResult> answer = observer_->Query(
        fmt::format("SELECT pg_current_wal_insert_lsn() - '0/0', ({}), ({}), "
                    "(SELECT sum(blks_read)::int8 FROM pg_stat_database)",
                    version_.major >= kFirstWithLogInIoView
                        ? "SELECT sum(fsyncs)::int8 FROM pg_stat_io WHERE object = 'wal'"
                        : "SELECT wal_sync FROM pg_stat_wal",
                    version_.major >= kFirstWithCheckpointerView
                        ? "SELECT num_timed + num_requested FROM pg_stat_checkpointer"
                        : "SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"));
    if (!answer.ok()) {  // it was made to drop its sessions, or is older than these views
      observer_.reset();
      return reading;
    }
    const auto number = [&](size_t column) -> std::optional<int64_t> {
      const std::optional<std::string>& text = answer->rows.at(0).at(column);
      return text ? std::optional<int64_t>(std::stoll(*text)) : std::nullopt;
    };
    reading = {.bytes = number(0).value_or(0),
               .flushes = number(1),
               .commit_wait_ns = std::nullopt,
               .checkpoints = number(2),
               .page_reads = number(3),
               .page_read_ns = std::nullopt,
               .page_writes = std::nullopt};
    return reading;
  }

  Result<rusage> Stop() override {
    observer_.reset();
    return server_.Stop();
  }

 private:
  static Settings WithoutData(Settings settings) {
    std::erase_if(settings, [](const auto& setting) { return setting.first == kDataSetting; });
    return settings;
  }

  std::string data() const { return server_.folder().Path("data"); }

  // A child that runs as the server does.
  ChildOptions AsServer() const {
    ChildOptions options;
    options.run_as = user_;
    options.folder = "/";
    options.raise_descriptor_limit = true;
    options.env = ServerEnvironment();
    return options;
  }

  Status FindPrograms() {
    if (!postgres_.empty()) return Status::Ok();
    if (programs_.empty()) {
      CONNBENCH_ASSIGN_OR_RETURN(initdb_, FindServerProgram("initdb", kPostgresPackage));
    } else {
      initdb_ = programs_ + "/initdb";
    }
    CONNBENCH_ASSIGN_OR_RETURN(user_, UnprivilegedUser());
    // Of the same installation as initdb.
    postgres_ = initdb_.substr(0, initdb_.rfind('/')) + "/postgres";
    ChildOptions options = AsServer();
    options.argv = {postgres_, "--version"};
    CONNBENCH_ASSIGN_OR_RETURN(const std::string text, RunProgram(std::move(options)));
    CONNBENCH_ASSIGN_OR_RETURN(version_, ParseProgramVersion(text));
    return Status::Ok();
  }

  // What this initdb made, for this place; made on first use.
  Result<std::string> FindCluster() {
    ServerFolder& folder = environment_.clusters[{initdb_, place_}];
    const std::string cluster = folder.Path("data");
    if (!folder.path().empty()) return cluster;
    CONNBENCH_ASSIGN_OR_RETURN(ServerFolder made, ServerFolder::Make(place_, user_));
    // Whether a trial asks for it or not, so that all of them start from the same cluster.
    if (environment_.password.empty()) environment_.password = MakePassword();
    const std::string password_file = made.Path("password");
    std::ofstream(password_file) << environment_.password << '\n';
    ChildOptions options = AsServer();
    options.argv = {initdb_,     "-D",       made.Path("data"), "-A",   "trust",
                    "-U",        "postgres", "--encoding",      "UTF8", "--locale=C",
                    "--no-sync", "--pwfile", password_file};
    if (version_.major >= kFirstWithChecksumsByDefault) {
      options.argv.emplace_back("--no-data-checksums");
    }
    if (const auto done = RunProgram(std::move(options)); !done.ok()) return done.status();
    folder = std::move(made);
    return folder.Path("data");
  }

  void AddParameters(std::vector<std::string>& argv) const {
    Settings all;
    const engine::EngineConfig defaults;
    Set(all, "shared_buffers", fmt::format("{}kB", defaults.shared_buffers_bytes / 1024));
    Set(all, "work_mem", fmt::format("{}kB", defaults.work_mem_bytes / 1024));
    Set(all, "max_connections", std::to_string(defaults.max_connections));
    for (const auto& [name, value] : kEqualised) Set(all, name, value);
    if (KeepsData(data_setting_)) {
      for (const engine::SettingDescription& row : engine::DescribeSettings(defaults)) {
        if (Contains(engine::kLogSettings, row.name)) Set(all, std::string(row.name), row.value);
      }
    } else {
      for (const auto& [name, value] : kEqualisedInMemory) Set(all, name, value);
    }
    if (version_.major >= kFirstWithSetupDurations) Set(all, "log_connections", "setup_durations");
    for (const auto& [name, value] : applied_) Set(all, name, value);
    for (const auto& [name, value] : given_) Set(all, name, value);
    for (const auto& [name, value] : all) {
      argv.emplace_back("-c");
      argv.push_back(fmt::format("{}={}", name, value));
    }
  }

  bool IsReady() const {
    std::ifstream file(data() + "/postmaster.pid");
    std::string line;
    for (int i = 0; i < kReadyLine; ++i) {
      if (!std::getline(file, line)) return false;
    }
    return line.starts_with("ready");
  }

  TargetEnvironment& environment_;
  const std::string data_setting_;
  const Settings chosen_;  // by their plain names
  Settings applied_;       // the same, with the files that they need
  TrialSecurity security_;
  Settings own_;                // postgres.NAME
  Settings given_;              // the same, with the files that they name in the server's folder
  const std::string programs_;  // their folder; empty: the installed ones
  std::string place_;           // postgres.folder
  std::string initdb_;
  std::string postgres_;
  ProgramVersion version_;
  std::optional<UserIds> user_;
  // SIGINT is its fast shutdown: sessions are ended, in order. SIGQUIT its immediate one: the
  // cluster is thrown away.
  ChildServer server_{{.name = "PostgreSQL",
                       .start_timeout_ns = kPostgresStartTimeoutNs,
                       .stop_timeout_ns = kPostgresStopTimeoutNs,
                       .stop_signal = SIGINT,
                       .death_signal = SIGQUIT,
                       .env = ServerEnvironment()}};
  load::Endpoint endpoint_;
  std::unique_ptr<load::SqlClient> observer_;  // that asks what the log does
};

}  // namespace

bool PostgresHasSetting(std::string_view name) {
  return std::find(std::begin(kSharedSettings), std::end(kSharedSettings), name) !=
         std::end(kSharedSettings);
}

Result<std::optional<TargetName>> ParsePostgresTarget(const std::string& text) {
  const std::string programs = ProgramsOf(text);
  if (text != "postgres" && programs.empty()) return std::optional<TargetName>();
  for (const char* program : {"/initdb", "/postgres"}) {
    if (programs.empty() || IsProgram(programs + program)) continue;
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("there is no program {}{}", programs, program))
        .WithHint(
            "postgres:BINDIR names the folder with PostgreSQL's programs, for example "
            "/usr/lib/postgresql/15/bin.");
  }
  const std::string label = CellText(text);
  return std::optional<TargetName>(TargetName{text, label, "", "target:" + label, {"postgres"}});
}

std::unique_ptr<Target> MakePostgresTarget(const TargetRequest& request,
                                           TargetEnvironment& environment) {
  return std::make_unique<PostgresTarget>(request, environment);
}

}  // namespace connbench::targets
