// What a backend answers, on its way to the client, and what the pooler learns from it.
#include <iterator>
#include <utility>

#include "models/pool_tx/pooled_backend.h"
#include "models/pool_tx/pooled_session.h"
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/pool_messages.h"

namespace connbench::models {
namespace {

namespace backend = protocol::backend;
namespace pool = protocol::pool;

}  // namespace

bool PooledSession::Pop(Kind kind) {
  if (expected_.empty() || expected_.front().kind != kind) return true;
  const bool swallow = expected_.front().swallow;
  expected_.PopFront();
  return !swallow;
}

bool PooledSession::OnAnswer(const protocol::Message& message) {
  switch (message.type) {
    case backend::kParseComplete:
      if (!expected_.empty() && expected_.front().kind == Kind::kParse &&
          expected_.front().change != nullptr) {
        expected_.front().change->after->accepted = true;
      }
      return Pop(Kind::kParse);
    case backend::kBindComplete:
      return Pop(Kind::kBind);
    case backend::kCloseComplete:
      return Pop(Kind::kClose);
    case backend::kRowDescription:
    case backend::kNoData:
      return Pop(Kind::kDescribe);
    case backend::kCommandComplete:
    case backend::kEmptyQueryResponse:
    case backend::kPortalSuspended:
      return Pop(Kind::kExecute);
    case backend::kCopyInResponse:
      copying_ = true;
      copy_fed_ = false;
      return true;
    case pool::kSyncIgnored:
      // The COPY's own message comes before it, and goes on.
      if (!expected_.empty() && expected_.back().kind == Kind::kSync) expected_.PopBack();
      return false;
    case backend::kErrorResponse:
      OnError(message.body);
      return failure_.ok();
    case backend::kReadyForQuery:
      return OnReady(message.body);
    case backend::kParameterStatus: {
      std::string_view name;
      std::string_view value;
      if (starting_ && protocol::ReadParameterStatus(message.body, name, value)) {
        Assign(client_.parameters, name, value);
      }
      return true;
    }
    case pool::kClientState:
      OnClientState(message.body);
      return false;
    case pool::kStatementsGone:
      OnStatementsGone();
      return false;
    case kBackendFree:
      session_over_ = true;
      link_->SessionGone();
      return false;
    default:
      return true;
  }
}

bool PooledSession::OnReady(std::string_view body) {
  (void)protocol::ReadReadyForQuery(body, transaction_);
  if (pooler_.mode() == PoolMode::kStatement && transaction_ != engine::TransactionStatus::kIdle) {
    failure_ = Status::Fatal(sqlstate::kProtocolViolation,
                             "transaction blocks not allowed in statement pooling mode")
                   .WithHint("Start the server with pool_mode=transaction.");
    refused_ = true;
    return false;
  }
  if (!expected_.empty() &&
      (expected_.front().kind == Kind::kSync || expected_.front().kind == Kind::kQuery)) {
    expected_.PopFront();
  }
  open_ = !expected_.empty();
  return true;
}

void PooledSession::OnClientState(std::string_view body) {
  pool::ClientReport report;
  if (!pool::ReadClientState(body, report)) return;
  if (!expected_.empty() && expected_.front().kind == Kind::kClient) {
    expected_.PopFront();
    pooler_.NoteReset(report.took_ns);
    if (!starting_) return;  // it has become what the pooler knows
    open_ = false;
  }
  client_.settings = report.settings;
  client_.time_zone = report.time_zone;
  client_.idle_session_timeout_ms = report.idle_session_timeout_ms;
  link_->SetClient(connection_id_, client_.settings, report.touched);
}

// Everything that is expected was sent behind the statement that did it.
void PooledSession::OnStatementsGone() {
  link_->ForgetNamedStatements();
  for (auto at = statements_.begin(); at != statements_.end();) {
    at = at->first.empty() ? std::next(at) : statements_.erase(at);
  }
  for (ExpectedAnswer& answer : expected_) {
    if (answer.link_statement != 0 && answer.kind == Kind::kParse) {
      link_->AddStatement(answer.link_statement);
    } else if (answer.link_statement != 0) {
      link_->RemoveStatement(answer.link_statement);
    }
    if (answer.change == nullptr) continue;
    answer.change->before = FindStatement(answer.change->name);
    SetName(answer.change->name, answer.change->after);
  }
}

void PooledSession::Undo(ExpectedAnswer& answer) {
  if (answer.unnamed) link_->set_unnamed(BackendLink::kUnknownUnnamed);
  if (answer.link_statement != 0 && answer.kind == Kind::kParse) {
    link_->RemoveStatement(answer.link_statement);
  } else if (answer.link_statement != 0) {
    link_->AddStatement(answer.link_statement);
  }
  if (answer.change != nullptr) SetName(answer.change->name, std::move(answer.change->before));
}

void PooledSession::OnError(std::string_view body) {
  copying_ = false;
  if (Status fatal = FatalError(body); !fatal.ok()) {
    failure_ = std::move(fatal);  // and the backend's own message follows
    to_send_.clear();
    return;
  }
  if (!expected_.empty() && expected_.front().kind == Kind::kQuery) return;
  if (!expected_.empty()) failed_statement_ = std::move(expected_.front().statement);
  // Nothing up to the next Sync is answered.
  size_t count = 0;
  for (const ExpectedAnswer& answer : expected_) {
    if (answer.kind == Kind::kSync) break;
    ++count;
  }
  skipping_ = count == expected_.size();
  for (size_t i = count; i > 0; --i)
    Undo(*(expected_.begin() + static_cast<std::ptrdiff_t>(i - 1)));
  // A Parse that fails takes the unnamed statement that was there with it.
  if (count > 0 && expected_.front().kind == Kind::kParse && expected_.front().unnamed &&
      !expected_.front().swallow) {
    statements_.erase(std::string());
  }
  expected_.PopFront(count);
}

std::string PooledSession::WithClientsName(std::string_view message) const {
  std::string text(message);
  const size_t at = text.find(PooledStatement::kNamePrefix);
  if (at == std::string::npos) return text;
  size_t end = at + PooledStatement::kNamePrefix.size();
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  text.replace(at, end - at, failed_statement_);
  protocol::StoreUint32(text.data() + 1, static_cast<uint32_t>(text.size() - 1));
  return text;
}

}  // namespace connbench::models
