// What a server demands of its clients, the same for all connections.
#include "protocol/server_security.h"

#include <fmt/format.h>

#include <utility>

#include "base/read_file.h"

namespace connbench::protocol {
namespace {

Result<HbaRules> LoadRules(const std::string& path) {
  if (path.empty()) return HbaRules::TrustAll();
  Result<std::string> text = ReadNamedFile("rules file", path);
  if (!text.ok()) {
    return text.TakeStatus().WithHint("hba_file names a file in the form of pg_hba.conf.");
  }
  return HbaRules::Parse(*text, path);
}

}  // namespace

Result<std::unique_ptr<const ServerSecurity>> ServerSecurity::Load(
    const SecuritySettings& settings) {
  CONNBENCH_ASSIGN_OR_RETURN(HbaRules rules, LoadRules(settings.hba_file));
  std::unique_ptr<ServerSecurity> security(new ServerSecurity(std::move(rules)));
  security->auth_delay_ms_ = settings.auth_delay_ms;
  if (settings.ssl) {
    if (settings.ssl_cert_file.empty() || settings.ssl_key_file.empty()) {
      return Status::Error(sqlstate::kConfigFileError,
                           "ssl=on needs a certificate and its private key")
          .WithHint(
              "Name them with ssl_cert_file and ssl_key_file; \"openssl req -new -x509 -nodes "
              "-subj /CN=localhost -keyout server.key -out server.crt\" makes a pair.");
    }
    CONNBENCH_ASSIGN_OR_RETURN(
        security->tls_, TlsContext::ForServer(settings.ssl_cert_file, settings.ssl_key_file));
  } else {
    for (const HbaRule& rule : security->rules_.rules()) {
      if (rule.type != HbaRule::Type::kHostSsl) continue;
      return Status::Error(sqlstate::kConfigFileError,
                           fmt::format("{}:{}:1: hostssl record cannot match because SSL is "
                                       "disabled",
                                       settings.hba_file, rule.line))
          .WithHint("Set ssl=on.");
    }
  }
  return std::unique_ptr<const ServerSecurity>(std::move(security));
}

Status CheckListenBeyondLoopback(const HbaRules& rules, const std::string& address) {
  const std::string trusting = rules.TrustBeyondLoopback();
  if (trusting.empty()) return {};
  const std::string reason = trusting == ":0"
                                 ? "authentication is \"trust\""
                                 : fmt::format("the rule at {} is \"trust\"", trusting);
  return Status::Error(
             sqlstate::kInvalidAuthorizationSpecification,
             fmt::format("will not listen on {}: {}, so whoever reaches the port is let in",
                         address, reason))
      .WithHint(
          "Use a loopback address (-h 127.0.0.1 or -h ::1) or a Unix socket, or rules with "
          "scram-sha-256 for other machines (--set hba_file=FILE).");
}

}  // namespace connbench::protocol
