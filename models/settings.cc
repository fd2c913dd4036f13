// Settings of the connection models and of the protocol.
#include "models/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <variant>

#include "base/clock.h"
#include "base/cpu_list.h"
#include "base/near_names.h"
#include "base/units.h"
#include "models/setting_readers.h"

namespace connbench::models {
namespace {

using Member =
    std::variant<int64_t ModelSettings::*, std::string ModelSettings::*,
                 bool protocol::SecuritySettings::*, std::string protocol::SecuritySettings::*,
                 int64_t protocol::SecuritySettings::*>;

struct Setting {
  std::string_view name;
  std::string_view unit;  // of a number. "": a count; "kB": the member holds bytes; "ms"
  Member member;
  int64_t min;  // in the unit
  int64_t max;
  std::string_view help;
  std::string_view models = {};                  // that read it, "a, b"; empty: all
  std::span<const std::string_view> words = {};  // the values' names, if they have names
};

using protocol::SecuritySettings;

constexpr int64_t kMaxTasks = 1 << 22;  // the kernel's own bound on processes and threads

constexpr int64_t kMaxArenas = 1 << 16;

constexpr std::string_view kAcceptWords[] = {"default", "shared", "exclusive", "reuseport"};
constexpr std::string_view kAllocatorWords[] = {"glibc", "jemalloc", "tcmalloc", "mimalloc"};
constexpr std::string_view kPoolModeWords[] = {"session", "transaction", "statement"};

constexpr Setting kSettings[] = {
    {"listen_backlog", "", &ModelSettings::listen_backlog, 0, INT32_MAX,
     "connections that may wait to be accepted; 0: twice max_connections"},
    {"thread_stack_size", "kB", &ModelSettings::thread_stack_bytes, 256, 1 << 20,
     "stack of a thread that runs statements"},
    {"thread_pool_groups", "", &ModelSettings::thread_pool_groups, 0, 4096,
     "thread-pool: groups of workers, each with a queue and sockets of its own; 0: one",
     "thread-pool"},
    {"workers", "", &ModelSettings::workers, 0, 4096,
     "thread-pool: statements that run at the same time in all groups together; 0: one per core",
     "thread-pool"},
    {"max_workers", "", &ModelSettings::max_workers, 0, kMaxTasks,
     "thread-pool: threads at most, counting those that wait for locks; 0: workers + "
     "max_connections",
     "thread-pool"},
    {"stall_limit", "ms", &ModelSettings::stall_limit_ms, 1, 60'000,
     "thread-pool: a group whose worker has served one session for so long gets another worker",
     "thread-pool"},
    {"prio_kickup_timer", "ms", &ModelSettings::prio_kickup_timer_ms, 1, 3'600'000,
     "thread-pool: what has waited so long behind sessions in transactions is served like them",
     "thread-pool"},
    {"prefork_processes", "", &ModelSettings::prefork_processes, 0, kMaxTasks,
     "prefork: processes, each for one connection at a time; 0: max_connections and 4 more",
     "prefork"},
    {"prefork_max_sessions", "", &ModelSettings::prefork_max_sessions, 0, INT64_MAX,
     "prefork: sessions that a process serves before another takes its place; 0: no bound",
     "prefork"},
    {"thread_cache_size", "", &ModelSettings::thread_cache_size, -1, kMaxTasks,
     "thread-cached: threads kept for later connections; -1: 8 + max_connections / 100",
     "thread-cached"},
    {"hybrid_processes", "", &ModelSettings::hybrid_processes, 0, 4096,
     "hybrid: processes; 0: one per core, at least two", "hybrid"},
    {"hybrid_threads", "", &ModelSettings::hybrid_threads, 0, kMaxTasks,
     "hybrid: threads in each process; 0: enough for max_connections", "hybrid"},
    {"reactor_loops", "", &ModelSettings::reactor_loops, 0, 4096,
     "reactor, reactor-uring: event loops, each a thread; 0: one per core",
     "reactor, reactor-uring"},
    {"fdpass_workers", "", &ModelSettings::fdpass_workers, 0, 4096,
     "fdpass: processes that serve connections; 0: one per core", "fdpass"},
    {"poco_threads", "", &ModelSettings::poco_threads, 0, kMaxTasks,
     "poco: threads, each for one connection at a time; 0: max_connections and 4 more", "poco"},
    {"poco_queue", "", &ModelSettings::poco_queue, 0, INT32_MAX,
     "poco: connections that wait for a thread before further ones are dropped; 0: listen_backlog",
     "poco"},
    {"pool_mode", "", &ModelSettings::pool_mode, 0, 2,
     "pool-tx, pool-tx-thread: for how long a client keeps its backend: \"session\", "
     "\"transaction\" or "
     "\"statement\"",
     "pool-tx, pool-tx-thread", kPoolModeWords},
    {"pool_size", "", &ModelSettings::pool_size, 0, kMaxTasks,
     "pool-tx, pool-tx-thread: backends at most; 0: 20, as in PgBouncer, or max_connections if "
     "less",
     "pool-tx, pool-tx-thread"},
    {"pool_superuser_reserve", "", &ModelSettings::pool_superuser_reserve, 0, kMaxTasks,
     "pool-tx, pool-tx-thread: backends beyond pool_size that only superusers get; fewer if "
     "max_connections leaves no room",
     "pool-tx, pool-tx-thread"},
    {"query_wait_timeout", "ms", &ModelSettings::query_wait_timeout_ms, 0, 3'600'000,
     "pool-tx, pool-tx-thread: a client that waits longer for a backend is disconnected; 0: never",
     "pool-tx, pool-tx-thread"},
    {"client_write_timeout", "ms", &ModelSettings::client_write_timeout_ms, 0, 3'600'000,
     "pool-tx, pool-tx-thread: a client that has a backend and reads nothing of its answers for so "
     "long is disconnected; 0: never",
     "pool-tx, pool-tx-thread"},
    {"accept_strategy", "", &ModelSettings::accept_strategy, 0, 3,
     "models that accept in several tasks (prefork, hybrid, reactor, reactor-uring): \"shared\": "
     "all "
     "wake for a client; \"exclusive\": one does (EPOLLEXCLUSIVE); \"reuseport\": a socket each; "
     "\"default\": the model's own",
     "prefork, hybrid, reactor, reactor-uring", kAcceptWords},
    {"allocator", "", &ModelSettings::allocator, 0, 3,
     "who gives memory: \"glibc\", or the Debian packages' \"jemalloc\", \"tcmalloc\", "
     "\"mimalloc\"",
     "", kAllocatorWords},
    {"malloc_arenas", "", &ModelSettings::malloc_arenas, 0, kMaxArenas,
     "glibc: arenas that the threads of a process share, at most; 0: eight per core"},
    {"cpu_affinity", "", &ModelSettings::cpu_affinity, 0, 0,
     "CPUs on which the server runs, as \"0\" or \"0-3,8\"; empty: all. \"One per core\" counts "
     "these"},
    {"shutdown_grace", "ms", &ModelSettings::shutdown_grace_ms, 0, 3'600'000,
     "how long sessions may take to end at shutdown before they are killed"},
    {"hba_file", "", &SecuritySettings::hba_file, 0, 0,
     "who may connect, in the form of pg_hba.conf; empty: everybody, from this machine only"},
    {"ssl", "", &SecuritySettings::ssl, 0, 0, "offer TLS to clients that ask for it"},
    {"ssl_cert_file", "", &SecuritySettings::ssl_cert_file, 0, 0,
     "the server's certificate, and those above it, in PEM form"},
    {"ssl_key_file", "", &SecuritySettings::ssl_key_file, 0, 0,
     "its private key, readable by its owner only"},
    {"auth_delay", "ms", &SecuritySettings::auth_delay_ms, 0, 3'600'000,
     "how long a client that gave a wrong password waits until it is told; 0: not at all"},
};

Status BadValue(const Setting& setting, const Status& why) {
  return Status::Error(
      sqlstate::kInvalidParameterValue,
      fmt::format("invalid value for parameter \"{}\": {}", setting.name, why.error().message));
}

Result<int64_t> ParseNumber(const Setting& setting, std::string_view value) {
  if (!setting.words.empty()) {
    const auto found = std::find(setting.words.begin(), setting.words.end(), value);
    if (found != setting.words.end()) return found - setting.words.begin();
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("invalid value for parameter \"{}\": \"{}\" (expected {})",
                                     setting.name, value, fmt::join(setting.words, ", ")));
  }
  if (setting.unit == "kB") {
    const Result<int64_t> bytes = ParseBytes(value, "kB");
    return bytes.ok() ? Result<int64_t>(*bytes / 1024) : BadValue(setting, bytes.status());
  }
  if (setting.unit == "ms") {
    const Result<int64_t> ns = ParseDurationNs(value, "ms");
    return ns.ok() ? Result<int64_t>(*ns / kNanosecondsPerMillisecond)
                   : BadValue(setting, ns.status());
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("invalid value for parameter \"{}\": \"{}\" (expected an integer)",
                    setting.name, value));
  }
  return number;
}

Status BadValue(const Setting& setting, std::string_view value, std::string_view expected) {
  return Status::Error(
             sqlstate::kInvalidParameterValue,
             fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.name, value))
      .WithHint(fmt::format("Expected {}.", expected));
}

Result<bool> ParseSwitch(const Setting& setting, std::string_view value) {
  for (const std::string_view on : {"on", "true", "yes", "1"}) {
    if (value == on) return true;
  }
  for (const std::string_view off : {"off", "false", "no", "0"}) {
    if (value == off) return false;
  }
  return BadValue(setting, value, "on or off");
}

// Of a setting that is a number. Settings as they are, or to be changed.
template <typename Settings>
auto& NumberOf(Settings& settings, const Setting& setting) {
  if (const auto* number = std::get_if<int64_t SecuritySettings::*>(&setting.member)) {
    return settings.security.**number;
  }
  return settings.models.*std::get<int64_t ModelSettings::*>(setting.member);
}

std::string ShowValue(const ServerSettings& settings, const Setting& setting) {
  if (const auto* flag = std::get_if<bool SecuritySettings::*>(&setting.member)) {
    return settings.security.**flag ? "on" : "off";
  }
  if (const auto* text = std::get_if<std::string SecuritySettings::*>(&setting.member)) {
    return settings.security.**text;
  }
  if (const auto* text = std::get_if<std::string ModelSettings::*>(&setting.member)) {
    return settings.models.**text;
  }
  const int64_t value = NumberOf(settings, setting);
  if (!setting.words.empty()) return std::string(setting.words[value]);
  if (setting.unit == "kB") return fmt::format("{}kB", value / 1024);
  return fmt::format("{}{}", value, setting.unit);
}

}  // namespace

Status ApplySetting(ServerSettings& settings, std::string_view name, std::string_view value) {
  const auto* setting = std::find_if(std::begin(kSettings), std::end(kSettings),
                                     [&](const Setting& s) { return s.name == name; });
  if (setting == std::end(kSettings)) {
    Status status = engine::ApplySetting(settings.engine, name, value);
    if (status.code() != sqlstate::kUndefinedObject) return status;
    const std::vector<engine::SettingDescription> all = DescribeSettings(settings);
    std::vector<std::string_view> names;
    names.reserve(all.size());
    for (const engine::SettingDescription& known : all) names.push_back(known.name);
    return Status::Error(sqlstate::kUndefinedObject, status.error().message)
        .WithHint(SuggestNames(name, names));
  }
  if (const auto* flag = std::get_if<bool SecuritySettings::*>(&setting->member)) {
    CONNBENCH_ASSIGN_OR_RETURN(settings.security.**flag, ParseSwitch(*setting, value));
    return {};
  }
  if (const auto* text = std::get_if<std::string SecuritySettings::*>(&setting->member)) {
    settings.security.** text = value;
    return {};
  }
  if (const auto* text = std::get_if<std::string ModelSettings::*>(&setting->member)) {
    // The only one of its kind is a list of CPUs.
    if (!value.empty()) CONNBENCH_RETURN_IF_ERROR(ParseCpuList(value).status());
    settings.models.** text = value;
    return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t number, ParseNumber(*setting, value));
  if (number < setting->min || number > setting->max) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{}{} is outside the valid range for parameter \"{}\" "
                                     "({} .. {})",
                                     number, setting->unit, name, setting->min, setting->max));
  }
  NumberOf(settings, *setting) = setting->unit == "kB" ? number * 1024 : number;
  return {};
}

bool ConcernsModel(std::string_view name, std::string_view model) {
  for (const Setting& setting : kSettings) {
    if (setting.name != name || setting.models.empty()) continue;
    constexpr std::string_view kComma = ", ";
    const std::string all = fmt::format("{}{}{}", kComma, setting.models, kComma);
    return all.find(fmt::format("{}{}{}", kComma, model, kComma)) != std::string::npos;
  }
  return true;
}

std::vector<engine::SettingDescription> DescribeSettings(const ServerSettings& settings) {
  std::vector<engine::SettingDescription> all = engine::DescribeSettings(settings.engine);
  for (const Setting& setting : kSettings) {
    all.push_back({setting.name, setting.unit, setting.help, ShowValue(settings, setting)});
  }
  return all;
}

}  // namespace connbench::models
