#include "protocol/server_session.h"

#include <algorithm>
#include <utility>

#include "engine/segment/shmem_size.h"
#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {
namespace {

constexpr char kTlsHandshakeRecord = 0x16;

// The longest body of each message a client may send; nothing for a type that does not exist.
std::optional<size_t> MaxBodyBytes(char type) {
  switch (type) {
    case frontend::kQuery:
    case frontend::kParse:
    case frontend::kBind:
    case frontend::kFunctionCall:
      return kMaxBufferedMessageBytes;
    case frontend::kCopyData:
      return kMaxCopyDataBytes;
    case frontend::kClose:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
    case frontend::kDescribe:
    case frontend::kExecute:
    case frontend::kFlush:
    case frontend::kSync:
    case frontend::kTerminate:
      return kMaxSmallMessageBytes;
    default:
      return std::nullopt;
  }
}

// Of an engine's session: where it keeps what every message needs.
constexpr size_t kSessionHeadBytes = 1024;

[[gnu::always_inline]] inline void PrefetchRange(const void* begin, size_t bytes) {
  const char* at = static_cast<const char*>(begin);
  for (const char* end = at + bytes; at < end; at += engine::kCacheLineBytes)
    __builtin_prefetch(at);
}

MonotonicNs After(MonotonicNs now, int64_t milliseconds) {
  return now + milliseconds * kNanosecondsPerMillisecond;
}

Status ShutdownError() {
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

}  // namespace

ServerSession::ServerSession(engine::Engine& engine, engine::Waiter& waiter, OutputChannel& channel,
                             uint32_t connection_id, ClientOrigin origin)
    : impl_(std::make_unique<Impl>(engine, waiter, channel, connection_id, std::move(origin),
                                   output_)) {}
ServerSession::~ServerSession() = default;

[[gnu::hot]] Want ServerSession::Receive(std::string_view bytes) {
  return impl_->Sealed(impl_->Receive(bytes));
}
[[gnu::hot]] MonotonicNs ServerSession::InputDeadline() const { return impl_->InputDeadline(); }
Want ServerSession::InputDeadlinePassed() { return impl_->Sealed(impl_->InputDeadlinePassed()); }
Want ServerSession::CheckTermination() { return impl_->Sealed(impl_->CheckTermination()); }
[[gnu::hot]] void ServerSession::ClearOutput() { EmptyBuffer(output_); }
void ServerSession::SetWaiter(engine::Waiter& waiter) { impl_->SetWaiter(waiter); }
engine::TransactionStatus ServerSession::transaction_status() const {
  return impl_->transaction_status();
}
bool ServerSession::termination_pending() const { return impl_->termination_pending(); }
bool ServerSession::authenticated() const { return impl_->authenticated(); }
bool ServerSession::mid_message() const { return impl_->mid_message(); }
[[gnu::hot]] void ServerSession::Prefetch(int turns) const {
  if (turns > 1) {
    PrefetchRange(impl_.get(), sizeof(Impl));
  } else {
    __builtin_prefetch(output_.data());
    impl_->PrefetchSession();
  }
}
size_t ServerSession::retained_bytes() const {
  return sizeof(Impl) + output_.capacity() + impl_->retained_bytes();
}

ServerSession::Impl::Impl(engine::Engine& engine, engine::Waiter& waiter, OutputChannel& channel,
                          uint32_t connection_id, ClientOrigin origin, std::string& wire)
    : engine_(engine),
      waiter_(&waiter),
      channel_(channel),
      wire_(wire),
      out_(&wire),
      sink_(wire, channel),
      connection_id_(connection_id),
      login_(std::make_unique<Login>(Login{.origin = std::move(origin)})),
      authentication_deadline_(After(MonotonicNow(), engine.config().authentication_timeout_ms)) {}

[[gnu::hot]] Want ServerSession::Impl::Receive(std::string_view bytes) {
  if (CheckTermination() == Want::kClose) return Want::kClose;
  if (encryption_ != nullptr) return ReceiveEncrypted(bytes);
  const Want want = ReceivePlain(bytes);
  return state_ == State::kTlsRequested ? AcceptTls() : want;
}

[[gnu::hot]] Want ServerSession::Impl::ReceivePlain(std::string_view bytes) {
  // First complete the one message of which a part is kept, copying no more than it lacks.
  while (!pending_.empty() && !bytes.empty() && state_ != State::kClosed) {
    const size_t taken = std::min(PendingNeeds(), bytes.size());
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    std::string_view input(pending_);
    if (Advance(input)) EmptyBuffer(pending_);
  }
  // Then run the rest where it lies.
  while (state_ != State::kClosed && Advance(bytes)) {
  }
  if (relay_ != nullptr && state_ != State::kClosed) FinishRelay();
  if (state_ == State::kClosed) return Want::kClose;
  pending_.append(bytes);
  return Want::kInput;
}

bool ServerSession::Impl::Advance(std::string_view& input) {
  if (input.empty() || state_ == State::kClosed || state_ == State::kTlsRequested) return false;
  return state_ == State::kStartup ? AdvanceStartup(input) : AdvanceMessage(input);
}

bool ServerSession::Impl::AdvanceStartup(std::string_view& input) {
  if (input[0] == kTlsHandshakeRecord) {  // TLS without asking first: there is no answer to that
    Close();
    return true;
  }
  if (input.size() < kLengthBytes) return false;
  const size_t length = LoadUint32(input.data());
  if (length < kLengthBytes || length > kMaxStartupPacketBytes) {
    Refuse(Status::Fatal(sqlstate::kProtocolViolation, "invalid length of startup packet"));
    return true;
  }
  if (input.size() < length) return false;
  const std::string_view packet = input.substr(kLengthBytes, length - kLengthBytes);
  input.remove_prefix(length);
  HandleStartupPacket(packet);
  return true;
}

[[gnu::hot]] bool ServerSession::Impl::AdvanceMessage(std::string_view& input) {
  if (copy_data_left_ > 0) {
    const std::string_view piece = input.substr(0, copy_data_left_);
    input.remove_prefix(piece.size());
    copy_data_left_ -= static_cast<uint32_t>(piece.size());
    HandleCopyInData(piece);
    return true;
  }
  const char type = input[0];
  if (state_ == State::kAuthenticating && type != frontend::kPassword) {
    Refuse(Status::Fatal(sqlstate::kProtocolViolation,
                         "expected password response, got message type " +
                             std::to_string(static_cast<unsigned char>(type))));
    return true;
  }
  const std::optional<size_t> max_body_bytes =
      state_ == State::kAuthenticating ? MaxAuthenticationBytes() : MaxBodyBytes(type);
  if (!max_body_bytes) {
    CloseWith(Status::Fatal(
        sqlstate::kProtocolViolation,
        "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type))));
    return true;
  }
  if (type == frontend::kCopyData) {
    if (input.size() < kHeaderBytes) return false;
    const size_t length = LoadUint32(input.data() + 1);
    if (length >= kLengthBytes && length - kLengthBytes <= *max_body_bytes) {
      copy_data_left_ = static_cast<uint32_t>(length - kLengthBytes);
      if (relay_ != nullptr) relay_->RelayCopyData(input.substr(0, kHeaderBytes));
      input.remove_prefix(kHeaderBytes);
      return true;
    }
  }
  Message message;
  switch (NextMessage(input, *max_body_bytes, message)) {
    case FrameResult::kIncomplete:
      return false;
    case FrameResult::kMessage:
      if (state_ == State::kAuthenticating) {
        HandleAuthentication(message.body);
      } else {
        HandleMessage(message.type, message.body);
      }
      return true;
    case FrameResult::kBadLength:
      CloseWith(Status::Fatal(sqlstate::kProtocolViolation, "invalid message length"));
      return true;
  }
  return false;
}

void ServerSession::Impl::FinishRelay() {
  const Status status = relay_->RelayFinish(sink_);
  if (!status.ok()) ReportError(status);
  if (sink_.client_gone()) Close();
}

size_t ServerSession::Impl::PendingNeeds() const {
  const size_t length_at = state_ == State::kStartup ? 0 : 1;
  const size_t header = length_at + kLengthBytes;
  if (pending_.size() < header) return header - pending_.size();
  return length_at + LoadUint32(pending_.data() + length_at) - pending_.size();
}

void ServerSession::Impl::CloseWith(const Status& status) {
  AppendErrorResponse(*out_, "FATAL", status.error());
  Close();
}

[[gnu::hot]] MonotonicNs ServerSession::Impl::InputDeadline() const {
  if (session_ == nullptr) return authentication_deadline_;
  // Like PostgreSQL, only a client of which nothing but a new command is expected is idle.
  if (state_ != State::kMessages || batch_open_) return kNoDeadline;
  if (!idle_deadline_known_) {
    idle_deadline_ = session_->IdleDeadline(MonotonicNow());
    idle_deadline_known_ = true;
  }
  return idle_deadline_;
}

Want ServerSession::Impl::InputDeadlinePassed() {
  if (state_ == State::kClosed) return Want::kClose;
  if (MonotonicNow() < InputDeadline()) return Want::kInput;
  if (session_ == nullptr) {
    Refuse(Status::Fatal(sqlstate::kQueryCanceled, "canceling authentication due to timeout"));
  } else {
    CloseWith(session_->IdleTimeoutError());
  }
  return Want::kClose;
}

[[gnu::hot]] Want ServerSession::Impl::CheckTermination() {
  if (state_ == State::kClosed) return Want::kClose;
  if (session_ == nullptr) {
    if (!engine_.ShutdownRequested()) return Want::kInput;
    Refuse(ShutdownError());
    return Want::kClose;
  }
  const Status status = session_->TerminationRequested();
  if (status.ok()) return Want::kInput;
  CloseWith(status);
  return Want::kClose;
}

void ServerSession::Impl::SetWaiter(engine::Waiter& waiter) {
  waiter_ = &waiter;
  if (session_ != nullptr) session_->SetWaiter(waiter);
}

[[gnu::hot]] void ServerSession::Impl::PrefetchSession() const {
  if (session_ != nullptr) PrefetchRange(session_.get(), kSessionHeadBytes);
}

engine::TransactionStatus ServerSession::Impl::transaction_status() const {
  return session_ == nullptr ? engine::TransactionStatus::kIdle : session_->transaction_status();
}

bool ServerSession::Impl::mid_message() const {
  return !pending_.empty() || copy_data_left_ > 0 || batch_open_ || in_copy();
}

}  // namespace connbench::protocol
