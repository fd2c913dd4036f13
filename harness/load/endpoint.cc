// Where a server is and who connects to it.
#include "harness/load/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/number.h"

namespace connbench::load {

std::string Endpoint::ToString() const {
  if (is_unix()) return fmt::format("{}/.s.PGSQL.{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<Endpoint> Endpoint::FromEnvironment() {
  Endpoint endpoint;
  const auto take = [](const char* name, std::string& value) {
    const char* given = std::getenv(name);
    if (given != nullptr && *given != '\0') value = given;
  };
  std::string port;
  take("PGHOST", endpoint.host);
  take("PGUSER", endpoint.user);
  take("PGDATABASE", endpoint.database);
  take("PGPORT", port);
  take("PGPASSWORD", endpoint.password);
  take("PGSSLMODE", endpoint.sslmode);
  take("PGSSLROOTCERT", endpoint.sslrootcert);
  take("PGCHANNELBINDING", endpoint.channel_binding);
  if (!port.empty()) {
    const auto number = ParseWholeNumber(port, 1, kMaxPort);
    if (!number.ok()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("PGPORT: {}", number.status().error().message));
    }
    endpoint.port = static_cast<int>(*number);
  }
  return endpoint;
}

Result<std::shared_ptr<protocol::ClientSecurity>> SecurityOf(const Endpoint& endpoint) {
  protocol::ClientSecurityOptions options;
  options.password = endpoint.password;
  // As libpq: nobody listens in on a Unix socket.
  options.sslmode = endpoint.is_unix() ? "disable" : endpoint.sslmode;
  options.sslrootcert = endpoint.sslrootcert;
  options.channel_binding = endpoint.channel_binding;
  options.host = endpoint.host;
  const bool nothing = options.password.empty() && options.sslmode == "disable" &&
                       options.channel_binding != "require";
  if (nothing) return std::shared_ptr<protocol::ClientSecurity>();
  return protocol::ClientSecurity::Make(options);
}

bool SocketAddress::is_loopback_v4() const {
  if (family() != AF_INET) return false;
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
  return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
}

Result<SocketAddress> ResolveEndpoint(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.port < 1 || endpoint.port > kMaxPort) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{} is no port", endpoint.port))
        .WithHint(fmt::format("Give one from 1 to {}.", kMaxPort));
  }
  if (endpoint.is_unix()) {
    auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
    local->sun_family = AF_UNIX;
    const std::string path = endpoint.ToString();
    if (path.size() >= sizeof(local->sun_path)) {
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("socket path {} is longer than {} bytes", path, sizeof(local->sun_path) - 1));
    }
    std::memcpy(local->sun_path, path.data(), path.size());
    // "@..." is the abstract namespace, whose names begin with a zero byte.
    const bool abstract = path[0] == '@';
    if (abstract) local->sun_path[0] = '\0';
    address.length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
    return address;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (error != 0 || found == nullptr) {
    return Status::Error(
               sqlstate::kConnectionException,
               fmt::format("host {} is not known: {}", endpoint.host, gai_strerror(error)))
        .WithHint("Give an address or name with -h, or a directory for its Unix socket.");
  }
  // IPv4 first: "localhost" is both, and servers listen on 127.0.0.1 at least.
  const addrinfo* chosen = found;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      chosen = entry;
      break;
    }
  }
  std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
  address.length = chosen->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

}  // namespace connbench::load
