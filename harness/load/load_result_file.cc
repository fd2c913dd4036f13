// The file form of a load result: JSON, and the phases as CSV.
#include "harness/load/load_result.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/read_file.h"

namespace connbench::load {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::string_view kPhasesHeader =
    "client,connection_id,outcome,in_window,syn_retries,intended_ns,connect_begin_ns,connect_end_"
    "ns,"
    "startup_sent_ns,authenticated_ns,ready_ns,first_query_ns,first_row_ns,ended_ns";

std::string PhasesPath(const std::string& path) { return path + ".phases.csv"; }

// The fields of LoadResult that are plain values or histograms, each once: Visit gives them to a
// writer or a reader under the same name.
template <typename R, typename V>
void VisitFields(R& result, V&& visit) {
  visit("workload", result.workload);
  visit("pattern", result.pattern);
  visit("protocol_mode", result.protocol_mode);
  visit("server", result.server);
  visit("server_version", result.server_version);
  visit("connections", result.connections);
  visit("threads", result.threads);
  visit("seed", result.seed);
  visit("run_begin_ns", result.run_begin_ns);
  visit("window_begin_ns", result.window_begin_ns);
  visit("window_end_ns", result.window_end_ns);
  visit("run_end_ns", result.run_end_ns);
  visit("transactions_all", result.transactions_all);
  visit("transactions_ok", result.transactions_ok);
  visit("transactions_failed", result.transactions_failed);
  visit("transactions_skipped", result.transactions_skipped);
  visit("transactions_ok_in_window", result.transactions_ok_in_window);
  visit("transactions_ok_share_at_end", result.transactions_ok_share_at_end);
  visit("clients_begun", result.clients_begun);
  visit("clients_ok_squared", result.clients_ok_squared);
  visit("transaction_errors", result.transaction_errors);
  visit("transaction_latency", result.transaction_latency);
  visit("request_time", result.request_time);
  visit("closed_loop", result.closed_loop);
  visit("requests_in_window_ns", result.requests_in_window_ns);
  visit("unserved_in_window_ns", result.unserved_in_window_ns);
  visit("clients_present_ns", result.clients_present_ns);
  visit("service_time", result.service_time);
  visit("schedule_lag", result.schedule_lag);
  visit("client_lag", result.client_lag);
  visit("rate", result.rate);
  visit("arrival", result.arrival);
  visit("latency_limit_ns", result.latency_limit_ns);
  visit("transactions_late", result.transactions_late);
  visit("transactions_sent_in_window", result.transactions_sent_in_window);
  visit("client_realtime", result.client_realtime);
  visit("waiting_max", result.waiting_max);
  visit("last_transaction_end_ns", result.last_transaction_end_ns);
  visit("warmup_transactions", result.warmup_transactions);
  visit("warmup_ns", result.warmup_ns);
  visit("warmup_state", result.warmup_state);
  visit("connects_all", result.connects_all);
  visit("connect_errors", result.connect_errors);
  visit("connect_latency", result.connect_latency);
  visit("unretried_connect_latency", result.unretried_connect_latency);
  visit("first_row_latency", result.first_row_latency);
  visit("first_connect_ns", result.first_connect_ns);
  visit("last_release_ns", result.last_release_ns);
  visit("last_ready_ns", result.last_ready_ns);
  visit("connects_ok_in_window", result.connects_ok_in_window);
  visit("syn_retries", result.syn_retries);
  visit("connects_retried", result.connects_retried);
  visit("clients_to_serve", result.clients_to_serve);
  visit("clients_served", result.clients_served);
  visit("all_served_ns", result.all_served_ns);
  visit("connects_in_flight_max", result.connects_in_flight_max);
  visit("first_loss_ns", result.first_loss_ns);
  visit("beyond_backlog", result.beyond_backlog);
  visit("connections_lost", result.connections_lost);
  visit("connections_held_max", result.connections_held_max);
  visit("phases_dropped", result.phases_dropped);
  visit("client_cpu_fraction", result.client_cpu_fraction);
  visit("thread_cpu_fractions", result.thread_cpu_fractions);
  visit("client_cpu_ns", result.client_cpu_ns);
  visit("client_stall_ns", result.client_stall_ns);
  visit("suspended_ns", result.suspended_ns);
  visit("bytes_sent", result.bytes_sent);
  visit("bytes_received", result.bytes_received);
  visit("interrupted", result.interrupted);
  visit("first_error", result.first_error);
  visit("warnings", result.warnings);
  visit("invalid_reasons", result.invalid_reasons);
}

template <typename R, typename V>
void VisitVictims(R& victims, V&& visit) {
  visit("disturbance_begin_ns", victims.begin_ns);
  visit("disturbance_end_ns", victims.end_ns);
  visit("victim_latency_before", victims.before);
  visit("victim_latency_during", victims.during);
  visit("victim_latency_after", victims.after);
  visit("victim_recovery_ns", victims.recovery_ns);
  visit("victim_recovered", victims.recovered);
}

template <typename S, typename V>
void VisitSlice(S& slice, V&& visit) {
  visit("begin_ns", slice.begin_ns);
  visit("in_window", slice.in_window);
  visit("transactions_ok", slice.transactions_ok);
  visit("transactions_failed", slice.transactions_failed);
  visit("connects_ok", slice.connects_ok);
  visit("connects_failed", slice.connects_failed);
  visit("connections_open", slice.connections_open);
  visit("latency_us_p50", slice.latency_us_p50);
  visit("latency_us_p99", slice.latency_us_p99);
  visit("latency_us_max", slice.latency_us_max);
}

class Writer {
 public:
  explicit Writer(Object& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, const T& value) const {
    object_.set(name, value);
  }
  void operator()(const char* name, Pattern pattern) const {
    object_.set(name, std::string(Name(pattern)));
  }
  void operator()(const char* name, const stats::Histogram& histogram) const {
    object_.set(name, histogram.ToSparse());
  }
  void operator()(const char* name, const std::map<std::string, uint64_t>& counts) const {
    Object::Ptr inner = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
    for (const auto& [key, count] : counts) inner->set(key, count);
    object_.set(name, inner);
  }
  template <typename T>
  void operator()(const char* name, const std::vector<T>& values) const {
    Array::Ptr inner = new Array;
    for (const T& value : values) inner->add(value);
    object_.set(name, inner);
  }

 private:
  Object& object_;
};

class Reader {
 public:
  Reader(const Object& object, Status& status) : object_(object), status_(status) {}

  template <typename T>
  void operator()(const char* name, T& value) const {
    Convert(name, [&] { value = object_.getValue<T>(name); });
  }
  void operator()(const char* name, Pattern& pattern) const {
    Convert(name, [&] {
      const PatternRow* row = FindPattern(object_.getValue<std::string>(name));
      if (row == nullptr) throw Poco::DataFormatException("no such pattern");
      pattern = row->pattern;
    });
  }
  void operator()(const char* name, stats::Histogram& histogram) const {
    Convert(name, [&] {
      auto read = stats::Histogram::FromSparse(object_.getValue<std::string>(name));
      if (!read.ok()) throw Poco::DataFormatException(read.status().ToString());
      histogram = std::move(*read);
    });
  }
  void operator()(const char* name, std::map<std::string, uint64_t>& counts) const {
    Convert(name, [&] {
      const Object::Ptr inner = object_.getObject(name);
      if (inner.isNull()) throw Poco::DataFormatException("not an object");
      for (const auto& [key, value] : *inner) counts[key] = value.convert<uint64_t>();
    });
  }
  template <typename T>
  void operator()(const char* name, std::vector<T>& values) const {
    Convert(name, [&] {
      const Array::Ptr inner = object_.getArray(name);
      if (inner.isNull()) throw Poco::DataFormatException("not an array");
      for (const auto& value : *inner) values.push_back(value.convert<T>());
    });
  }

 private:
  template <typename F>
  void Convert(const char* name, F&& convert) const {
    try {
      convert();
    } catch (const Poco::Exception& error) {
      if (status_.ok()) {
        status_ = Status::Error(sqlstate::kInvalidTextRepresentation,
                                fmt::format("field \"{}\": {}", name, error.displayText()));
      }
    }
  }

  const Object& object_;
  Status& status_;
};

Status Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return Status::Ok();
  return Status::System(fmt::format("cannot write {}", path), errno);
}

std::string PhasesText(const std::vector<ConnectionPhases>& phases) {
  std::string text(kPhasesHeader);
  text += '\n';
  for (const ConnectionPhases& p : phases) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                   p.client, p.connection_id, Name(p.outcome), p.in_window ? 1 : 0, p.syn_retries,
                   p.intended_ns, p.connect_begin_ns, p.connect_end_ns, p.startup_sent_ns,
                   p.authenticated_ns, p.ready_ns, p.first_query_ns, p.first_row_ns, p.ended_ns);
  }
  return text;
}

std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

bool ParsePhases(std::string_view line, ConnectionPhases& p) {
  const auto number = [&](auto& value) {
    const std::string_view field = TakeUntil(line, ',');
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error == std::errc() && end == field.data() + field.size();
  };
  if (!number(p.client) || !number(p.connection_id)) return false;
  const auto outcome = ConnectOutcomeByName(TakeUntil(line, ','));
  if (!outcome) return false;
  p.outcome = *outcome;
  int in_window = 0;
  if (!number(in_window)) return false;
  p.in_window = in_window != 0;
  return number(p.syn_retries) && number(p.intended_ns) && number(p.connect_begin_ns) &&
         number(p.connect_end_ns) && number(p.startup_sent_ns) && number(p.authenticated_ns) &&
         number(p.ready_ns) && number(p.first_query_ns) && number(p.first_row_ns) &&
         number(p.ended_ns) && line.empty();
}

// An object with one count under each of the names.
template <size_t kCount>
void WriteCounts(Object& object, const char* name,
                 const std::array<std::string_view, kCount>& names,
                 const std::array<uint64_t, kCount>& counts) {
  Object::Ptr inner = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
  for (size_t i = 0; i < kCount; ++i) inner->set(std::string(names[i]), counts[i]);
  object.set(name, inner);
}

template <size_t kCount>
void ReadCounts(const Object& object, const char* name,
                const std::array<std::string_view, kCount>& names,
                std::array<uint64_t, kCount>& counts) {
  const Object::Ptr inner = object.getObject(name);
  if (inner.isNull()) throw Poco::DataFormatException(fmt::format("no {}", name));
  for (size_t i = 0; i < kCount; ++i) {
    counts[i] = inner->getValue<uint64_t>(std::string(names[i]));
  }
}

// One run, or one group of it, with all but its phases.
void WriteRun(const LoadResult& run, Object& object) {
  VisitFields(run, Writer(object));
  VisitVictims(run.victims, Writer(object));
  WriteCounts(object, "connects_by_outcome", kConnectOutcomeNames, run.connects_by_outcome);
  WriteCounts(object, "skipped_by_reason", kSkipReasonNames, run.skipped_by_reason);
  Array::Ptr slices = new Array;
  for (const Slice& slice : run.slices) {
    Object::Ptr entry = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
    VisitSlice(slice, Writer(*entry));
    slices->add(entry);
  }
  object.set("slices", slices);
}

Array::Ptr ArrayOf(const Object& object, const char* name) {
  Array::Ptr array = object.getArray(name);
  if (array.isNull()) throw Poco::DataFormatException(fmt::format("no {}", name));
  return array;
}

Object::Ptr EntryOf(const Array& array, unsigned index) {
  Object::Ptr entry = array.getObject(index);
  if (entry.isNull()) throw Poco::DataFormatException("an entry is no object");
  return entry;
}

void ReadRun(const Object& object, LoadResult& run, Status& status) {
  VisitFields(run, Reader(object, status));
  VisitVictims(run.victims, Reader(object, status));
  ReadCounts(object, "connects_by_outcome", kConnectOutcomeNames, run.connects_by_outcome);
  ReadCounts(object, "skipped_by_reason", kSkipReasonNames, run.skipped_by_reason);
  const Array::Ptr slices = ArrayOf(object, "slices");
  for (unsigned i = 0; i < slices->size(); ++i) {
    VisitSlice(run.slices.emplace_back(), Reader(*EntryOf(*slices, i), status));
  }
}

}  // namespace

Status WriteLoadResult(const LoadResult& result, const std::string& path) {
  std::ostringstream text;
  try {
    Object root(Poco::JSON_PRESERVE_KEY_ORDER);
    root.set("version", kLoadResultVersion);
    WriteRun(result, root);
    Array::Ptr groups = new Array;
    for (const LoadResult& group : result.groups) {
      Object::Ptr entry = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
      WriteRun(group, *entry);
      groups->add(entry);
    }
    root.set("groups", groups);
    Poco::JSON::Stringifier::stringify(root, text, 1);
    text << '\n';
  } catch (const Poco::Exception& error) {
    return Status::Error(sqlstate::kInternalError, error.displayText());
  }
  CONNBENCH_RETURN_IF_ERROR(Write(path, text.str()));
  return Write(PhasesPath(path), PhasesText(result.phases));
}

Result<LoadResult> ReadLoadResult(const std::string& path) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text,
                             ReadNamedFile("load result", path, kMaxMeasuredFileBytes));
  LoadResult result;
  Status status;
  try {
    Poco::JSON::Parser parser;
    const Object::Ptr root = parser.parse(text).extract<Object::Ptr>();
    const int version = root->getValue<int>("version");
    if (version != kLoadResultVersion) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("{} has version {}, this program reads {}", path, version,
                                       kLoadResultVersion));
    }
    ReadRun(*root, result, status);
    const Array::Ptr groups = ArrayOf(*root, "groups");
    for (unsigned i = 0; i < groups->size(); ++i) {
      ReadRun(*EntryOf(*groups, i), result.groups.emplace_back(), status);
    }
  } catch (const Poco::Exception& error) {
    status = Status::Error(sqlstate::kInvalidTextRepresentation, error.displayText());
  }
  if (!status.ok()) {
    return Status::Error(status.code(), fmt::format("{}: {}", path, status.error().message));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string phases,
                             ReadNamedFile("load result", PhasesPath(path), kMaxMeasuredFileBytes));
  std::string_view rest = phases;
  if (TakeUntil(rest, '\n') != kPhasesHeader) {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("{}:1: not the header of phases", PhasesPath(path)));
  }
  for (int line = 2; !rest.empty(); ++line) {
    if (!ParsePhases(TakeUntil(rest, '\n'), result.phases.emplace_back())) {
      return Status::Error(sqlstate::kInvalidTextRepresentation,
                           fmt::format("{}:{}: not a row of phases", PhasesPath(path), line));
    }
  }
  return result;
}

}  // namespace connbench::load
