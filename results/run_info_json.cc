// run.json through Poco: formatting and parsing of RunInfo.
#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <sstream>

#include "results/reader.h"
#include "results/writer.h"

namespace connbench::results {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

template <typename T>
Poco::Dynamic::Var ToVar(const T& value) {
  return value;
}
Poco::Dynamic::Var ToVar(const TextList& list) {
  Array::Ptr array = new Array;
  for (const std::string& text : list) array->add(text);
  return array;
}
Poco::Dynamic::Var ToVar(const TextMap& map) {
  Object::Ptr object = new Object(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [name, text] : map) object->set(name, text);
  return object;
}

template <typename T>
void FromVar(const Poco::Dynamic::Var& var, T& value) {
  value = var.convert<T>();
}
void FromVar(const Poco::Dynamic::Var& var, TextList& list) {
  for (const Poco::Dynamic::Var& item : *var.extract<Array::Ptr>()) {
    list.push_back(item.convert<std::string>());
  }
}
void FromVar(const Poco::Dynamic::Var& var, TextMap& map) {
  const Object::Ptr& object = var.extract<Object::Ptr>();
  for (const std::string& name : object->getNames()) {
    map.emplace_back(name, object->get(name).convert<std::string>());
  }
}

std::string Print(const Text& value) { return value; }
std::string Print(Integer value) { return std::to_string(value); }
std::string Print(Real value) { return fmt::format("{}", value); }
std::string Print(Boolean value) { return value ? "true" : "false"; }
std::string Print(const TextList& list) { return fmt::format("{}", fmt::join(list, " ")); }
std::string Print(const TextMap& map) {
  std::string text;
  for (const auto& [name, value] : map) {
    if (!text.empty()) text += ' ';
    text += name;
    text += '=';
    text += value;
  }
  return text;
}

Status BadInfo(const std::string& file_name, const std::string& what) {
  return Status::Error(sqlstate::kBadCopyFileFormat, fmt::format("{}: {}", file_name, what));
}

}  // namespace

std::string FormatRunInfo(const RunInfo& info) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
#define CONNBENCH_FIELD(type, name, help) object.set(#name, ToVar(info.name));
#include "results/run.def"
#undef CONNBENCH_FIELD
  std::ostringstream out;
  object.stringify(out, 2);
  out << '\n';
  return out.str();
}

Result<RunInfo> ParseRunInfo(const std::string& json, const std::string& file_name) {
  try {
    Poco::JSON::Parser parser(new Poco::JSON::ParseHandler(/*preserveObjectOrder=*/true));
    const Poco::Dynamic::Var parsed = parser.parse(json);
    if (parsed.type() != typeid(Object::Ptr)) {
      return BadInfo(file_name, "not a run.json: it holds no object");
    }
    const auto object = parsed.extract<Object::Ptr>();
    RunInfo info;
    FromVar(object->get("schema_version"), info.schema_version);
    if (info.schema_version < kOldestSchemaVersion || info.schema_version > kSchemaVersion) {
      return BadInfo(file_name,
                     fmt::format("schema_version is {}, this program reads versions {} to {}",
                                 info.schema_version, kOldestSchemaVersion, kSchemaVersion));
    }
#define CONNBENCH_LATER_FIELD(type, name, help)                          \
  if (object->has(#name)) {                                              \
    try {                                                                \
      info.name = {};                                                    \
      FromVar(object->get(#name), info.name);                            \
    } catch (const Poco::Exception&) {                                   \
      return BadInfo(file_name, "the field \"" #name "\" is no " #type); \
    }                                                                    \
  }
#define CONNBENCH_FIELD(type, name, help)                            \
  if (!object->has(#name)) {                                         \
    return BadInfo(file_name, "the field \"" #name "\" is missing"); \
  }                                                                  \
  CONNBENCH_LATER_FIELD(type, name, help)
#include "results/run.def"
#undef CONNBENCH_FIELD
#undef CONNBENCH_LATER_FIELD
    return info;
  } catch (const Poco::Exception& error) {
    return BadInfo(file_name, fmt::format("not a run.json: {}", error.displayText()));
  }
}

std::vector<std::pair<std::string, std::string>> Run::InfoPairs() const {
  return {
#define CONNBENCH_FIELD(type, name, help) {#name, Print(info.name)},
#include "results/run.def"
#undef CONNBENCH_FIELD
  };
}

}  // namespace connbench::results
