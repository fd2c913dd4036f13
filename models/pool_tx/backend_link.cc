// The pooler's end of a backend: its socket, and what is known of the session behind it.
#include "models/pool_tx/backend_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "models/connection.h"
#include "models/pool_tx/pooled_backend.h"
#include "models/pool_tx/pooler.h"
#include "protocol/messages.h"

namespace connbench::models {
namespace {

// Prepared statements that a backend keeps for the pooler's clients; PgBouncer's
// max_prepared_statements.
constexpr size_t kMaxStatements = 1000;
// Received buffers larger than this are given back when they are empty.
constexpr size_t kRetainedLinkBytes = 64 << 10;

}  // namespace

Status FatalError(std::string_view error_body) {
  protocol::ErrorFields fields;
  if (!protocol::ReadErrorFields(error_body, fields)) return {};
  if (fields.severity != "FATAL" && fields.severity != "PANIC") return {};
  return Status::Fatal(fields.code, std::string(fields.message)).WithHint(std::string(fields.hint));
}

void Assign(BackendLink::Parameters& parameters, std::string_view name, std::string_view value) {
  for (auto& [known, its_value] : parameters) {
    if (known == name) {
      its_value = value;
      return;
    }
  }
  parameters.emplace_back(name, value);
}

BackendLink::~BackendLink() { close(fd_); }

bool BackendLink::Move(EpollLoop& loop, std::string& to_send, bool& blocked) {
  bool moved = false;
  if (!to_send.empty()) {
    std::string_view rest(to_send);
    const SendResult sent = SendSome(fd_, rest);
    moved = rest.size() < to_send.size();
    to_send.erase(0, to_send.size() - rest.size());
    blocked = sent == SendResult::kWouldBlock;
    // What the backend said before it went is still there to be read.
    if (sent == SendResult::kGone) to_send.clear();
    // The answer to what was just sent takes a while: no need to ask for it at once.
    if (moved && !blocked) return false;
  }
  parks_at_receive_ = loop.counters().parks;
  char buffer[kReceiveBufferBytes];
  const ssize_t got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got > 0) {
    if (received_.empty() && received_.capacity() > kRetainedLinkBytes)
      std::string().swap(received_);
    received_.append(buffer, static_cast<size_t>(got));
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) Lost();
  return moved;
}

void BackendLink::Lost() {
  dead_ = true;
  SessionGone();
}

void BackendLink::Nudge() const {
  // Whatever comes makes the session look before it reads it; and what it does not read is skipped
  // by the backend.
  std::string sync;
  protocol::AppendSync(sync);
  std::string_view rest(sync);
  (void)SendSome(fd_, rest);
}

void BackendLink::SessionGone() {
  identity_.clear();
  SetClient(0, {}, false);
  connection_id_ = 0;
  ForgetNamedStatements();
  unnamed_ = 0;
}

Status BackendLink::Command(EpollLoop& loop, std::string bytes, char until) {
  Status result;
  bool finished = false;
  const Status exchanged = Exchange(
      loop, bytes,
      [&](const protocol::Message& message, std::string_view /*bytes*/) {
        switch (message.type) {
          case protocol::backend::kErrorResponse: {
            protocol::ErrorFields fields;
            (void)protocol::ReadErrorFields(message.body, fields);
            if (result.ok()) {
              result = Status::Fatal(fields.code, std::string(fields.message));
            }
            // Nothing but the backend's own message follows a fatal one.
            if (fields.severity == "FATAL") until = kBackendFree;
            break;
          }
          case protocol::backend::kBackendKeyData:
            (void)protocol::ReadBackendKeyData(message.body, connection_id_, cancel_key_);
            break;
          default:
            break;
        }
        finished |= message.type == until;
      },
      [&] { return finished; }, [] { return kNoDeadline; });
  if (!exchanged.ok()) return result.ok() ? exchanged : result;
  if (until == kBackendFree) SessionGone();
  return result;
}

Status BackendLink::Prepare(EpollLoop& loop, const std::string& identity) {
  if (identity_ == identity) return {};
  if (!identity_.empty()) CONNBENCH_RETURN_IF_ERROR(EndSession(loop));
  const size_t zero = identity.find('\0');
  const protocol::NameValue parameters[] = {
      {"user", std::string_view(identity).substr(0, zero)},
      {"database", std::string_view(identity).substr(zero + 1)}};
  std::string startup(pooler_.mark().text());
  protocol::AppendStartup(startup, parameters);
  fatal_ = {};
  CONNBENCH_RETURN_IF_ERROR(Command(loop, std::move(startup), protocol::backend::kReadyForQuery));
  identity_ = identity;
  return {};
}

Status BackendLink::EndSession(EpollLoop& loop) {
  std::string bytes;
  protocol::AppendTerminate(bytes);
  return Command(loop, std::move(bytes), kBackendFree);
}

void BackendLink::AddStatement(uint64_t id) {
  if (statements_.insert(id).second) statement_order_.push_back(id);
}

void BackendLink::RemoveStatement(uint64_t id) {
  if (statements_.erase(id) != 0) std::erase(statement_order_, id);
}

uint64_t BackendLink::StatementToEvict() const {
  return statements_.size() < kMaxStatements ? 0 : statement_order_.front();
}

void BackendLink::ForgetNamedStatements() {
  statements_.clear();
  statement_order_.clear();
}

LoopTask::Outcome BackendLink::Serve(EventLoop& loop, std::span<char> /*buffer*/) {
  if (exchanging_ != nullptr) {  // what came is for that one
    loop.Wake(*exchanging_);
    return Outcome::kIdle;
  }
  std::string nothing;
  bool blocked = false;
  while (!dead_ && Move(static_cast<EpollLoop&>(loop), nothing, blocked)) {
  }
  // A silent client is told of its session's end, and of the end of its COPY.
  std::string_view input(received_);
  protocol::Message message;
  bool news = false;
  bool session_ended = dead_;
  while (protocol::NextMessage(input, kMaxAnswerBytes, message) ==
         protocol::FrameResult::kMessage) {
    news = true;
    if (message.type == protocol::backend::kErrorResponse && fatal_.ok()) {
      fatal_ = FatalError(message.body);
    }
    session_ended |= message.type == kBackendFree;
  }
  if (session_ended) {
    received_.clear();
    SessionGone();
    if (fatal_.ok()) {
      fatal_ = Status::Fatal(sqlstate::kConnectionFailure, "the session's backend is gone");
    }
  }
  if ((news || session_ended) && client_ != nullptr) loop.Notify(*client_);
  if (client_ != nullptr || !(dead_ || stopping_)) return Outcome::kIdle;
  pooler_.Forget(*this);
  return Outcome::kDone;
}

}  // namespace connbench::models
