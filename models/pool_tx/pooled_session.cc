#include "models/pool_tx/pooled_session.h"

#include <algorithm>
#include <utility>

#include "models/pool_tx/pooled_backend.h"
#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::models {
namespace {

namespace frontend = protocol::frontend;
namespace backend = protocol::backend;

constexpr char kStatementKind = 'S';
// Buffers larger than this are given back when they are empty.
constexpr size_t kRetainedBytes = 4 << 10;

bool PlainName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
}

// "SET name = 'value';" for each.
std::string SetScript(const BackendLink::Parameters& parameters) {
  std::string script;
  for (const auto& [name, value] : parameters) {
    script.append("SET ").append(name).append(" = '");
    for (const char c : value) {
      if (c == '\'') script.push_back('\'');
      script.push_back(c);
    }
    script.append("';");
  }
  return script;
}

}  // namespace

PooledSession::PooledSession(Pooler& pooler, const engine::SessionOptions& options,
                             uint32_t cancel_key)
    : pooler_(pooler), connection_id_(options.connection_id), cancel_key_(cancel_key) {
  identity_.append(options.user).push_back('\0');
  identity_.append(options.database);
}

PooledSession::~PooledSession() {
  if (link_ != nullptr) {
    // What is left half-done, or open, ends with the session behind it.
    const bool clean = idle() && failure_.ok() && !session_over_;
    if (!session_over_ && !link_->dead() && link_->fatal().ok()) {
      pooler_.Clean(*link_, /*end_session=*/!clean);
    }
    pooler_.Release(*std::exchange(link_, nullptr));
  }
  pooler_.ClientGone(connection_id_);
}

Status PooledSession::Start(const engine::SessionOptions& options) {
  for (const engine::StartupParameter& parameter : options.parameters) {
    if (!PlainName(parameter.name)) {
      return Status::Fatal(sqlstate::kUndefinedObject,
                           "unrecognized configuration parameter \"" + parameter.name + "\"");
    }
    Assign(settings_, parameter.name, parameter.value);
  }
  script_ = SetScript(settings_);
  const std::string key = identity_ + '\0' + script_;
  if (const BackendLink::Parameters* known = pooler_.FindWelcome(key)) {
    welcome_ = *known;
    return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(link_, pooler_.Lease(identity_, script_));
  last_link_ = link_;
  welcome_ = link_->parameters();
  pooler_.KeepWelcome(key, welcome_);
  if (pooler_.mode() != PoolMode::kSession) GiveBack();
  return {};
}

void PooledSession::ReportParameters(engine::ResultSink& sink) {
  for (const auto& [name, value] : welcome_) sink.ParameterStatus(name, value);
  BackendLink::Parameters().swap(welcome_);
}

Status PooledSession::TerminationRequested() const {
  if (link_ != nullptr && !link_->fatal().ok()) return link_->fatal();
  if (!pooler_.ShutdownRequested()) return {};
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

bool PooledSession::EnsureLease() {
  if (!failure_.ok()) return false;
  if (link_ != nullptr) return true;
  Result<BackendLink*> link = pooler_.Lease(identity_, script_);
  if (!link.ok()) {
    failure_ = link.TakeStatus();
    return false;
  }
  link_ = *link;
  if (last_link_ != nullptr && link_ != last_link_) pooler_.NoteSwitch();
  last_link_ = link_;
  return true;
}

void PooledSession::GiveBack() { pooler_.Release(*std::exchange(link_, nullptr)); }

void PooledSession::Append(char type, std::string_view body, Kind kind) {
  protocol::MessageWriter writer(to_send_, type);
  writer.Bytes(body).Finish();
  expected_.push_back({.kind = kind, .statement = {}, .client_name = {}});
}

void PooledSession::RelayMessage(char type, std::string_view body) {
  if (type == frontend::kFlush) return;  // answers are never held back
  if (link_ != nullptr) pooler_.ClientGoesOn(*link_);
  if (type == frontend::kCopyDone || type == frontend::kCopyFail) {
    if (!copying_) return;
    protocol::MessageWriter writer(to_send_, type);
    writer.Bytes(body).Finish();
    copying_ = false;
    return;
  }
  // A client that sent Sync behind Execute could not know that a COPY would begin.
  if (type == frontend::kSync && copying_) return;
  if (type == frontend::kSync) {
    batch_open_ = false;
    skipping_ = false;
  }
  if (skipping_ || AnswerHere(type, body) || !EnsureLease()) return;
  switch (type) {
    case frontend::kQuery:
    case frontend::kFunctionCall:
      Append(type, body, Kind::kQuery);
      return;
    case frontend::kSync:
      Append(type, body, Kind::kSync);
      return;
    case frontend::kParse:
      RelayParse(body);
      break;
    case frontend::kBind:
      RelayBind(body);
      break;
    case frontend::kExecute:
      Append(type, body, Kind::kExecute);
      break;
    default:
      RelayDescribeOrClose(type, body);
      break;
  }
  batch_open_ = true;
}

bool PooledSession::AnswerHere(char type, std::string_view body) {
  if (link_ != nullptr || !failure_.ok()) return false;
  if (type == frontend::kSync) {
    protocol::AppendReadyForQuery(answered_here_, transaction_);
    return true;
  }
  if (type != frontend::kParse) return false;
  protocol::MessageReader reader(body);
  const std::string name(reader.String());
  const std::string_view rest = reader.Rest();
  if (!reader.ok() || name.empty() || statements_.contains(name)) return false;
  std::shared_ptr<PooledStatement> statement = pooler_.Statement(rest);
  if (!statement->accepted) return false;
  statements_[name] = std::move(statement);
  protocol::AppendEmptyMessage(answered_here_, backend::kParseComplete);
  return true;
}

void PooledSession::RelayParse(std::string_view body) {
  protocol::MessageReader reader(body);
  const std::string_view name = reader.String();
  const std::string_view rest = reader.Rest();
  if (!reader.ok()) {  // the backend says what is wrong with it
    Append(frontend::kParse, body, Kind::kParse);
    return;
  }
  if (name.empty()) {
    unnamed_ = rest;
    link_->unnamed_owner = unnamed_id_ = pooler_.NextUnnamed();
    Append(frontend::kParse, body, Kind::kParse);
    return;
  }
  const bool taken = statements_.contains(std::string(name));
  const std::shared_ptr<PooledStatement> statement =
      taken ? statements_.at(std::string(name)) : pooler_.Statement(rest);
  const std::string backend_name = PooledStatement::BackendName(statement->id);
  if (taken) {
    (void)BackendStatement(name);  // the backend refuses a name that it has
  } else if (link_->HasStatement(statement->id)) {
    // It is there already: closed first, so that the answer is the backend's own.
    std::string close(1, kStatementKind);
    close.append(backend_name).push_back('\0');
    Append(frontend::kClose, close, Kind::kClose);
    expected_.back().swallow = true;
  }
  Append(frontend::kParse, backend_name + '\0' + std::string(rest), Kind::kParse);
  if (taken) return;
  expected_.back().statement = statement;
  expected_.back().client_name = name;
  link_->AddStatement(statement->id);
  statements_[std::string(name)] = statement;
}

void PooledSession::InjectParse(std::string_view name, std::string_view parse_body,
                                std::shared_ptr<PooledStatement> statement) {
  std::string body(name);
  body.push_back('\0');
  body.append(parse_body);
  Append(frontend::kParse, body, Kind::kParse);
  expected_.back().swallow = true;
  expected_.back().statement = std::move(statement);
}

std::string PooledSession::BackendStatement(std::string_view client_name) {
  if (client_name.empty()) {
    if (unnamed_id_ != 0 && link_->unnamed_owner != unnamed_id_) {
      link_->unnamed_owner = unnamed_id_;
      InjectParse("", unnamed_, nullptr);
    }
    return {};
  }
  const auto found = statements_.find(std::string(client_name));
  if (found == statements_.end()) return std::string(client_name);  // the backend says so
  const std::shared_ptr<PooledStatement> known = found->second;
  const PooledStatement& statement = *known;
  if (!link_->HasStatement(statement.id)) {
    if (const uint64_t oldest = link_->StatementToEvict(); oldest != 0) {
      std::string close(1, kStatementKind);
      close.append(PooledStatement::BackendName(oldest)).push_back('\0');
      Append(frontend::kClose, close, Kind::kClose);
      expected_.back().swallow = true;
      link_->RemoveStatement(oldest);
    }
    InjectParse(PooledStatement::BackendName(statement.id), statement.body, known);
    link_->AddStatement(statement.id);
  }
  return PooledStatement::BackendName(statement.id);
}

void PooledSession::RelayBind(std::string_view body) {
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
  expected_.push_back({.kind = Kind::kBind, .statement = {}, .client_name = {}});
}

void PooledSession::RelayDescribeOrClose(char type, std::string_view body) {
  const Kind kind = type == frontend::kClose ? Kind::kClose : Kind::kDescribe;
  protocol::MessageReader reader(body);
  const char what = static_cast<char>(reader.Byte());
  const std::string name(reader.String());
  if (!reader.Finished() || what != kStatementKind) {
    Append(type, body, kind);
    return;
  }
  if (type == frontend::kClose) {
    // The backend keeps the text for others. It has no statement of the client's name, which is no
    // error to close.
    statements_.erase(name);
    if (name.empty()) unnamed_id_ = 0;
    Append(type, body, kind);
    return;
  }
  const std::string backend_name = BackendStatement(name);
  protocol::MessageWriter writer(to_send_, type);
  writer.Byte(what).String(backend_name).Finish();
  expected_.push_back({.kind = kind, .statement = {}, .client_name = {}});
}

void PooledSession::RelayCopyData(std::string_view bytes) {
  if (!copying_ || !failure_.ok()) return;
  pooler_.ClientGoesOn(*link_);
  to_send_.append(bytes);
}

Status PooledSession::RelayFinish(protocol::AnswerWriter& answers) {
  Status sent;
  if (!answered_here_.empty()) {
    sent = answers.Relay(answered_here_);
    answered_here_.clear();
  }
  if (failure_.ok() && link_ != nullptr) {
    const Status exchanged = link_->Exchange(
        pooler_.loop(), to_send_,
        [&](const protocol::Message& message, std::string_view bytes) {
          if (OnAnswer(message) && sent.ok()) sent = answers.Relay(bytes);
        },
        [&] { return failure_.ok() ? expected_.empty() || copying_ : session_over_ || refused_; });
    if (failure_.ok() && !exchanged.ok()) failure_ = pooler_.Explain(exchanged);
  }
  if (failure_.ok() && !sent.ok()) failure_ = sent;
  if (!failure_.ok()) return failure_;
  if (expected_.empty() && to_send_.empty() && to_send_.capacity() > kRetainedBytes) {
    std::string().swap(to_send_);
  }
  if (link_ == nullptr || expected_.size() + to_send_.size() > 0 || copying_ || batch_open_ ||
      skipping_) {
    if (link_ != nullptr) pooler_.ClientSilent(*link_);
    return {};
  }
  if (pooler_.mode() != PoolMode::kSession && idle()) {
    GiveBack();
  } else {
    pooler_.ClientSilent(*link_);
  }
  return {};
}

bool PooledSession::Pop(Kind kind) {
  if (expected_.empty() || expected_.front().kind != kind) return true;
  const bool swallow = expected_.front().swallow;
  expected_.erase(expected_.begin());
  return !swallow;
}

bool PooledSession::OnAnswer(const protocol::Message& message) {
  switch (message.type) {
    case backend::kParseComplete:
      if (!expected_.empty() && expected_.front().statement != nullptr) {
        expected_.front().statement->accepted = true;
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
      OnCommandComplete(message.body);
      return Pop(Kind::kExecute);
    case backend::kEmptyQueryResponse:
    case backend::kPortalSuspended:
      return Pop(Kind::kExecute);
    case backend::kCopyInResponse:
      copying_ = true;
      // What was sent behind it the backend takes for a part of the COPY, and drops.
      if (expected_.size() > 1) expected_.erase(expected_.begin() + 1, expected_.end());
      return true;
    case backend::kErrorResponse:
      OnError(message.body);
      return failure_.ok();
    case backend::kReadyForQuery:
      (void)protocol::ReadReadyForQuery(message.body, transaction_);
      if (pooler_.mode() == PoolMode::kStatement &&
          transaction_ != engine::TransactionStatus::kIdle) {
        failure_ = Status::Fatal(sqlstate::kProtocolViolation,
                                 "transaction blocks not allowed in statement pooling mode")
                       .WithHint("Start the server with pool_mode=transaction.");
        refused_ = true;
        return false;
      }
      if (!expected_.empty() && expected_.front().kind == Kind::kSync) return Pop(Kind::kSync);
      return Pop(Kind::kQuery);
    case backend::kParameterStatus: {
      std::string_view name;
      std::string_view value;
      if (protocol::ReadParameterStatus(message.body, name, value) && PlainName(name)) {
        link_->SetParameter(name, value);
        Assign(settings_, name, value);
        script_ = SetScript(settings_);
        link_->set_settings(script_);
      }
      return true;
    }
    case kBackendFree:
      session_over_ = true;
      link_->SessionGone();
      return false;
    default:
      return true;
  }
}

void PooledSession::OnCommandComplete(std::string_view tag) {
  if (!tag.starts_with("DISCARD ALL") && !tag.starts_with("DEALLOCATE ALL")) return;
  link_->ForgetStatements();
  link_->set_settings({});
  statements_.clear();
}

void PooledSession::OnError(std::string_view body) {
  copying_ = false;
  if (Status fatal = FatalError(body); !fatal.ok()) {
    failure_ = std::move(fatal);  // and the backend's own message follows
    to_send_.clear();
    return;
  }
  if (!expected_.empty() && expected_.front().kind == Kind::kQuery) return;
  // Nothing up to the next Sync is answered.
  auto next = expected_.begin();
  for (; next != expected_.end() && next->kind != Kind::kSync; ++next) {
    if (next->statement == nullptr) continue;
    link_->RemoveStatement(next->statement->id);
    if (!next->client_name.empty()) statements_.erase(next->client_name);
  }
  skipping_ = next == expected_.end();
  expected_.erase(expected_.begin(), next);
}

}  // namespace connbench::models
