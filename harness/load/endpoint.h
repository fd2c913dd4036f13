// Where a server is and who connects to it.
//
// Safety: a plain value. Errors: ResolveEndpoint says which host and what to try.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>

#include "base/status.h"
#include "protocol/client_security.h"

namespace connbench::load {

inline constexpr int kMaxPort = 65535;

struct Endpoint {
  std::string host = "127.0.0.1";  // an address, a name, or a directory with the Unix socket
  int port = 5432;
  std::string user = "postgres";
  std::string database;  // empty: as the user
  std::string application_name = "connbench";
  std::string password;
  std::string sslmode = "disable";  // libpq's words; there the default is "prefer"
  std::string sslrootcert;
  std::string channel_binding = "prefer";

  bool is_unix() const { return !host.empty() && (host[0] == '/' || host[0] == '@'); }
  std::string ToString() const;  // "127.0.0.1:5432", "/tmp/.s.PGSQL.5432"
  // PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSSLMODE, PGSSLROOTCERT, PGCHANNELBINDING
  // where they are set. 22023 for a port that is none.
  static Result<Endpoint> FromEnvironment();
};

// What a connection must prove and encrypt; null if nothing. 22023 for a mode that is none, F0000
// for a root certificate that cannot be read.
Result<std::shared_ptr<protocol::ClientSecurity>> SecurityOf(const Endpoint& endpoint);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  bool is_loopback_v4() const;
};

// Looks the name up once (blocking), before any connection is made.
Result<SocketAddress> ResolveEndpoint(const Endpoint& endpoint);

}  // namespace connbench::load
