// ServerSession from the first byte to the first ReadyForQuery.
#include <utility>

#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {
namespace {

constexpr std::string_view kAuthorizationClass = "28";  // of SQLSTATEs

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
      look_at_ = MonotonicNow() + kSilentPatienceNs;
      state_ = State::kTlsRequested;
      break;
    case StartupKind::kGssEncRequest:
      gss_seen_ = true;
      look_at_ = MonotonicNow() + kSilentPatienceNs;
      state_ = State::kGssRequested;
      break;
    case StartupKind::kCancelRequest:
      if (relays_ != nullptr) {
        relays_->CancelRelay(packet->cancel_connection_id, packet->cancel_key);
      } else {
        engine_.Cancel(packet->cancel_connection_id, packet->cancel_key);
      }
      Close();  // without a word, so that nobody can probe for keys
      break;
    case StartupKind::kSession:
      look_at_ = created_at_ + kLoginPatienceNs;
      BeginAuthentication(std::move(*packet));
      break;
  }
}

void ServerSession::Impl::Refuse(const Status& status) {
  engine_.connection_log().SetOutcome(connection_id_, status.code());
  if (status.code().starts_with(kAuthorizationClass)) LogFailedLogin(status);
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
  const Status started = relays_ != nullptr
                             ? Keep(relays_->StartRelay(std::move(options)), relay_)
                             : Keep(engine_.StartSession(std::move(options), *waiter_), session_);
  if (!started.ok()) {
    Refuse(started);
    return;
  }
  if (!login->packet.options_error.ok()) {
    Refuse(login->packet.options_error);
    return;
  }
  state_ = State::kMessages;
  standing_->ReportParameters(sink_);
  AppendBackendKeyData(*out_, connection_id_, standing_->cancel_key());
  if (serves_pooler()) reported_state_ = session_->client_state_version();
  AppendReadyForQuery(*out_, standing_->transaction_status());
  engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kReady, MonotonicNow());
}

}  // namespace connbench::protocol
