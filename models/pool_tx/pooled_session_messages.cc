// What a client of the pooler says, on its way to the backend.
#include <string>
#include <utility>

#include "base/assert.h"
#include "models/pool_tx/pooled_session.h"
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/pool_messages.h"

namespace connbench::models {
namespace {

namespace frontend = protocol::frontend;

constexpr char kStatementKind = 'S';

// The body of Parse, behind the name: no text, and no parameter types.
std::string EmptyStatement() { return std::string(sizeof(char) + sizeof(uint16_t), '\0'); }

bool IsText(std::string_view name) { return engine::CheckStartupText(name).ok(); }

}  // namespace

ExpectedAnswer& PooledSession::Append(char type, std::string_view body, Kind kind) {
  protocol::MessageWriter writer(to_send_, type);
  writer.Bytes(body).Finish();
  open_ = true;
  return expected_.Push(kind);
}

void PooledSession::GoOn() {
  if (link_ == nullptr) return;
  const MonotonicNs now = MonotonicNow();
  if (pooler_.ClientGoesOn(*link_, now)) Show(engine::PoolClientState::kActive, now, link_);
}

// Whatever decides where the stream stands is answered before the next message is looked at: a
// Query, a Sync, the end of a COPY. Only the messages of one batch go to the backend together.
Status PooledSession::RelayMessage(char type, std::string_view body,
                                   protocol::AnswerWriter& answers) {
  if (!failure_.ok()) return failure_;
  // Answers are never held back. One with a body is refused by the backend.
  if (type == frontend::kFlush && body.empty()) return {};
  answers_ = &answers;
  GoOn();
  if (type == frontend::kCopyDone || type == frontend::kCopyFail) {
    return ForwardCopyEnd(type, body, answers);
  }
  if (type == frontend::kSync) {
    skipping_ = false;
  } else if (skipping_) {
    return {};
  }
  if (AnswerHere(type, body, answers)) return failure_;
  const Status leased = EnsureLease();
  if (!leased.ok()) return failure_.ok() ? AnswerCanceled(leased, type, body, answers) : failure_;
  return Forward(type, body, answers);
}

// The message that asked for a backend was cancelled in the line: what PostgreSQL answers to one
// that is cancelled before it has done anything. No backend knows of the batch, and the client
// is in no transaction, else it would have a backend.
Status PooledSession::AnswerCanceled(const Status& why, char type, std::string_view body,
                                     protocol::AnswerWriter& answers) {
  CONNBENCH_ASSERT(transaction_ == engine::TransactionStatus::kIdle, "a block has a backend");
  std::string answer;
  protocol::AppendErrorResponse(answer, "ERROR", why.error());
  const bool is_query = type == frontend::kQuery;
  // Both begin with the end of the unnamed statement.
  const bool is_unnamed_parse = type == frontend::kParse && body.starts_with('\0');
  if (is_query || is_unnamed_parse) statements_.erase(std::string());
  if (is_query || type == frontend::kFunctionCall) {
    protocol::AppendReadyForQuery(answer, transaction_);
  } else {
    skipping_ = true;
  }
  failure_ = answers.Relay(answer, pooler_.limits().client_write_timeout_ns);
  return failure_;
}

Status PooledSession::Forward(char type, std::string_view body, protocol::AnswerWriter& answers) {
  if (NeedsTruth(type, body)) {
    CONNBENCH_RETURN_IF_ERROR(Settle(&answers));
    if (skipping_) return {};
  }
  if (copying_ && !copy_fed_ && type != frontend::kQuery && type != frontend::kSync) {
    // The backend waits for the first data: it refuses the message as it is, and ends the session.
    Append(type, body, Kind::kDescribe);
    return {};
  }
  switch (type) {
    case frontend::kQuery:
    case frontend::kFunctionCall: {
      ExpectedAnswer& answer = Append(type, body, Kind::kQuery);
      if (type == frontend::kQuery) {  // which drops the unnamed statement
        answer.unnamed = true;
        link_->set_unnamed(0);
        if (!statements_.empty()) ChangeName(answer, {}, nullptr);
      }
      return Settle(&answers);
    }
    case frontend::kSync:
      Append(type, body, Kind::kSync);
      return Settle(&answers);
    case frontend::kParse:
      ForwardParse(body);
      return {};
    case frontend::kBind:
      ForwardBind(body);
      return {};
    case frontend::kExecute:
      Append(type, body, Kind::kExecute);
      return {};
    case frontend::kFlush:
      Append(type, body, Kind::kDescribe);
      return {};
    default:
      ForwardDescribeOrClose(type, body);
      return {};
  }
}

// Outside of a COPY it is dropped: the COPY has failed while the client was sending, or there was
// none.
Status PooledSession::ForwardCopyEnd(char type, std::string_view body,
                                     protocol::AnswerWriter& answers) {
  if (!copying_ && expected_.executes() > 0) CONNBENCH_RETURN_IF_ERROR(Settle(&answers));
  if (!copying_) return {};
  protocol::MessageWriter writer(to_send_, type);
  writer.Bytes(body).Finish();
  copying_ = false;
  return Settle(&answers);
}

// Each piece becomes a message of its own, so that the backend never waits for the rest of one that
// the client may not send.
Status PooledSession::RelayCopyData(std::string_view bytes, protocol::AnswerWriter& answers) {
  if (!failure_.ok()) return failure_;
  answers_ = &answers;
  if (!copying_ && expected_.executes() > 0) CONNBENCH_RETURN_IF_ERROR(Settle(&answers));
  if (!copying_ || bytes.empty()) return {};
  GoOn();
  copy_fed_ = true;
  protocol::AppendCopyData(to_send_, bytes);
  return {};
}

bool PooledSession::AnswerHere(char type, std::string_view body, protocol::AnswerWriter& answers) {
  if (link_ != nullptr) return false;
  std::string answer;
  if (type == frontend::kSync) {
    if (!body.empty()) return false;  // the backend says what is wrong with it
    protocol::AppendReadyForQuery(answer, transaction_);
  } else {
    if (type != frontend::kParse) return false;
    protocol::MessageReader reader(body);
    const std::string name(reader.String());
    const std::string_view rest = reader.Rest();
    if (!reader.ok() || name.empty() || statements_.contains(name) || !IsText(name)) return false;
    StatementPtr statement = pooler_.Statement(rest, client_.time_zone);
    if (!statement->accepted) return false;
    statements_[name] = std::move(statement);
    protocol::AppendEmptyMessage(answer, protocol::backend::kParseComplete);
  }
  const Status sent = answers.Relay(answer, pooler_.limits().client_write_timeout_ns);
  if (!sent.ok()) failure_ = sent;
  return true;
}

PooledSession::StatementPtr PooledSession::FindStatement(std::string_view name) const {
  const auto found = statements_.find(std::string(name));
  return found == statements_.end() ? nullptr : found->second;
}

bool PooledSession::NeedsTruth(char type, std::string_view body) const {
  if (expected_.executes() == 0) return false;
  protocol::MessageReader reader(body);
  switch (type) {
    case frontend::kParse:
      return !reader.String().empty();
    case frontend::kBind:
      (void)reader.String();
      break;
    case frontend::kDescribe:
      if (reader.Byte() != kStatementKind) return false;
      break;
    default:
      return false;
  }
  const std::string_view name = reader.String();
  const StatementPtr statement = FindStatement(name);
  if (statement == nullptr) return name.empty() && link_->unnamed() != 0;
  return statement->unnamed ? link_->unnamed() != statement->id
                            : !link_->HasStatement(statement->id);
}

void PooledSession::ChangeName(ExpectedAnswer& answer, std::string_view name,
                               StatementPtr statement) {
  StatementPtr before = FindStatement(name);
  if (before == statement) return;
  answer.change = std::make_unique<ExpectedAnswer::NameChange>(
      ExpectedAnswer::NameChange{std::string(name), std::move(before), statement});
  SetName(answer.change->name, std::move(statement));
}

void PooledSession::SetName(const std::string& name, StatementPtr statement) {
  if (statement == nullptr) {
    statements_.erase(name);
  } else {
    statements_[name] = std::move(statement);
  }
}

void PooledSession::ForwardParse(std::string_view body) {
  protocol::MessageReader reader(body);
  const std::string_view name = reader.String();
  const std::string_view rest = reader.Rest();
  if (!reader.ok() || !IsText(name)) {  // the backend says what is wrong with it
    Append(frontend::kParse, body, Kind::kParse);
    return;
  }
  if (name.empty()) {
    const StatementPtr statement = pooler_.UnnamedStatement(rest);
    ExpectedAnswer& answer = Append(frontend::kParse, body, Kind::kParse);
    answer.unnamed = true;
    link_->set_unnamed(statement->id);
    ChangeName(answer, name, statement);
    return;
  }
  if (FindStatement(name) != nullptr) {
    // The backend refuses a name that it has. It can be given an empty statement even in a failed
    // transaction, which the client's own need not be prepared in.
    const std::string taken = PooledStatement::BackendName(PooledStatement::kEmpty);
    InjectClose(taken);
    InjectParse({.body = EmptyStatement()}, taken);
    Append(frontend::kParse, taken + '\0' + std::string(rest), Kind::kParse).statement = name;
    return;
  }
  const StatementPtr statement = pooler_.Statement(rest, client_.time_zone);
  const std::string backend_name = PooledStatement::BackendName(statement->id);
  if (link_->HasStatement(statement->id)) {
    // It is closed first, so that the answer is the backend's own.
    InjectClose(backend_name);
    expected_.back().link_statement = statement->id;
  }
  ExpectedAnswer& answer =
      Append(frontend::kParse, backend_name + '\0' + std::string(rest), Kind::kParse);
  answer.statement = name;
  answer.link_statement = statement->id;
  link_->AddStatement(statement->id);
  ChangeName(answer, name, statement);
}

void PooledSession::InjectClose(std::string_view backend_name) {
  std::string close(1, kStatementKind);
  close.append(backend_name).push_back('\0');
  Append(frontend::kClose, close, Kind::kClose).swallow = true;
}

void PooledSession::InjectParse(const PooledStatement& statement, std::string_view backend_name) {
  std::string body(backend_name);
  body.push_back('\0');
  body.append(statement.body);
  Append(frontend::kParse, body, Kind::kParse).swallow = true;
}

std::string PooledSession::BackendStatement(std::string_view client_name) {
  const StatementPtr statement = FindStatement(client_name);
  if (statement == nullptr && client_name.empty()) {
    if (link_->unnamed() != 0) {  // another client's
      InjectClose({});
      expected_.back().unnamed = true;
      link_->set_unnamed(0);
    }
    return {};
  }
  if (statement == nullptr) {
    // The backend says that there is none, or it is one of SQL's PREPARE. The names that the pooler
    // gives are for nobody.
    const bool ours = client_name.starts_with(PooledStatement::kNamePrefix);
    return std::string(ours ? client_name.substr(1) : client_name);
  }
  if (statement->unnamed) {
    if (link_->unnamed() != statement->id) {
      InjectParse(*statement, {});
      expected_.back().unnamed = true;
      link_->set_unnamed(statement->id);
    }
    return {};
  }
  std::string backend_name = PooledStatement::BackendName(statement->id);
  if (link_->HasStatement(statement->id)) return backend_name;
  if (const uint64_t oldest = link_->StatementToEvict(); oldest != 0) {
    InjectClose(PooledStatement::BackendName(oldest));
    expected_.back().link_statement = oldest;
    link_->RemoveStatement(oldest);
  }
  InjectClose(backend_name);
  InjectParse(*statement, backend_name);
  expected_.back().link_statement = statement->id;
  link_->AddStatement(statement->id);
  return backend_name;
}

void PooledSession::ForwardBind(std::string_view body) {
  protocol::MessageReader reader(body);
  const std::string_view portal = reader.String();
  const std::string_view name = reader.String();
  const std::string_view rest = reader.Rest();
  if (!reader.ok()) {
    Append(frontend::kBind, body, Kind::kBind);
    return;
  }
  const std::string backend_name = BackendStatement(name);
  protocol::MessageWriter writer(to_send_, frontend::kBind);
  writer.String(portal).String(backend_name).Bytes(rest).Finish();
  open_ = true;
  expected_.Push(Kind::kBind).statement = name;
}

void PooledSession::ForwardDescribeOrClose(char type, std::string_view body) {
  const bool closes = type == frontend::kClose;
  const Kind kind = closes ? Kind::kClose : Kind::kDescribe;
  protocol::MessageReader reader(body);
  const char what = static_cast<char>(reader.Byte());
  const std::string_view name = reader.String();
  if (!reader.Finished() || what != kStatementKind) {
    Append(type, body, kind);
    return;
  }
  // The backend keeps the text of a named statement for others. To close a name that it does not
  // have is no error; it may be one of SQL's PREPARE.
  const bool ours = closes && name.starts_with(PooledStatement::kNamePrefix);
  const std::string backend_name =
      closes ? std::string(name.substr(ours ? 1 : 0)) : BackendStatement(name);
  protocol::MessageWriter writer(to_send_, type);
  writer.Byte(what).String(backend_name).Finish();
  open_ = true;
  ExpectedAnswer& answer = expected_.Push(kind);
  if (!closes) {
    answer.statement = name;
    return;
  }
  if (name.empty()) {
    answer.unnamed = true;
    link_->set_unnamed(0);
  }
  ChangeName(answer, name, nullptr);
}

}  // namespace connbench::models
