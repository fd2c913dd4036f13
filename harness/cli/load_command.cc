// connbench load: drives any server that speaks the protocol, with pgbench's letters.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/cpu_list.h"
#include "base/exit_code.h"
#include "base/number.h"
#include "base/print_error.h"
#include "base/read_file.h"
#include "base/units.h"
#include "harness/cli/command.h"
#include "harness/load/control.h"
#include "harness/load/generator.h"
#include "harness/load/load_result.h"
#include "harness/load/preflight.h"
#include "harness/load/report.h"
#include "harness/load/set_up.h"
#include "harness/load/sql_client.h"
#include "harness/workload/parameter.h"
#include "harness/workload/workload.h"

namespace connbench::cli {
namespace {

using load::Endpoint;
using load::LoadConfig;
using load::LoadResult;
using load::Workload;

std::atomic<bool> g_stop{false};  // written by the signal handler only

void RequestStop(int /*signal*/) { g_stop.store(true, std::memory_order_relaxed); }

// The flags as they were given; empty or zero where they were not.
struct Flags {
  std::string workload;
  std::vector<std::string> files;
  std::string host;
  int port = 0;
  std::string user;
  std::string database;
  int connections = 0;
  int threads = 1;
  std::optional<std::string> duration;
  int64_t transactions = 0;
  std::string mode;
  std::string pattern;
  std::optional<std::string> warmup;
  std::optional<std::string> warmup_max;
  std::optional<std::string> rate;
  std::optional<std::string> arrival;
  std::optional<std::string> latency_limit;
  int64_t queue_limit = 0;
  std::optional<std::string> ladder;
  std::optional<std::string> hold;
  std::optional<std::string> connect_timeout;
  std::optional<std::string> statement_timeout;
  int active = -1;
  int64_t transactions_per_connection = 0;
  int64_t reconnect = 0;
  std::string session_length;
  std::optional<std::string> connect_rate;
  std::optional<std::string> connect_arrival;
  std::string drop_command;
  int64_t scale = 0;
  int progress_s = 0;
  bool no_vacuum = false;
  bool connect = false;
  bool init = false;
  bool quiet = false;
  std::vector<std::string> define;
  std::vector<std::string> parameters;
  std::string seed = "rand";
  int source_addresses = 0;
  int control_fd = -1;
  std::string cpu_affinity;
  std::string result_file;
  std::string hgrm_file;
};

Status Usage(std::string message, std::string hint = {}) {
  Status status = Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
  return hint.empty() ? std::move(status) : Status(std::move(status).WithHint(std::move(hint)));
}

enum class Zero : uint8_t { kAllowed, kRefused };

Status Duration(const std::optional<std::string>& given, const char* flag, Zero zero,
                int64_t& value) {
  if (!given) return Status::Ok();
  const std::string& text = *given;
  auto parsed = ParseDurationNs(text);
  if (!parsed.ok()) {
    return Usage(fmt::format("{}: {}", flag, parsed.status().error().message),
                 parsed.status().error().hint);
  }
  if (*parsed == 0 && zero == Zero::kRefused) {
    return Usage(fmt::format("{}: must be above 0", flag));
  }
  value = *parsed;
  return Status::Ok();
}

// "script.sql@3"
Result<load::ScriptSource> ReadScript(const std::string& argument) {
  load::ScriptSource source;
  source.path = argument;
  const size_t at = argument.rfind('@');
  if (at != std::string::npos) {
    const std::string weight = argument.substr(at + 1);
    const auto number = ParseWholeNumber(weight, 0, load::kMaxScriptWeight);
    if (!number.ok()) {
      return Usage(fmt::format("-f {}: its weight {}", argument, number.status().error().message),
                   "Write -f FILE@WEIGHT.");
    }
    source.weight = *number;
    source.path = argument.substr(0, at);
  }
  CONNBENCH_ASSIGN_OR_RETURN(source.text, ReadNamedFileOrPipe("script", source.path));
  return source;
}

Result<uint64_t> Seed(const std::string& text) {
  if (text == "rand") {
    std::random_device random;
    return (uint64_t{random()} << 32) | random();
  }
  const auto seed = ParseUnsigned(text);
  if (seed.ok()) return *seed;
  return Usage(fmt::format("--seed: {}", seed.status().error().message), "Or write --seed rand.");
}

Status ReadLadder(const std::string& text, std::vector<int>& ladder) {
  std::istringstream list(text);
  for (std::string step; std::getline(list, step, ',');) {
    const auto connections = ParseWholeNumber(step, 1, load::kMaxConnections);
    if (!connections.ok()) {
      return Usage(fmt::format("--ladder: {}", connections.status().error().message),
                   "Write for example --ladder 50,100,200.");
    }
    ladder.push_back(static_cast<int>(*connections));
  }
  return Status::Ok();
}

// What is given replaces what the workload says; the other half of the schedule stays.
Status Schedule(const Flags& flags, Workload& workload) {
  for (const auto& [given, flag] : {std::pair(&flags.rate, "-R"),
                                    {&flags.arrival, "--arrival"},
                                    {&flags.connect_rate, "--connect-rate"},
                                    {&flags.connect_arrival, "--connect-arrival"}}) {
    if (*given && (*given)->empty()) return Usage(fmt::format("{}: nothing is given", flag));
  }
  if (flags.rate || flags.arrival) {
    const load::ArrivalSpec before = std::move(workload.arrivals);
    auto parsed = load::ParseArrivals(flags.rate.value_or(before.PortableRate()),
                                      flags.arrival.value_or(before.arrival_text), ".");
    if (!parsed.ok()) {
      const ErrorInfo& error = parsed.status().error();
      return Usage(fmt::format("-R, --arrival: {}", error.message), error.hint);
    }
    workload.arrivals = std::move(*parsed);
  }
  if (flags.queue_limit > 0) workload.queue_limit = flags.queue_limit;
  if (!flags.latency_limit) return Status::Ok();
  auto limit = ParseDurationNs(*flags.latency_limit, "ms");
  if (!limit.ok()) return Usage(fmt::format("-L: {}", limit.status().error().message));
  if (*limit == 0) return Usage("-L: must be above 0");
  workload.latency_limit_ns = *limit;
  return Status::Ok();
}

Result<Workload> MakeWorkload(const Flags& flags) {
  Workload workload;
  if (!flags.workload.empty()) {
    if (!flags.files.empty()) {
      return Usage("both a workload and -f were given", "Give one of them.");
    }
    CONNBENCH_ASSIGN_OR_RETURN(workload, load::FindWorkload(flags.workload));
  } else if (!flags.files.empty()) {
    workload.name = "script";
    for (const std::string& file : flags.files) {
      CONNBENCH_ASSIGN_OR_RETURN(load::ScriptSource source, ReadScript(file));
      workload.scripts.push_back(std::move(source));
    }
  } else if (flags.control_fd >= 0) {
    // The harness has resolved it: no other flag says anything of it.
    return load::ReceiveWorkload(flags.control_fd);
  } else {
    return Usage("there is nothing to run",
                 "Name a workload (connbench list workloads), or a script with -f.");
  }
  if (flags.transactions > 0 && flags.duration) {
    return Usage("both -t and -T were given", "Give a number of transactions, or a duration.");
  }
  if (flags.reconnect > 0 && flags.transactions_per_connection > 0) {
    return Usage("both --reconnect and --transactions-per-connection were given",
                 "They are the same for pattern churn.");
  }
  const bool churns = flags.connect || flags.reconnect > 0;
  if (churns && !flags.pattern.empty() && flags.pattern != Name(load::Pattern::kChurn)) {
    return Usage(fmt::format("-C and --reconnect are pattern churn, not {}", flags.pattern));
  }
  if (!flags.pattern.empty()) workload.pattern = load::FindPattern(flags.pattern)->pattern;
  if (!flags.mode.empty()) workload.protocol = *load::ProtocolModeByName(flags.mode);
  if (flags.connections > 0) workload.connections = flags.connections;
  if (flags.active >= 0) workload.active = flags.active;
  if (flags.scale > 0) workload.scale = flags.scale;
  if (flags.transactions_per_connection > 0) {
    workload.transactions_per_connection = flags.transactions_per_connection;
  }
  if (churns) {
    if (flags.transactions > 0) {
      return Usage("-C and --reconnect cannot be combined with -t", "Use them with -T.");
    }
    if (!workload.groups.empty()) {
      return Usage(fmt::format("workload {} has groups of its own", workload.name),
                   "Use -C and --reconnect with a workload that has none.");
    }
    workload.pattern = load::Pattern::kChurn;
    workload.transactions_per_connection = std::max<int64_t>(flags.reconnect, 1);
  }
  if (!flags.session_length.empty()) {
    workload.session_length = *load::SessionLengthByName(flags.session_length);
  }
  CONNBENCH_RETURN_IF_ERROR(Schedule(flags, workload));
  if (flags.connect_rate || flags.connect_arrival) {
    auto arrivals = load::ParseArrivals(flags.connect_rate.value_or(""),
                                        flags.connect_arrival.value_or(""), ".");
    if (!arrivals.ok()) {
      return Usage(
          fmt::format("--connect-rate, --connect-arrival: {}", arrivals.status().error().message),
          arrivals.status().error().hint);
    }
    workload.connect_arrivals = std::move(*arrivals);
  }
  if (flags.transactions > 0 && !load::RowOf(workload.pattern).Has(load::kStaysOpen)) {
    return Usage(fmt::format("-t does not apply to pattern {}", Name(workload.pattern)),
                 "Use --transactions-per-connection.");
  }
  CONNBENCH_RETURN_IF_ERROR(Duration(flags.duration, "-T", Zero::kRefused, workload.duration_ns));
  CONNBENCH_RETURN_IF_ERROR(Duration(flags.warmup, "--warmup", Zero::kAllowed, workload.warmup_ns));
  CONNBENCH_RETURN_IF_ERROR(
      Duration(flags.warmup_max, "--warmup-max", Zero::kAllowed, workload.warmup_max_ns));
  if (flags.ladder) {
    workload.ladder.clear();
    if (*flags.ladder != "none") {
      CONNBENCH_RETURN_IF_ERROR(ReadLadder(*flags.ladder, workload.ladder));
    }
  }
  for (const std::string& definition : flags.define) {
    const size_t equals = definition.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == definition.size()) {
      return Usage(fmt::format("-D {}: not a variable and a value", definition),
                   "Write -D NAME=VALUE.");
    }
    workload.define[definition.substr(0, equals)] = definition.substr(equals + 1);
  }
  for (const std::string& parameter : flags.parameters) {
    const size_t equals = std::min(parameter.find('='), parameter.size());
    CONNBENCH_RETURN_IF_ERROR(
        load::SetParameter(workload, parameter.substr(0, equals),
                           parameter.substr(std::min(equals + 1, parameter.size()))));
  }
  return workload;
}

Result<LoadConfig> MakeConfig(const Flags& flags) {
  LoadConfig config;
  if (flags.control_fd >= 0) {
    CONNBENCH_RETURN_IF_ERROR(load::CheckControlSocket(flags.control_fd));
  }
  CONNBENCH_ASSIGN_OR_RETURN(config.workload, MakeWorkload(flags));
  CONNBENCH_ASSIGN_OR_RETURN(config.endpoint, Endpoint::FromEnvironment());
  if (!flags.host.empty()) config.endpoint.host = flags.host;
  if (flags.port != 0) config.endpoint.port = flags.port;
  if (!flags.user.empty()) config.endpoint.user = flags.user;
  if (!flags.database.empty()) config.endpoint.database = flags.database;
  config.threads = flags.threads;
  config.transactions_per_client = flags.transactions;
  config.source_addresses = flags.source_addresses;
  config.control_fd = flags.control_fd;
  config.drop_command = flags.drop_command;
  config.stop = &g_stop;
  CONNBENCH_ASSIGN_OR_RETURN(config.seed, Seed(flags.seed));
  CONNBENCH_RETURN_IF_ERROR(Duration(flags.hold, "--hold", Zero::kAllowed, config.hold_ns));
  CONNBENCH_RETURN_IF_ERROR(Duration(flags.connect_timeout, "--connect-timeout", Zero::kRefused,
                                     config.connect_timeout_ns));
  CONNBENCH_RETURN_IF_ERROR(Duration(flags.statement_timeout, "--statement-timeout", Zero::kRefused,
                                     config.statement_timeout_ns));
  CONNBENCH_RETURN_IF_ERROR(CheckConfig(config));
  return config;
}

// What is asked of the server before the run: its version, the tables, -i.
Status Prepare(const Flags& flags, const LoadConfig& config, std::string& server_version) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto client, load::SqlClient::Connect(config.endpoint));
  server_version = client->ServerParameter("server_version");
  if (flags.init) {
    if (!flags.quiet) {
      std::fprintf(stderr, "connbench: setting up at scale %lld\n",
                   static_cast<long long>(config.workload.scale));
    }
    CONNBENCH_RETURN_IF_ERROR(SetUp(config.workload, *client, config.workload.scale));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> missing,
                             MissingTables(config.workload, *client));
  if (missing.empty()) return Status::Ok();
  return Status::Error(sqlstate::kUndefinedTable,
                       fmt::format("table {} does not exist in {}", missing.front(),
                                   config.endpoint.ToString()))
      .WithHint("Create and fill the tables with -i (--init).");
}

// An empty text would silently mean what the environment says.
const CLI::Validator kNotEmpty(
    [](const std::string& text) { return std::string(text.empty() ? "nothing is given" : ""); },
    "");

// CLI11's own names a bound of 309 digits.
const CLI::Validator kAboveZero(
    [](const std::string& text) {
      const auto number = ParseWholeNumber(text, 1, INT64_MAX);
      return number.ok() ? std::string() : "takes a whole number above 0, not " + text;
    },
    "POSITIVE");

int FailLoad(const Status& status, ExitCode code) {
  return PrintError("connbench load", status, code);
}

int ExitCodeOf(const LoadResult& result) {
  if (result.interrupted) return kExitInterrupted;
  // Transactions that lost a conflict are part of an answer, as for pgbench. Where nothing worked,
  // a connection was refused or lost, or a statement failed (pgbench's client would abort), the
  // load was not what was asked for.
  const bool nothing = result.transactions_ok == 0 && result.transactions_failed > 0;
  const bool broken = std::any_of(
      result.transaction_errors.begin(), result.transaction_errors.end(), [](const auto& error) {
        return error.second > 0 && error.first != sqlstate::kSerializationFailure &&
               error.first != sqlstate::kDeadlockDetected;
      });
  if (nothing || broken || result.connects_failed() > 0 || result.connections_lost > 0) {
    return kExitErrors;
  }
  return result.invalid_reasons.empty() ? kExitOk : kExitInvalid;
}

Status WriteHgrm(const LoadResult& result, const std::string& path) {
  const bool storm = result.transaction_latency.empty();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << (storm ? result.connect_latency : result.transaction_latency).ToHgrm();
  file.close();
  return file ? Status::Ok() : Status::System(fmt::format("cannot write {}", path), errno);
}

int RunLoadCommand(const Flags& flags) {
  auto config = MakeConfig(flags);
  if (!config.ok()) return FailLoad(config.status(), kExitUsage);
  if (!flags.cpu_affinity.empty()) {
    const Status pinned = PinToCpus(flags.cpu_affinity);
    if (!pinned.ok()) return FailLoad(pinned, kExitUsage);
  }
  struct sigaction action {};
  action.sa_handler = RequestStop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that closes ends the run as Ctrl-C does, unless nohup has it ignored.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }

  std::string server_version;
  // Under a harness the tables are its business, and a probe would be one connection too many.
  if (flags.control_fd < 0) {
    const Status prepared = Prepare(flags, *config, server_version);
    if (!prepared.ok()) return FailLoad(prepared, kExitErrors);
  }
  if (flags.progress_s > 0 || (!flags.quiet && isatty(STDERR_FILENO) != 0)) {
    const int every = std::max(flags.progress_s, 1);
    config->progress = [every, count = 0](const load::LoadProgress& progress) mutable {
      if (++count % every == 0) {
        std::fprintf(stderr, "connbench: %s\n", FormatProgress(progress).c_str());
      }
    };
  }
  auto result = RunLoad(*config);
  if (!result.ok()) {
    // Ports or addresses that do not suffice are seen before anything runs, as descriptors are.
    const bool too_few = result.status().code() == sqlstate::kConfigurationLimitExceeded;
    return FailLoad(result.status(), too_few ? kExitUsage : kExitErrors);
  }
  result->server_version = server_version;
  if (!flags.result_file.empty()) {
    const Status written = WriteLoadResult(*result, flags.result_file);
    if (!written.ok()) return FailLoad(written, kExitErrors);
  }
  if (!flags.hgrm_file.empty()) {
    const Status written = WriteHgrm(*result, flags.hgrm_file);
    if (!written.ok()) return FailLoad(written, kExitErrors);
  }
  if (flags.control_fd < 0) std::fputs(FormatResult(*result).c_str(), stdout);
  return ExitCodeOf(*result);
}

}  // namespace

CommandMain ConfigureLoad(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("WORKLOAD", flags->workload, "a workload's name, or the path of its .toml file");
  app.add_option("-f,--file", flags->files,
                 "a script in pgbench's language, FILE[@WEIGHT]; repeatable");
  app.add_option("-h,--host", flags->host,
                 "server's host, or the folder of its Unix socket (PGHOST)")
      ->check(kNotEmpty);
  app.add_option("-p,--port", flags->port, "server's port (PGPORT)")
      ->check(CLI::Range(1, load::kMaxPort));
  app.add_option("-U,--username", flags->user, "user to connect as (PGUSER)")->check(kNotEmpty);
  app.add_option("-d,--dbname", flags->database, "database (PGDATABASE)")->check(kNotEmpty);
  app.add_option("-c,--client", flags->connections, "connections")->check(kAboveZero);
  app.add_option("-j,--jobs", flags->threads, "client threads")->check(kAboveZero);
  app.add_option("-T,--time", flags->duration, "how long to measure: 10s, 500ms, 2min");
  app.add_option("-t,--transactions", flags->transactions, "transactions per client, instead of -T")
      ->check(CLI::Range(1, INT32_MAX));
  app.add_option("-M,--protocol", flags->mode, "simple, extended or prepared")
      ->check(CLI::IsMember({"simple", "extended", "prepared"}));
  std::vector<std::string> patterns;  // those of one kind of clients
  for (const load::PatternRow& row : load::kPatterns) {
    if (!row.Has(load::kMadeOfGroups)) patterns.emplace_back(row.name);
  }
  app.add_option("--pattern", flags->pattern, fmt::format("{}", fmt::join(patterns, ", ")))
      ->check(CLI::IsMember(patterns));
  app.add_flag("-C,--connect", flags->connect, "a new connection for every transaction (churn)");
  app.add_option("--reconnect", flags->reconnect,
                 "a new connection after so many transactions (churn)")
      ->check(kAboveZero);
  app.add_option("--transactions-per-connection", flags->transactions_per_connection,
                 "churn: transactions before a connection is closed")
      ->check(kAboveZero);
  app.add_option("--session-length", flags->session_length,
                 "churn: transactions per connection are fixed, or geometric with that mean")
      ->check(CLI::IsMember({"fixed", "geometric"}));
  app.add_option("--connect-rate", flags->connect_rate,
                 "when connections arrive: 500, ramp(100, 2000, 10s), sawtooth(0, 1000, 2s), ...");
  app.add_option("--connect-arrival", flags->connect_arrival,
                 "constant, poisson, burst(N) or at_once");
  app.add_option("--drop", flags->drop_command,
                 "failover: a shell command that makes the server drop everyone; without it, that "
                 "is left to you");
  app.add_option("--active", flags->active, "idle: how many of the connections work")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--ladder", flags->ladder, "idle: connection counts to hold, as 50,100,200");
  app.add_option("--warmup", flags->warmup, "traffic before the measured window, at least");
  app.add_option("--warmup-max", flags->warmup_max,
                 "it goes on until it has settled, at most so long; default ten times --warmup");
  app.add_option("-R,--rate", flags->rate,
                 "open loop: transactions per second, or a shape as ramp(100, 2000, 10s)");
  app.add_option("--arrival", flags->arrival,
                 "how they are spaced: poisson (default), constant, burst(N)");
  app.add_option(
      "-L,--latency-limit", flags->latency_limit,
      "count as late what takes longer than so many ms; with -R, skip what is due longer");
  app.add_option("--queue-limit", flags->queue_limit,
                 "open loop: how many may wait for a free connection")
      ->check(kAboveZero);
  app.add_option("--hold", flags->hold, "storm and idle: how long all connections are held");
  app.add_option("-P,--progress", flags->progress_s, "a progress line every so many seconds")
      ->check(kAboveZero);
  app.add_option("-D,--define", flags->define,
                 "a variable for the scripts, NAME=VALUE; repeatable");
  app.add_option("--parameter", flags->parameters,
                 "a parameter of the workload, NAME=VALUE, as suites vary it; repeatable");
  app.add_option("-s,--scale", flags->scale, ":scale of the scripts and of --init")
      ->check(CLI::Range(1, load::kMaxScale));
  app.add_flag("-i,--init", flags->init, "create and fill the workload's tables first");
  app.add_flag("-n,--no-vacuum", flags->no_vacuum,
               "accepted for pgbench's sake; nothing is vacuumed");
  app.add_option("--seed,--random-seed", flags->seed, "seed of all random numbers, or rand");
  app.add_option("--connect-timeout", flags->connect_timeout, "bound of a connect, default 60s");
  app.add_option("--statement-timeout", flags->statement_timeout,
                 "bound of a statement, default 60s");
  app.add_option("--source-addresses", flags->source_addresses,
                 "connect from so many of 127.0.0.1, 127.0.0.2, ..., so that ports last")
      ->check(kAboveZero);
  app.add_option("--cpu-affinity", flags->cpu_affinity,
                 "CPUs on which the load runs, as 0 or 0-3,8");
  app.add_option("--result-file", flags->result_file, "write the whole result here, as JSON");
  app.add_option("--hgrm", flags->hgrm_file, "write the latency distribution here (HdrHistogram)");
  app.add_option("--control-fd", flags->control_fd, "the harness's end of a socket pair")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("-q,--quiet", flags->quiet, "no progress lines");
  return [flags] { return RunLoadCommand(*flags); };
}

}  // namespace connbench::cli
