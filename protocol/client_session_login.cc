// ClientSession until AuthenticationOk: encryption and the proof of who it is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/client_session.h"
#include "protocol/limits.h"

namespace connbench::protocol {
void ClientSession::Start(const StartupOptions& options) {
  options_ = options;
  const ClientSecurity* security = options.security;
  if (security != nullptr && security->encrypt() != ClientSecurity::Encrypt::kNever) {
    AppendSslRequest(output_);
    state_ = State::kAskingForTls;
    return;
  }
  SendStartup();
}

void ClientSession::SendStartup() {
  const std::array<NameValue, 3> parameters = {{{"user", options_.user},
                                                {"database", options_.database},
                                                {"application_name", options_.application_name}}};
  AppendStartup(out(), parameters);
  state_ = State::kAuthenticating;
  Seal();
}

void ClientSession::RefuseServer(std::string message, std::string hint) {
  state_ = State::kClosed;
  end_ = End::kNoAuthentication;
  error_ = {};
  error_.code = sqlstate::kInvalidAuthorizationSpecification;
  error_.message = std::move(message);
  error_.hint = std::move(hint);
}

// --- Encryption
// -----------------------------------------------------------------------------------

void ClientSession::HandleTlsAnswer(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes[0] == backend::kErrorResponse) {  // too many processes, or a server that is no server
    before_encryption_ = true;
    state_ = State::kAuthenticating;
    ReceivePlain(bytes);
    return;
  }
  if (bytes.size() > 1) {
    // The server says nothing more before we do: these bytes are somebody else's.
    return Fail("unencrypted data after its answer to SSLRequest");
  }
  if (bytes[0] == kEncryptionRefused) {
    if (options_.security->encrypt() == ClientSecurity::Encrypt::kAlways) {
      return RefuseServer("server does not support SSL, but SSL was required",
                          "Switch it on there (ssl=on), or use sslmode=prefer or disable.");
    }
    return SendStartup();
  }
  if (bytes[0] != kEncryptionAccepted) return Fail("an answer to SSLRequest that is none");
  encryption_ = std::make_unique<Encryption>();
  encryption_->stream =
      TlsStream::Connect(*options_.security->tls(), options_.security->host(), output_);
  state_ = State::kHandshaking;
}

void ClientSession::ReceiveEncrypted(std::string_view wire) {
  TlsStream& stream = *encryption_->stream;
  stream.Feed(wire);
  char plain[kTlsPlainBytes];
  while (state_ != State::kClosed) {
    const Result<size_t> got = stream.Read(plain);
    if (!got.ok()) {
      if (state_ == State::kHandshaking) {
        return RefuseServer(got.status().error().message,
                            "sslmode and PGSSLROOTCERT say what is demanded of the server.");
      }
      return Fail("broken encryption: " + got.status().error().message);
    }
    if (state_ == State::kHandshaking && stream.established()) SendStartup();
    if (*got == 0) {
      if (stream.ended()) Fail("the end of encryption in the middle of the session");
      return;
    }
    ReceivePlain({plain, *got});
  }
}

void ClientSession::Seal() {
  if (encryption_ == nullptr || encryption_->plain.empty()) return;
  if (!encryption_->stream->Write(encryption_->plain).ok()) Fail("broken encryption");
  encryption_->plain.clear();
  if (encryption_->plain.capacity() > kRetainedBufferBytes) encryption_->plain.shrink_to_fit();
}

// --- Authentication
// -------------------------------------------------------------------------------

void ClientSession::HandleAuthentication(const Message& message) {
  MessageReader reader(message.body);
  const int32_t method = reader.Int32();
  if (!reader.ok()) return Fail("a bad Authentication message");
  if (state_ != State::kAuthenticating) return Fail("Authentication after AuthenticationOk");
  const bool must_bind =
      options_.security != nullptr && options_.security->bind() == ClientSecurity::Bind::kAlways;
  switch (method) {
    case kAuthenticationOk:
      if (scram_ != nullptr && !server_proven_) {
        return Fail("AuthenticationOk before it has proved that it knows the password, too");
      }
      if (must_bind && !channel_bound_) {
        return RefuseServer(
            "channel binding required, but server authenticated client without channel binding",
            "It needs TLS and the method scram-sha-256.");
      }
      authenticated_ = true;
      state_ = State::kStarting;
      return;
    case kAuthenticationCleartextPassword:
      if (must_bind) {
        return RefuseServer(
            "channel binding required but not supported by server's "
            "authentication request",
            "It needs TLS and the method scram-sha-256.");
      }
      return AnswerPassword();
    case kAuthenticationSasl:
      return BeginScram(reader.Rest());
    case kAuthenticationSaslContinue:
    case kAuthenticationSaslFinal:
      return HandleScram(method, reader.Rest());
    default:
      return RefuseServer(fmt::format("the server asks for authentication method {}", method),
                          "This client knows trust, password and scram-sha-256: allow one in the "
                          "server's pg_hba.conf.");
  }
}

void ClientSession::AnswerPassword() {
  if (options_.security == nullptr || options_.security->password().empty()) {
    return RefuseServer("the server asks for a password, and none was given",
                        "Give one with PGPASSWORD or -W.");
  }
  AppendPassword(out(), options_.security->password());
  Seal();
}

void ClientSession::BeginScram(std::string_view list) {
  if (scram_ != nullptr) return Fail("a second AuthenticationSASL");
  bool plain = false;
  bool plus = false;
  MessageReader reader(list);
  while (true) {
    const std::string_view mechanism = reader.String();
    if (!reader.ok()) return Fail("a bad list of SASL mechanisms");
    if (mechanism.empty()) break;
    plain |= mechanism == kScramMechanism;
    plus |= mechanism == kScramPlusMechanism;
  }
  ClientSecurity* security = options_.security;
  if (security == nullptr || security->password().empty()) return AnswerPassword();
  const bool may_bind = encryption_ != nullptr && security->bind() != ClientSecurity::Bind::kNever;
  std::string end_point;
  if (may_bind && plus) end_point = encryption_->stream->PeerEndPoint();
  if (end_point.empty() && security->bind() == ClientSecurity::Bind::kAlways) {
    return RefuseServer(
        "channel binding is required, but server did not offer an authentication "
        "method that supports channel binding",
        "It needs TLS and the method scram-sha-256.");
  }
  if (end_point.empty() && !plain) {
    return RefuseServer("none of the server's SASL authentication mechanisms are supported",
                        "This client knows SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.");
  }
  channel_bound_ = !end_point.empty();
  scram_ = std::make_unique<ScramClient>(security->password(), std::move(end_point),
                                         may_bind && !plus, MakeScramNonce(), &security->keys());
  AppendSaslInitialResponse(out(), scram_->mechanism(), scram_->First());
  Seal();
}

void ClientSession::HandleScram(int32_t method, std::string_view data) {
  if (scram_ == nullptr) return Fail("a SASL message before AuthenticationSASL");
  if (method == kAuthenticationSaslFinal) {
    const Status proven = scram_->Verify(data);
    if (!proven.ok()) return RefuseServer(proven.error().message, "");
    server_proven_ = true;
    return;
  }
  Result<std::string> answer = scram_->Final(data);
  if (!answer.ok()) {
    return Fail(fmt::format("a bad SCRAM message ({})", answer.status().error().message));
  }
  AppendSaslResponse(out(), *answer);
  Seal();
}

}  // namespace connbench::protocol
