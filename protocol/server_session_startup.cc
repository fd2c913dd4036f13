// ServerSession from the first byte to the first ReadyForQuery.
#include <utility>

#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {
namespace {

constexpr char kNotSupported = 'N';  // the one-byte answer to SSLRequest and GSSENCRequest
constexpr std::string_view kSuperuser = "postgres";

}  // namespace

void ServerSession::Impl::HandleStartupPacket(std::string_view bytes) {
  Result<StartupPacket> packet = ReadStartupPacket(bytes, ssl_seen_, gss_seen_);
  if (!packet.ok()) {
    Refuse(packet.status());
    return;
  }
  switch (packet->kind) {
    case StartupKind::kSslRequest:
      ssl_seen_ = true;
      out_.push_back(kNotSupported);
      break;
    case StartupKind::kGssEncRequest:
      gss_seen_ = true;
      out_.push_back(kNotSupported);
      break;
    case StartupKind::kCancelRequest:
      engine_.Cancel(packet->cancel_connection_id, packet->cancel_key);
      Close();  // without a word, so that nobody can probe for keys
      break;
    case StartupKind::kSession:
      StartSession(std::move(*packet));
      break;
  }
}

void ServerSession::Impl::Refuse(const Status& status) {
  engine_.connection_log().SetOutcome(connection_id_, status.code());
  CloseWith(status);
}

void ServerSession::Impl::StartSession(StartupPacket packet) {
  engine::ConnectionLog& log = engine_.connection_log();
  log.Stamp(connection_id_, engine::ConnectionPhase::kAuthBegin, MonotonicNow());
  if (packet.needs_negotiation()) {
    const std::vector<std::string_view> unknown(packet.unknown_protocol_options.begin(),
                                                packet.unknown_protocol_options.end());
    AppendNegotiateProtocolVersion(out_, kProtocolVersion3, unknown);
  }
  // Authentication is "trust": whoever could connect is who they say they are.
  AppendAuthenticationOk(out_);
  log.Stamp(connection_id_, engine::ConnectionPhase::kAuthEnd, MonotonicNow());

  engine::SessionOptions options;
  options.connection_id = connection_id_;
  options.superuser = packet.user == kSuperuser;
  options.user = std::move(packet.user);
  options.database = std::move(packet.database);
  options.client_address = std::move(peer_);
  options.parameters = std::move(packet.settings);
  Result<std::unique_ptr<engine::Session>> session =
      engine_.StartSession(std::move(options), *waiter_);
  if (!session.ok()) {
    Refuse(session.status());
    return;
  }
  session_ = std::move(*session);
  relay_ = dynamic_cast<RelayedSession*>(session_.get());
  state_ = State::kMessages;
  session_->ReportParameters(sink_);
  AppendBackendKeyData(out_, connection_id_, session_->cancel_key());
  SendReadyForQuery();
  log.Stamp(connection_id_, engine::ConnectionPhase::kReady, MonotonicNow());
}

}  // namespace connbench::protocol
