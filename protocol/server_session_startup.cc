// ServerSession from the first byte to the first ReadyForQuery.
#include <utility>

#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {

void ServerSession::Impl::HandleStartupPacket(std::string_view bytes) {
  Result<StartupPacket> packet = ReadStartupPacket(bytes, ssl_seen_, gss_seen_);
  if (!packet.ok()) {
    Refuse(packet.status());
    return;
  }
  switch (packet->kind) {
    case StartupKind::kSslRequest:
      ssl_seen_ = true;
      if (TlsOffered()) {
        state_ = State::kTlsRequested;
      } else {
        out_->push_back(kEncryptionRefused);
      }
      break;
    case StartupKind::kGssEncRequest:
      gss_seen_ = true;
      out_->push_back(kEncryptionRefused);
      break;
    case StartupKind::kCancelRequest:
      engine_.Cancel(packet->cancel_connection_id, packet->cancel_key);
      Close();  // without a word, so that nobody can probe for keys
      break;
    case StartupKind::kSession:
      BeginAuthentication(std::move(*packet));
      break;
  }
}

void ServerSession::Impl::Refuse(const Status& status) {
  engine_.connection_log().SetOutcome(connection_id_, status.code());
  CloseWith(status);
}

void ServerSession::Impl::StartSession(bool superuser) {
  const std::unique_ptr<Login> login = std::move(login_);
  engine::SessionOptions options;
  options.connection_id = connection_id_;
  options.superuser = superuser;
  options.user = std::move(login->packet.user);
  options.database = std::move(login->packet.database);
  options.client_address = std::move(login->origin.name);
  options.parameters = std::move(login->packet.settings);
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
  AppendBackendKeyData(*out_, connection_id_, session_->cancel_key());
  SendReadyForQuery();
  engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kReady, MonotonicNow());
}

}  // namespace connbench::protocol
