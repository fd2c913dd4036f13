// ServerSession from the startup packet to AuthenticationOk: which rule fits, and the proof that
// its method asks for.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {

[[gnu::hot]] void ServerSession::Impl::BeginAuthentication(StartupPacket packet) {
  if (encryption_ == nullptr) StampAuthBegin();
  if (packet.needs_negotiation()) {
    const std::vector<std::string_view> unknown(packet.unknown_protocol_options.begin(),
                                                packet.unknown_protocol_options.end());
    AppendNegotiateProtocolVersion(*out_, kProtocolVersion3, unknown);
  }
  if (packet.user.empty()) {
    Refuse(Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                         "no PostgreSQL user name specified in startup packet"));
    return;
  }
  Login& login = *login_;
  login.packet = std::move(packet);
  if (login.origin.security != nullptr) {
    const HbaRule* rule = login.origin.security->rules().Find({.address = login.origin.address,
                                                               .encrypted = encryption_ != nullptr,
                                                               .database = login.packet.database,
                                                               .user = login.packet.user});
    if (rule == nullptr || rule->method == AuthMethod::kReject) {
      RefuseByRules(rule != nullptr);
      return;
    }
    login.method = rule->method;
  }
  // "trust" believes any name, and has to look only once there is more than one user.
  const bool looks = login.method != AuthMethod::kTrust || engine_.roles_changed();
  if (looks) {
    Result<std::optional<engine::Role>> role =
        engine_.FindRole(login.packet.user, connection_id_, *waiter_);
    if (!role.ok()) {
      Refuse(role.status());
      return;
    }
    login.role = std::move(*role);
  }
  switch (login.method) {
    case AuthMethod::kPassword:
      AppendAuthenticationCleartextPassword(*out_);
      state_ = State::kAuthenticating;
      break;
    case AuthMethod::kScram:
      BeginScram();
      state_ = State::kAuthenticating;
      break;
    default:
      Authenticated();
  }
}

void ServerSession::Impl::RefuseByRules(bool rejected) {
  const Login& login = *login_;
  const std::string where = fmt::format(
      "host \"{}\", user \"{}\", database \"{}\", {}",
      login.origin.address ? login.origin.address->ToString() : "[local]", login.packet.user,
      login.packet.database, encryption_ != nullptr ? "SSL encryption" : "no encryption");
  Refuse(Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                       rejected ? "pg_hba.conf rejects connection for " + where
                                : "no pg_hba.conf entry for " + where));
}

void ServerSession::Impl::RefusePassword() {
  refusal_ = std::make_unique<Status>(Status::Fatal(
      sqlstate::kInvalidPassword,
      fmt::format("password authentication failed for user \"{}\"", login_->packet.user)));
  const ServerSecurity* security = login_->origin.security;
  const int64_t delay_ms = security == nullptr ? 0 : security->auth_delay_ms();
  if (delay_ms == 0) {
    Refuse(*refusal_);
    return;
  }
  // Now, since who guesses may not wait for the answer.
  engine_.connection_log().SetOutcome(connection_id_, refusal_->code());
  LogFailedLogin(*refusal_);
  // The model waits, as for any deadline, and serves others meanwhile.
  state_ = State::kRefusedLater;
  look_at_ = MonotonicNow() + delay_ms * kNanosecondsPerMillisecond;
}

void ServerSession::Impl::LogFailedLogin(const Status& reason) {
  if (login_ == nullptr || login_->origin.log == nullptr) return;
  const ClientOrigin& origin = login_->origin;
  const engine::Admission::Failure failure =
      engine_.connection_log().admission().CountFailure(MonotonicNow());
  if (!failure.logged) return;
  std::string line =
      fmt::format("login failed: {} (client {})", reason.error().message, origin.name);
  if (failure.left_out > 0) {
    line += fmt::format("; {} failed logins before it were not logged", failure.left_out);
  }
  origin.log(line);
}

void ServerSession::Impl::BeginScram() {
  const Login& login = *login_;
  std::optional<engine::ScramSecret> secret;
  if (login.role && login.role->password) {
    secret = engine::ParseScramSecret(*login.role->password);
  }
  const ServerSecurity& security = *login.origin.security;
  std::string end_point;
  if (encryption_ != nullptr) end_point = security.tls()->end_point();
  std::vector<std::string_view> mechanisms = {kScramMechanism};
  if (!end_point.empty()) mechanisms.insert(mechanisms.begin(), kScramPlusMechanism);
  AppendAuthenticationSasl(*out_, mechanisms);
  login_->scram = std::make_unique<ScramServer>(
      std::move(secret),
      MockScramSecret(login.packet.user, engine_.mock_authentication_nonce(),
                      static_cast<int>(engine_.config().scram_iterations)),
      std::move(end_point), MakeScramNonce());
}

size_t ServerSession::Impl::MaxAuthenticationBytes() const {
  return login_->method == AuthMethod::kPassword ? kMaxPasswordBytes : kMaxSaslMessageBytes;
}

void ServerSession::Impl::HandleAuthentication(std::string_view body) {
  if (login_->method == AuthMethod::kPassword) {
    HandlePassword(body);
  } else {
    HandleSasl(body);
  }
}

void ServerSession::Impl::HandlePassword(std::string_view body) {
  MessageReader reader(body);
  const std::string_view password = reader.String();
  if (!reader.Finished()) {
    Refuse(Status::Fatal(sqlstate::kProtocolViolation, "invalid password packet size"));
    return;
  }
  if (password.empty()) {
    Refuse(Status::Fatal(sqlstate::kInvalidPassword, "empty password returned by client"));
    return;
  }
  const Login& login = *login_;
  const bool has_password = login.role && login.role->password;
  // For somebody without a password the same work is done, in vain.
  const std::string stored = has_password
                                 ? *login.role->password
                                 : engine::FormatScramSecret(MockScramSecret(
                                       login.packet.user, engine_.mock_authentication_nonce(),
                                       static_cast<int>(engine_.config().scram_iterations)));
  const bool matches = engine::PasswordMatches(login.packet.user, password, stored);
  if (!matches || !has_password) {
    RefusePassword();
    return;
  }
  Authenticated();
}

void ServerSession::Impl::HandleSasl(std::string_view body) {
  ScramServer& scram = *login_->scram;
  if (!login_->scram_begun) {
    login_->scram_begun = true;
    MessageReader reader(body);
    const std::string_view mechanism = reader.String();
    const int32_t length = reader.Int32();
    const std::string_view client_first = reader.Bytes(length);
    if (!reader.Finished()) {
      Refuse(Status::Fatal(sqlstate::kProtocolViolation, "malformed SASLInitialResponse message"));
      return;
    }
    const Result<std::string> server_first = scram.Begin(mechanism, client_first);
    if (!server_first.ok()) {
      Refuse(server_first.status());
      return;
    }
    AppendAuthenticationSaslData(*out_, kAuthenticationSaslContinue, *server_first);
    return;
  }
  const Result<std::string> server_final = scram.Finish(body);
  if (!server_final.ok()) {
    Refuse(server_final.status());
    return;
  }
  if (!scram.authenticated()) {
    RefusePassword();
    return;
  }
  AppendAuthenticationSaslData(*out_, kAuthenticationSaslFinal, *server_final);
  Authenticated();
}

[[gnu::hot]] void ServerSession::Impl::Authenticated() {
  AppendAuthenticationOk(*out_);
  engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kAuthEnd, MonotonicNow());
  const Login& login = *login_;
  if (login.role && !login.role->can_login) {
    Refuse(Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                         fmt::format("role \"{}\" is not permitted to log in", login.packet.user)));
    return;
  }
  const bool superuser = login.role                ? login.role->superuser
                         : engine_.roles_changed() ? false
                                                   : login.packet.user == engine::kSuperuserName;
  StartSession(superuser);
}

}  // namespace connbench::protocol
