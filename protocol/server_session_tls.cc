// ServerSession on an encrypted connection: a TlsStream between the wire and the messages.
#include <algorithm>
#include <utility>

#include "protocol/codec.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {
bool ServerSession::Impl::TlsOffered() const {
  // As in PostgreSQL, a Unix socket needs no encryption.
  const ClientOrigin& origin = login_->origin;
  return encryption_ == nullptr && origin.address && origin.security != nullptr &&
         origin.security->tls() != nullptr;
}

Want ServerSession::Impl::AnswerEncryptionRequest() {
  const bool tls = state_ == State::kTlsRequested;
  const bool accepted = tls && TlsOffered();
  state_ = State::kStartup;
  if (!accepted) out_->push_back(kEncryptionRefused);
  if (!pending_.empty()) {
    // A client waits for the answer. These bytes came before encryption, maybe from somebody
    // between the client and us, and must not be taken for the client's later words.
    Refuse(Status::Fatal(sqlstate::kProtocolViolation,
                         tls ? "received unencrypted data after SSL request"
                             : "received unencrypted data after GSSAPI encryption request")
               .WithDetail("This could be either a client-software bug or evidence of an attempted "
                           "man-in-the-middle attack."));
    return Want::kClose;
  }
  if (accepted) AcceptTls();
  return Want::kInput;
}

void ServerSession::Impl::AcceptTls() {
  StampAuthBegin();
  wire_.push_back(kEncryptionAccepted);
  encryption_ = std::make_unique<Encryption>();
  encryption_->impl = this;
  encryption_->stream = TlsStream::Accept(*login_->origin.security->tls(), wire_);
  out_ = &encryption_->plain;
  sink_.Redirect(encryption_->plain, *encryption_);
}

Want ServerSession::Impl::ReceiveEncrypted(std::string_view wire) {
  TlsStream& stream = *encryption_->stream;
  stream.Feed(wire);
  const size_t said = wire_.size();
  char plain[kTlsPlainBytes];
  while (state_ != State::kClosed) {
    const Result<size_t> got = stream.Read(plain);
    if (!got.ok()) {
      // OpenSSL has put out the alert that says why; there is no way to say more.
      if (standing_ == nullptr) {
        engine_.connection_log().SetOutcome(connection_id_, got.status().code());
      }
      encryption_->plain.clear();
      Close();
    } else if (*got > 0) {
      ReceivePlain({plain, *got});
    } else {
      if (stream.ended()) Close();
      break;
    }
  }
  // OpenSSL answers nothing before it has a whole ClientHello.
  if (state_ == State::kStartup && wire_.size() > said) {
    look_at_ = std::max(look_at_, created_at_ + kLoginPatienceNs);
  }
  return state_ == State::kClosed ? Want::kClose : Want::kInput;
}

[[gnu::hot]] Want ServerSession::Impl::Sealed(Want want) {
  if (encryption_ == nullptr) return want;
  TlsStream& stream = *encryption_->stream;
  // Before the handshake is over nothing can be said.
  if (stream.established() && !encryption_->plain.empty() &&
      !stream.Write(encryption_->plain).ok()) {
    Close();
    want = Want::kClose;
  }
  EmptyBuffer(encryption_->plain);
  if (want == Want::kClose) stream.Close();
  return want;
}

Status ServerSession::Impl::FlushEncrypted(std::string& plain) {
  CONNBENCH_RETURN_IF_ERROR(encryption_->stream->Write(plain));
  plain.clear();
  return channel_.Flush(wire_);
}

Status ServerSession::Impl::FlushEncryptedDownTo(std::string& plain, size_t keep,
                                                 int64_t patience_ns) {
  CONNBENCH_RETURN_IF_ERROR(encryption_->stream->Write(plain));
  plain.clear();
  return channel_.FlushDownTo(wire_, keep, patience_ns);
}

}  // namespace connbench::protocol
