// Targets described in TOML (target_file.h): by the name of one that comes with connbench, or as
// file:PATH; in front of a server as NAME+SERVER. target.NAME sets a setting of the file.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "base/near_names.h"
#include "harness/load/sql_client.h"
#include "harness/targets/child_server.h"
#include "harness/targets/server_programs.h"
#include "harness/targets/target_file.h"
#include "harness/targets/target_kinds.h"

namespace connbench::targets {
namespace {

constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kFileEnd = ".toml";
constexpr int64_t kAnswerTimeoutNs = kNanosecondsPerSecond;
constexpr int kSpareClients = 10;

// "haproxy+postgres", "file:x.toml+fork", "file:x.toml".
struct DescribedName {
  std::string path;
  std::string server;  // empty: it stands alone
};

// Nothing: a name of another kind.
std::optional<DescribedName> SplitName(const std::string& text) {
  if (text.starts_with(kFilePrefix)) {
    // The path may hold a plus, too.
    const size_t end = text.find(std::string(kFileEnd) + "+");
    if (end == std::string::npos) return DescribedName{text.substr(kFilePrefix.size()), ""};
    const size_t plus = end + kFileEnd.size();
    return DescribedName{text.substr(kFilePrefix.size(), plus - kFilePrefix.size()),
                         text.substr(plus + 1)};
  }
  const size_t plus = text.find('+');
  const std::string name = text.substr(0, plus);
  const auto names = TargetFileNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
  return DescribedName{fmt::format("{}/{}{}", TargetFolder(), name, kFileEnd),
                       plus == std::string::npos ? "" : text.substr(plus + 1)};
}

class DescribedTarget final : public Target {
 public:
  // server: what it stands in front of; null if it stands alone.
  DescribedTarget(TargetFile file, const TargetRequest& request, std::unique_ptr<Target> server)
      : file_(std::move(file)),
        settings_(SettingsOfPart("target", request.settings)),
        protocol_(request.protocol),
        clients_(request.connections + kSpareClients),
        server_(std::move(server)),
        program_({.name = file_.name,
                  .start_timeout_ns = file_.start_timeout_s * kNanosecondsPerSecond,
                  .stop_timeout_ns = file_.stop_timeout_s * kNanosecondsPerSecond,
                  .stop_signal = SignalByName(file_.stop_signal),
                  .clean_exits = file_.clean_exits}) {}
  DescribedTarget(const DescribedTarget&) = delete;
  DescribedTarget& operator=(const DescribedTarget&) = delete;

  Status Prepare() override {
    if (Lacks(load::Name(protocol_))) {
      return Status::Error(
                 sqlstate::kFeatureNotSupported,
                 fmt::format("{} lacks the protocol mode {}", file_.name, load::Name(protocol_)))
          .WithHint("Set another protocol for the experiment; lacks = [...] of its file says so.");
    }
    for (const auto& [name, value] : settings_) {
      std::vector<std::string_view> known;
      for (const auto& [each, given] : file_.settings) known.push_back(each);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      return Status::Error(sqlstate::kUndefinedObject,
                           fmt::format("{} has no setting \"{}\"", file_.name, name))
          .WithHint(known.empty() ? "Its file has no [settings]." : SuggestNames(name, known));
    }
    CONNBENCH_RETURN_IF_ERROR(FindPrograms());
    return server_ == nullptr ? Status::Ok() : server_->Prepare();
  }

  std::vector<std::pair<std::string, std::string>> Versions() const override {
    auto versions = server_ == nullptr ? std::vector<std::pair<std::string, std::string>>()
                                       : server_->Versions();
    versions.emplace_back(file_.name, program_path_);
    return versions;
  }

  Status Start() override {
    CONNBENCH_RETURN_IF_ERROR(FindPrograms());
    if (server_ != nullptr) CONNBENCH_RETURN_IF_ERROR(server_->Start());
    CONNBENCH_RETURN_IF_ERROR(program_.MakeFolder(user_));
    given_ = settings_;
    CONNBENCH_RETURN_IF_ERROR(program_.TakeFiles("target", given_));
    CONNBENCH_RETURN_IF_ERROR(ChooseEndpoint());
    const std::map<std::string, std::string> values = Placeholders();
    for (const auto& [name, text] : file_.files) {
      CONNBENCH_ASSIGN_OR_RETURN(const std::string filled, Fill(text, values));
      CONNBENCH_RETURN_IF_ERROR(program_.WriteFile(name, filled));
    }
    for (const auto& command : file_.prepare) {
      ChildOptions options;
      CONNBENCH_ASSIGN_OR_RETURN(options.argv, FillCommand(command, values));
      options.run_as = user_;
      options.folder = program_.folder().path();
      if (const auto done = RunProgram(std::move(options)); !done.ok()) return done.status();
    }
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> argv,
                               FillCommand(file_.command, values));
    return program_.Start(argv, [this] { return IsReady(); });
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  const load::Endpoint& setup_endpoint() const override {
    return server_ == nullptr ? endpoint_ : server_->setup_endpoint();
  }
  TableSetup table_setup() const override {
    if (server_ != nullptr) return server_->table_setup();
    if (file_.tables == "fresh") return TableSetup::kFresh;
    return file_.tables == "keep" ? TableSetup::kKeep : TableSetup::kNone;
  }
  pid_t root_pid() const override {
    return server_ == nullptr ? program_.pid() : server_->root_pid();
  }
  std::vector<pid_t> root_pids() const override {
    std::vector<pid_t> pids = server_ == nullptr ? std::vector<pid_t>() : server_->root_pids();
    if (program_.started()) pids.push_back(program_.pid());
    if (const pid_t other = PidOfFile(); other > 0 && other != program_.pid()) {
      pids.push_back(other);
    }
    return pids;
  }
  std::vector<int> exit_descriptors() const override {
    std::vector<int> descriptors =
        server_ == nullptr ? std::vector<int>() : server_->exit_descriptors();
    descriptors.push_back(program_.exit_descriptor());
    return descriptors;
  }
  Status CheckAlive() override {
    if (server_ != nullptr) CONNBENCH_RETURN_IF_ERROR(server_->CheckAlive());
    return program_.CheckAlive();
  }
  Status Crash() override {
    if (!Lacks("crash")) return server_ == nullptr ? Target::Crash() : server_->Crash();
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("{} does not serve again after a crash", file_.name))
        .WithHint("lacks = [\"crash\"] of its file says so.");
  }
  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    return std::vector<engine::ConnectionLogRecord>();
  }

  Result<rusage> Stop() override {
    Result<rusage> own = program_.Stop();
    if (server_ == nullptr) return own;
    // Also after a failure: nothing may be left.
    Result<rusage> server = server_->root_pid() == 0 ? rusage{} : server_->Stop();
    if (!own.ok()) return own;
    if (!server.ok()) return server;
    server->ru_nvcsw += own->ru_nvcsw;
    server->ru_nivcsw += own->ru_nivcsw;
    return server;
  }

 private:
  bool Lacks(std::string_view feature) const {
    return std::find(file_.lacks.begin(), file_.lacks.end(), feature) != file_.lacks.end();
  }

  Status FindPrograms() {
    if (!program_path_.empty()) return Status::Ok();
    CONNBENCH_ASSIGN_OR_RETURN(user_, UnprivilegedUser());
    CONNBENCH_ASSIGN_OR_RETURN(program_path_, FindProgram(file_.command[0]));
    return Status::Ok();
  }

  Result<std::string> FindProgram(const std::string& name) const {
    if (name.find('/') == std::string::npos) {
      return FindServerProgram(name, file_.needs.empty() ? name : file_.needs.front());
    }
    if (IsProgram(name)) return name;
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("{}: there is no program {}", file_.name, name));
  }

  Status ChooseEndpoint() {
    endpoint_ = server_ == nullptr ? load::Endpoint() : server_->endpoint();
    endpoint_.host = "127.0.0.1";
    if (server_ == nullptr) {
      endpoint_.user = file_.user;
      endpoint_.database = file_.database;
    }
    if (file_.port == 0) {
      CONNBENCH_ASSIGN_OR_RETURN(endpoint_.port, FindFreePort());
      return Status::Ok();
    }
    endpoint_.port = file_.port;
    if (!Accepts(endpoint_)) return Status::Ok();
    return Status::Error(sqlstate::kObjectInUse,
                         fmt::format("port {} of {} is in use", file_.port, file_.name))
        .WithHint(
            "End the server that listens there, or leave port out of the file: then a free "
            "one is chosen and given as {port}.");
  }

  std::map<std::string, std::string> Placeholders() const {
    std::map<std::string, std::string> values = {{"folder", program_.folder().path()},
                                                 {"host", endpoint_.host},
                                                 {"port", std::to_string(endpoint_.port)},
                                                 {"clients", std::to_string(clients_)}};
    if (server_ != nullptr) {
      const load::Endpoint& server = server_->endpoint();
      values["server_host"] = server.host;
      values["server_port"] = std::to_string(server.port);
      values["server_user"] = server.user;
    }
    for (const auto& [name, value] : file_.settings) values[name] = value;
    for (const auto& [name, value] : given_) values[name] = value;
    return values;
  }

  Result<std::string> Fill(const std::string& text,
                           const std::map<std::string, std::string>& values) const {
    Result<std::string> filled = FillIn(text, values);
    if (filled.ok()) return filled;
    return Status::Error(filled.status().code(),
                         fmt::format("{}: {}", file_.name, filled.status().error().message))
        .WithHint(filled.status().error().hint);
  }

  Result<std::vector<std::string>> FillCommand(
      const std::vector<std::string>& command,
      const std::map<std::string, std::string>& values) const {
    std::vector<std::string> argv;
    for (const std::string& word : command) {
      CONNBENCH_ASSIGN_OR_RETURN(std::string filled, Fill(word, values));
      argv.push_back(std::move(filled));
    }
    CONNBENCH_ASSIGN_OR_RETURN(argv[0], FindProgram(argv[0]));
    return argv;
  }

  bool IsReady() const {
    if (file_.ready.starts_with(kLogPrefix)) {
      return program_.LastWords().find(file_.ready.substr(kLogPrefix.size())) != std::string::npos;
    }
    if (!Accepts(endpoint_)) return false;
    return file_.ready == "accepts" || load::SqlClient::Connect(endpoint_, kAnswerTimeoutNs).ok();
  }

  // Of the file that names another root of processes; 0 if there is none.
  pid_t PidOfFile() const {
    if (file_.pid_file.empty() || !program_.started()) return 0;
    const auto path = FillIn(file_.pid_file, Placeholders());
    pid_t pid = 0;
    if (path.ok()) std::ifstream(*path) >> pid;
    return pid;
  }

  const TargetFile file_;
  const Settings settings_;
  Settings given_;  // the same, with the files that they name in the program's folder
  const load::ProtocolMode protocol_;
  const int clients_;
  const std::unique_ptr<Target> server_;
  std::string program_path_;
  std::optional<UserIds> user_;
  load::Endpoint endpoint_;
  ChildServer program_;  // ends before its server
};

}  // namespace

std::string FileOfTarget(const std::string& text) {
  return text.starts_with(kFilePrefix) ? SplitName(text)->path : std::string();
}

std::string TargetWithFile(const std::string& text, const std::string& path) {
  const std::string server = SplitName(text)->server;
  return fmt::format("{}{}{}{}", kFilePrefix, path, server.empty() ? "" : "+", server);
}

Result<std::optional<TargetName>> ParseDescribedTarget(const std::string& text) {
  const std::optional<DescribedName> parts = SplitName(text);
  if (!parts) return std::optional<TargetName>();
  CONNBENCH_ASSIGN_OR_RETURN(const TargetFile file, LoadTargetFile(parts->path));
  const auto bad = [&](const std::string& what) {
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("\"{}\" {}", text, what));
  };
  if (file.in_front && parts->server.empty()) {
    return bad("stands in front of a server")
        .WithHint(fmt::format("Name {}+postgres or {}+MODEL.", text, text));
  }
  if (!file.in_front && !parts->server.empty()) {
    return bad("stands alone").WithHint("in_front = true in its file puts it before a server.");
  }
  TargetName name = {text, file.name, "", "target:" + file.name, {}};
  if (file.in_front) {
    CONNBENCH_ASSIGN_OR_RETURN(const TargetName server, FindTarget(parts->server));
    if (server.parts.size() != 1 || server.parts.front() == "dsn" ||
        server.parts.front() == "target") {
      return bad("would stand in front of something that connbench cannot start for it")
          .WithHint("Behind the plus stands postgres or a model.");
    }
    name.model = server.model;
    name.parts = server.parts;
    if (server.target != "builtin") name.target += "+" + server.target;
    name.cell = fmt::format("target:{}+{}", file.name, CellText(parts->server));
  }
  name.parts.emplace_back("target");
  return std::optional<TargetName>(std::move(name));
}

std::unique_ptr<Target> MakeDescribedTarget(const TargetRequest& request,
                                            TargetEnvironment& environment) {
  // ParseDescribedTarget() has found all of this.
  const DescribedName parts = *SplitName(request.name.text);
  auto file = LoadTargetFile(parts.path);
  std::unique_ptr<Target> server;
  if (!parts.server.empty()) {
    TargetRequest behind = request;
    behind.name = std::move(*FindTarget(parts.server));
    server = MakeTarget(behind, environment);
  }
  return std::make_unique<DescribedTarget>(file.ok() ? std::move(*file) : TargetFile(), request,
                                           std::move(server));
}

}  // namespace connbench::targets
