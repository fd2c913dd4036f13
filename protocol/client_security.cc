// How a client proves who it is and whether it encrypts.
#include "protocol/client_security.h"

#include <fmt/format.h>

namespace connbench::protocol {
namespace {

Status BadValue(std::string_view option, const std::string& value, std::string_view expected) {
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("invalid {} value: \"{}\"", option, value))
      .WithHint(fmt::format("It is one of {}.", expected));
}

}  // namespace

Result<std::shared_ptr<ClientSecurity>> ClientSecurity::Make(const ClientSecurityOptions& options) {
  std::shared_ptr<ClientSecurity> made(new ClientSecurity(options));
  const std::string& binding = options.channel_binding;
  if (binding == "disable") {
    made->bind_ = Bind::kNever;
  } else if (binding == "require") {
    made->bind_ = Bind::kAlways;
  } else if (binding != "prefer") {
    return BadValue("channel_binding", binding, "disable, prefer, require");
  }
  const std::string& mode = options.sslmode;
  TlsVerification verification = TlsVerification::kNone;
  if (mode == "disable") return made;
  if (mode == "prefer") {
    made->encrypt_ = Encrypt::kIfOffered;
  } else if (mode == "require" || mode == "verify-ca" || mode == "verify-full") {
    made->encrypt_ = Encrypt::kAlways;
    // As libpq: where there is a root certificate, "require" checks against it.
    if (mode == "verify-ca" || (mode == "require" && !options.sslrootcert.empty())) {
      verification = TlsVerification::kChain;
    }
    if (mode == "verify-full") verification = TlsVerification::kHost;
  } else {
    return BadValue("sslmode", mode, "disable, prefer, require, verify-ca, verify-full");
  }
  if (verification != TlsVerification::kNone && options.sslrootcert.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("sslmode {} needs a root certificate", mode))
        .WithHint("Name its file with sslrootcert or PGSSLROOTCERT.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(made->tls_, TlsContext::ForClient(verification, options.sslrootcert));
  return made;
}

}  // namespace connbench::protocol
