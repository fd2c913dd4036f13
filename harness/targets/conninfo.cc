// libpq's connection strings and URIs, read by libpq itself.
#include "harness/targets/conninfo.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "base/near_names.h"
#include "base/number.h"

namespace connbench::targets {
namespace {

constexpr char kLibrary[] = "libpq.so.5";

// Those of libpq's that say where to go and as whom; the others (target_session_attrs, ...) would
// be passed over in silence, so they are refused.
constexpr std::string_view kKnownKeywords[] = {"host",    "hostaddr",    "port",
                                               "user",    "dbname",      "application_name",
                                               "sslmode", "sslrootcert", "channel_binding"};

struct Libpq {
  decltype(&PQconninfoParse) parse = nullptr;
  decltype(&PQconninfoFree) free_options = nullptr;
  decltype(&PQfreemem) free_memory = nullptr;
};

Result<Libpq> LoadLibpq() {
  // Stays loaded: its libraries do not expect to be taken away again.
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  Libpq libpq;
  if (library != nullptr) {
    libpq.parse = reinterpret_cast<decltype(libpq.parse)>(::dlsym(library, "PQconninfoParse"));
    libpq.free_options =
        reinterpret_cast<decltype(libpq.free_options)>(::dlsym(library, "PQconninfoFree"));
    libpq.free_memory =
        reinterpret_cast<decltype(libpq.free_memory)>(::dlsym(library, "PQfreemem"));
  }
  if (libpq.parse != nullptr && libpq.free_options != nullptr && libpq.free_memory != nullptr) {
    return libpq;
  }
  const char* const error = ::dlerror();
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("dsn: cannot load {}", kLibrary))
      .WithDetail(error == nullptr ? "" : error)
      .WithHint("Install the Debian package libpq5.");
}

Status ReadOption(std::string_view keyword, const std::string& value, load::Endpoint& endpoint) {
  if (std::find(std::begin(kKnownKeywords), std::end(kKnownKeywords), keyword) ==
      std::end(kKnownKeywords)) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("dsn: {} cannot be given here", keyword))
        .WithHint(keyword == "password" ? "Set PGPASSWORD."
                                        : SuggestNames(keyword, kKnownKeywords));
  }
  if (keyword == "port") {
    const auto port = ParseWholeNumber(value, 1, load::kMaxPort);
    if (!port.ok()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("dsn: port: {}", port.status().error().message));
    }
    endpoint.port = static_cast<int>(*port);
    return Status::Ok();
  }
  std::string& member = keyword == "user"               ? endpoint.user
                        : keyword == "dbname"           ? endpoint.database
                        : keyword == "application_name" ? endpoint.application_name
                        : keyword == "sslmode"          ? endpoint.sslmode
                        : keyword == "sslrootcert"      ? endpoint.sslrootcert
                        : keyword == "channel_binding"  ? endpoint.channel_binding
                                                        : endpoint.host;
  member = value;
  return Status::Ok();
}

}  // namespace

Result<load::Endpoint> ParseConninfo(const std::string& conninfo) {
  CONNBENCH_ASSIGN_OR_RETURN(const Libpq libpq, LoadLibpq());
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(libpq.free_options)> options(
      libpq.parse(conninfo.c_str(), &message), libpq.free_options);
  if (options == nullptr) {
    std::string text = message == nullptr ? "out of memory" : message;
    libpq.free_memory(message);
    text.erase(text.find_last_not_of(" \n") + 1);
    return Status::Error(sqlstate::kInvalidParameterValue, "dsn: " + text)
        .WithHint(
            "Write dsn:host=db1 port=5432 user=app dbname=shop, or dsn:postgresql://app@db1/shop.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(load::Endpoint endpoint, load::Endpoint::FromEnvironment());
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    CONNBENCH_RETURN_IF_ERROR(ReadOption(option->keyword, option->val, endpoint));
  }
  CONNBENCH_RETURN_IF_ERROR(load::SecurityOf(endpoint).status());
  return endpoint;
}

}  // namespace connbench::targets
