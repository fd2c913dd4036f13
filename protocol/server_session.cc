// The server's side of one PostgreSQL connection (protocol 3.0) without any I/O.
#include "protocol/server_session.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "engine/segment/shmem_size.h"
#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/pool_messages.h"
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

std::optional<size_t> MaxBytesFromPooler(char type) {
  if (type == pool::kClient) return kMaxBufferedMessageBytes + pool::kMaxAddedBytes;
  const std::optional<size_t> bytes = MaxBodyBytes(type);
  return bytes ? std::optional<size_t>(*bytes + pool::kMaxAddedBytes) : bytes;
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
                             uint32_t connection_id, ClientOrigin origin, RelayHost* relays,
                             Counterpart counterpart)
    : impl_(std::make_unique<Impl>(engine, waiter, channel, connection_id, std::move(origin),
                                   relays, counterpart, output_)) {}
ServerSession::~ServerSession() = default;

[[gnu::hot]] Want ServerSession::Receive(std::string_view bytes) {
  try {
    return impl_->Sealed(impl_->Receive(bytes));
  } catch (const std::bad_alloc&) {
    return impl_->CloseWithoutMemory();
  }
}
[[gnu::hot]] MonotonicNs ServerSession::InputDeadline() const { return impl_->InputDeadline(); }
Want ServerSession::InputDeadlinePassed() {
  try {
    return impl_->Sealed(impl_->InputDeadlinePassed());
  } catch (const std::bad_alloc&) {
    return impl_->CloseWithoutMemory();
  }
}
Want ServerSession::CheckTermination() {
  try {
    return impl_->Sealed(impl_->CheckTermination());
  } catch (const std::bad_alloc&) {
    return impl_->CloseWithoutMemory();
  }
}
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
                          uint32_t connection_id, ClientOrigin origin, RelayHost* relays,
                          Counterpart counterpart, std::string& wire)
    : engine_(engine),
      waiter_(&waiter),
      channel_(channel),
      wire_(wire),
      out_(&wire),
      sink_(wire, channel),
      relays_(relays),
      connection_id_(connection_id),
      counterpart_(counterpart),
      login_(std::make_unique<Login>(Login{.origin = std::move(origin)})),
      created_at_(MonotonicNow()),
      authentication_deadline_(After(created_at_, engine.config().authentication_timeout_ms)),
      look_at_(created_at_ + kSilentPatienceNs) {}

[[gnu::hot]] Want ServerSession::Impl::Receive(std::string_view bytes) {
  if (CheckTermination() == Want::kClose) return Want::kClose;
  if (state_ == State::kRefusedLater) return Want::kInput;  // whatever it says now
  if (encryption_ != nullptr) return ReceiveEncrypted(bytes);
  const Want want = ReceivePlain(bytes);
  return encryption_requested() ? AnswerEncryptionRequest() : want;
}

[[gnu::hot]] Want ServerSession::Impl::ReceivePlain(std::string_view bytes) {
  if (dropped_left_ > 0) {
    const size_t passed = std::min(dropped_left_, bytes.size());
    dropped_left_ -= passed;
    bytes.remove_prefix(passed);
    if (dropped_left_ == 0) FailWithoutMemory(dropped_type_);
  }
  // First complete the one message of which a part is kept, copying no more than it lacks.
  while (!pending_.empty() && !bytes.empty() && state_ != State::kClosed) {
    const size_t taken = std::min(PendingNeeds(), bytes.size());
    Keep(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    std::string_view input(pending_);
    if (Advance(input)) EmptyBuffer(pending_);
  }
  // Then run the rest where it lies.
  while (state_ != State::kClosed && Advance(bytes)) {
  }
  if (relay_ != nullptr && state_ != State::kClosed) FinishRelay();
  if (state_ == State::kClosed) return Want::kClose;
  if (!bytes.empty()) Keep(bytes);
  return state_ == State::kClosed ? Want::kClose : Want::kInput;
}

[[gnu::hot]] void ServerSession::Impl::Keep(std::string_view bytes) {
  try {
    pending_.append(bytes);
  } catch (const std::bad_alloc&) {
    DropMessage(bytes);
  }
}

void ServerSession::Impl::DropMessage(std::string_view bytes) {
  if (session_ == nullptr || relay_ != nullptr || pending_.size() + bytes.size() < kHeaderBytes) {
    CloseWithoutMemory();
    return;
  }
  // A header is too short to need memory of its own, so it is there.
  char header[kHeaderBytes];
  const size_t kept = std::min(pending_.size(), sizeof(header));
  std::memcpy(header, pending_.data(), kept);
  std::memcpy(header + kept, bytes.data(), sizeof(header) - kept);
  const size_t length = 1 + size_t{LoadUint32(header + 1)};
  dropped_type_ = header[0];
  dropped_left_ = length - pending_.size() - bytes.size();
  std::string().swap(pending_);
  if (dropped_left_ == 0) FailWithoutMemory(dropped_type_);
}

void ServerSession::Impl::FailWithoutMemory(char type) {
  if (relay_ != nullptr) {
    CloseWithoutMemory();
    return;
  }
  // An earlier message of its batch has failed, and this one would have been passed over.
  if (state_ == State::kSkipUntilSync && type != frontend::kSync) return;
  try {
    session_->FailTransaction();
    const Status status = Status::Error(sqlstate::kOutOfMemory, "out of memory");
    if (in_copy()) {
      EndCopy(status);
    } else if (type == frontend::kQuery || type == frontend::kFunctionCall ||
               type == frontend::kSync) {
      if (type == frontend::kSync) batch_open_ = false;
      FinishSimple(status);
    } else {
      batch_open_ = true;
      state_ = State::kSkipUntilSync;
      ReportError(status);
    }
  } catch (const std::bad_alloc&) {
    CloseWithoutMemory();
  }
}

Want ServerSession::Impl::CloseWithoutMemory() {
  state_ = State::kClosed;
  engine_.connection_log().SetOutcome(connection_id_, sqlstate::kOutOfMemory);
  try {
    const Status status = Status::Fatal(sqlstate::kOutOfMemory, "out of memory");
    // What goes over an encrypted connection cannot be said any more in the middle of a record.
    if (encryption_ == nullptr) AppendErrorResponse(wire_, "FATAL", status.error());
  } catch (const std::bad_alloc&) {
    // Then without a word.
  }
  return Want::kClose;
}

bool ServerSession::Impl::Advance(std::string_view& input) {
  if (input.empty() || state_ == State::kClosed || encryption_requested() ||
      state_ == State::kRefusedLater) {
    return false;
  }
  return state_ == State::kStartup ? AdvanceStartup(input) : AdvanceMessage(input);
}

bool ServerSession::Impl::AdvanceStartup(std::string_view& input) {
  if (input[0] == kTlsHandshakeRecord) {  // TLS without asking first: there is no answer to that
    Close();
    return true;
  }
  if (input.size() < kLengthBytes) return false;
  const size_t length = LoadUint32(input.data());
  if (length < kLengthBytes || length - kLengthBytes > kMaxStartupPacketBytes) {
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
  const std::optional<size_t> max_body_bytes = state_ == State::kAuthenticating
                                                   ? MaxAuthenticationBytes()
                                               : serves_pooler() ? MaxBytesFromPooler(type)
                                                                 : MaxBodyBytes(type);
  if (!max_body_bytes) {
    BreakOff(Status::Fatal(
        sqlstate::kProtocolViolation,
        "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type))));
    return true;
  }
  if (type == frontend::kCopyData) {
    if (input.size() < kHeaderBytes) return false;
    const size_t length = LoadUint32(input.data() + 1);
    if (length >= kLengthBytes && length - kLengthBytes <= *max_body_bytes) {
      copy_data_left_ = static_cast<uint32_t>(length - kLengthBytes);
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
      BreakOff(Status::Fatal(sqlstate::kProtocolViolation, "invalid message length"));
      return true;
  }
  return false;
}

void ServerSession::Impl::AfterRelay(const Status& status) {
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

void ServerSession::Impl::BreakOff(const Status& status) {
  if (relay_ != nullptr) FinishRelay();
  if (state_ != State::kClosed) CloseWith(status);
}

[[gnu::hot]] MonotonicNs ServerSession::Impl::InputDeadline() const {
  if (standing_ == nullptr) return std::min(authentication_deadline_, look_at_);
  // Like PostgreSQL, only a client of which nothing but a new command is expected is idle.
  if (state_ != State::kMessages || batch_open_) return kNoDeadline;
  if (!idle_deadline_known_) {
    // Between two clients of a pooler there is none that could be idle.
    idle_deadline_ =
        serves_pooler() && session_->transaction_status() == engine::TransactionStatus::kIdle
            ? kNoDeadline
            : standing_->IdleDeadline(MonotonicNow());
    idle_deadline_known_ = true;
  }
  return idle_deadline_;
}

Want ServerSession::Impl::InputDeadlinePassed() {
  if (state_ == State::kClosed) return Want::kClose;
  const MonotonicNs now = MonotonicNow();
  if (now < InputDeadline()) return Want::kInput;
  if (state_ == State::kRefusedLater) {
    CloseWith(*refusal_);
  } else if (standing_ == nullptr && now >= authentication_deadline_) {
    Refuse(Status::Fatal(sqlstate::kQueryCanceled, "canceling authentication due to timeout"));
  } else if (standing_ == nullptr) {
    look_at_ = now + kSilentPatienceNs;
    if (!engine_.connection_log().admission().RoomWanted(now)) return Want::kInput;
    Refuse(Status::Fatal(sqlstate::kTooManyConnections,
                         "others wait for the place of this connection, which has not "
                         "authenticated"));
  } else {
    CloseWith(standing_->IdleTimeoutError());
  }
  return Want::kClose;
}

[[gnu::hot]] Want ServerSession::Impl::CheckTermination() {
  if (state_ == State::kClosed) return Want::kClose;
  if (standing_ == nullptr) {
    if (!engine_.ShutdownRequested()) return Want::kInput;
    Refuse(ShutdownError());
    return Want::kClose;
  }
  const Status status = standing_->TerminationRequested();
  if (!status.ok()) {
    CloseWith(status);
  } else if (relay_ != nullptr) {
    FinishRelay();
  }
  return state_ == State::kClosed ? Want::kClose : Want::kInput;
}

void ServerSession::Impl::SetWaiter(engine::Waiter& waiter) {
  waiter_ = &waiter;
  if (standing_ != nullptr) standing_->SetWaiter(waiter);
}

[[gnu::hot]] void ServerSession::Impl::PrefetchSession() const {
  if (session_ != nullptr) PrefetchRange(session_, kSessionHeadBytes);
}

engine::TransactionStatus ServerSession::Impl::transaction_status() const {
  return standing_ == nullptr ? engine::TransactionStatus::kIdle : standing_->transaction_status();
}

bool ServerSession::Impl::mid_message() const {
  return !pending_.empty() || dropped_left_ > 0 || copy_data_left_ > 0 || batch_open_ || in_copy();
}

}  // namespace connbench::protocol
