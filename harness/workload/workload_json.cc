// Writes and reads a workload as JSON. Each field is named once: Visit gives it to the writer or to
// the reader.
#include "harness/workload/workload_json.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

namespace connbench::load {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::array<std::string_view, 4> kSpacingNames = {"constant", "poisson", "burst",
                                                           "at_once"};

template <typename T, typename V>
void Visit(T& source, V&& visit) requires std::same_as<std::remove_const_t<T>, ScriptSource> {
  visit("path", source.path);
  visit("text", source.text);
  visit("weight", source.weight);
}

template <typename T, typename V>
void Visit(T& piece, V&& visit) requires std::same_as<std::remove_const_t<T>, RatePiece> {
  visit("length_ns", piece.length_ns);
  visit("from", piece.from);
  visit("to", piece.to);
}

template <typename T, typename V>
void Visit(T& spec, V&& visit) requires std::same_as<std::remove_const_t<T>, ArrivalSpec> {
  visit("spacing", spec.spacing);
  visit("burst", spec.burst);
  visit("pieces", spec.pieces);
  visit("repeats", spec.repeats);
  visit("instants", spec.instants);
  visit("rate_text", spec.rate_text);
  visit("arrival_text", spec.arrival_text);
  visit("file", spec.file);
}

template <typename T, typename V>
void Visit(T& backoff, V&& visit) requires std::same_as<std::remove_const_t<T>, Backoff> {
  visit("initial_ns", backoff.initial_ns);
  visit("max_ns", backoff.max_ns);
  visit("multiplier", backoff.multiplier);
  visit("jitter", backoff.jitter);
}

template <typename T, typename V>
void VisitGroup(T& group, V&& visit) {
  visit("name", group.name);
  visit("pattern", group.pattern);
  visit("connections", group.connections);
  visit("scripts", group.scripts);
  visit("transactions_per_connection", group.transactions_per_connection);
  visit("session_length", group.session_length);
  visit("arrivals", group.arrivals);
  visit("latency_limit_ns", group.latency_limit_ns);
  visit("queue_limit", group.queue_limit);
  visit("connect_arrivals", group.connect_arrivals);
  visit("backoff", group.backoff);
  visit("start_ns", group.start_ns);
  visit("stop_ns", group.stop_ns);
}

template <typename T, typename V>
void Visit(T& group, V&& visit) requires std::same_as<std::remove_const_t<T>, ClientGroup> {
  VisitGroup(group, visit);
}

template <typename T, typename V>
void Visit(T& workload, V&& visit) requires std::same_as<std::remove_const_t<T>, Workload> {
  VisitGroup(workload, visit);
  visit("description", workload.description);
  visit("path", workload.path);
  visit("protocol", workload.protocol);
  visit("duration_ns", workload.duration_ns);
  visit("warmup_ns", workload.warmup_ns);
  visit("warmup_max_ns", workload.warmup_max_ns);
  visit("active", workload.active);
  visit("ladder", workload.ladder);
  visit("first_query", workload.first_query);
  visit("setup", workload.setup);
  visit("check", workload.check);
  visit("tables", workload.tables);
  visit("scale", workload.scale);
  visit("define", workload.define);
  visit("groups", workload.groups);
}

std::vector<std::string_view> NamesOf(Pattern /*of*/) { return PatternNames(); }
std::vector<std::string_view> NamesOf(ProtocolMode /*of*/) {
  return {kModeNames.begin(), kModeNames.end()};
}
std::vector<std::string_view> NamesOf(SessionLength /*of*/) {
  return {kSessionLengthNames.begin(), kSessionLengthNames.end()};
}
std::vector<std::string_view> NamesOf(ArrivalSpec::Spacing /*of*/) {
  return {kSpacingNames.begin(), kSpacingNames.end()};
}

template <typename T>
concept Enumeration = std::is_enum_v<T>;
template <typename T>
concept Plain = std::is_arithmetic_v<T> || std::same_as<T, std::string>;

class Writer {
 public:
  explicit Writer(Object& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, const T& value) const {
    object_.set(name, ToVar(value));
  }

 private:
  using Var = Poco::Dynamic::Var;

  template <Plain T>
  static Var ToVar(const T& value) {
    return value;
  }
  template <Enumeration T>
  static Var ToVar(const T& value) {
    return std::string(NamesOf(value)[static_cast<size_t>(value)]);
  }
  template <typename T>
  static Var ToVar(const std::vector<T>& values) {
    Array::Ptr array = new Array;
    for (const T& value : values) array->add(ToVar(value));
    return array;
  }
  template <typename T>
  static Var ToVar(const std::optional<T>& value) {
    return value ? ToVar(*value) : Var();
  }
  static Var ToVar(const std::map<std::string, std::string>& values) {
    Object::Ptr object = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
    for (const auto& [key, value] : values) object->set(key, value);
    return object;
  }
  template <typename T>
  static Var ToVar(const T& value) requires(!Plain<T> && !Enumeration<T>) {
    Object::Ptr object = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
    Visit(value, Writer(*object));
    return object;
  }

  Object& object_;
};

template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;

// Throws Poco::Exception for what is missing or of another type. What is optional may be missing:
// versions before it did not write it.
class JsonReader {
 public:
  explicit JsonReader(const Object& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, T& value) const {
    if (kIsOptional<T> && !object_.has(name)) return;
    if (!object_.has(name)) throw Poco::DataFormatException(fmt::format("no field {}", name));
    try {
      FromVar(object_.get(name), value);
    } catch (const Poco::Exception& error) {
      throw Poco::DataFormatException(fmt::format("{}: {}", name, error.displayText()));
    }
  }

 private:
  using Var = Poco::Dynamic::Var;

  template <Plain T>
  static void FromVar(const Var& var, T& value) {
    value = var.convert<T>();
  }
  template <Enumeration T>
  static void FromVar(const Var& var, T& value) {
    const auto names = NamesOf(value);
    const auto found = std::find(names.begin(), names.end(), var.convert<std::string>());
    if (found == names.end()) throw Poco::DataFormatException("no such name");
    value = static_cast<T>(found - names.begin());
  }
  template <typename T>
  static void FromVar(const Var& var, std::vector<T>& values) {
    const Array::Ptr array = var.extract<Array::Ptr>();
    for (const Var& each : *array) FromVar(each, values.emplace_back());
  }
  template <typename T>
  static void FromVar(const Var& var, std::optional<T>& value) {
    if (!var.isEmpty()) FromVar(var, value.emplace());
  }
  static void FromVar(const Var& var, std::map<std::string, std::string>& values) {
    const Object::Ptr object = var.extract<Object::Ptr>();
    for (const auto& [key, value] : *object) values[key] = value.convert<std::string>();
  }
  template <typename T>
  static void FromVar(const Var& var, T& value) requires(!Plain<T> && !Enumeration<T>) {
    Visit(value, JsonReader(*var.extract<Object::Ptr>()));
  }

  const Object& object_;
};

}  // namespace

std::string WriteWorkloadJson(const Workload& workload) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  Visit(workload, Writer(object));
  std::ostringstream text;
  Poco::JSON::Stringifier::stringify(object, text);
  return text.str();
}

Result<Workload> ReadWorkloadJson(const std::string& text) {
  try {
    Workload workload;
    Poco::JSON::Parser parser;
    Visit(workload, JsonReader(*parser.parse(text).extract<Object::Ptr>()));
    return workload;
  } catch (const Poco::Exception& error) {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("not a resolved workload: {}", error.displayText()));
  }
}

}  // namespace connbench::load
