// ServerSession once it has started: one function per message.
//
// The rules of 55.2 "Message Flow" that are kept here: a simple Query always ends with
// ReadyForQuery; an error in the extended protocol skips what follows up to Sync, and only Sync
// answers ReadyForQuery; CopyData, CopyDone and CopyFail outside of COPY are ignored, because a
// client may still be sending when it learns that its COPY failed.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/pool_messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {
[[gnu::hot]] void ServerSession::Impl::HandleMessage(char type, std::string_view body) {
  idle_deadline_known_ = false;
  Guarded(type, [&] { RunMessage(type, body); });
}

[[gnu::hot]] void ServerSession::Impl::RunMessage(char type, std::string_view body) {
  if (in_copy()) {
    HandleCopyInMessage(type, body);
    return;
  }
  if (type == frontend::kTerminate) {
    if (relay_ != nullptr) FinishRelay();
    Close();
    return;
  }
  if (relay_ != nullptr) {
    AfterRelay(relay_->RelayMessage(type, body, sink_));
    return;
  }
  if (type == pool::kClient) {  // which only a pooler can send: Advance() has seen to it
    HandleClientChange(body);
    return;
  }
  if (type == frontend::kSync) {
    HandleSync(body);
    return;
  }
  if (state_ == State::kSkipUntilSync) return;
  switch (type) {
    case frontend::kQuery:
      HandleQuery(body);
      break;
    case frontend::kFunctionCall:
      session_->FailTransaction();
      ReportError(Status::Error(sqlstate::kFeatureNotSupported,
                                "the function call protocol is not supported")
                      .WithHint("Call the function in a SELECT."));
      if (state_ != State::kClosed) SendReadyForQuery();
      break;
    case frontend::kCopyData:  // a failed COPY's
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      break;
    default: {
      batch_open_ = true;
      const Status status = RunExtended(type, body);
      if (!status.ok()) {
        state_ = State::kSkipUntilSync;
        ReportError(status);
      }
      break;
    }
  }
  if (sink_.client_gone()) Close();
}

void ServerSession::Impl::HandleQuery(std::string_view body) {
  MessageReader reader(body);
  const std::string_view sql = reader.String();
  if (!reader.Finished()) {
    session_->FailTransaction();
    FinishSimple(MalformedMessage(reader));
    return;
  }
  FinishSimple(session_->Query(sql, sink_));
}

void ServerSession::Impl::FinishSimple(const Result<engine::Progress>& result) {
  if (result.ok() && *result == engine::Progress::kCopyIn) {
    state_ = State::kCopyInSimple;
    return;
  }
  state_ = State::kMessages;
  if (!result.ok()) ReportError(result.status());
  if (state_ != State::kClosed) SendReadyForQuery();
}

[[gnu::hot]] void ServerSession::Impl::HandleSync(std::string_view body) {
  batch_open_ = false;
  state_ = State::kMessages;
  const Status status =
      body.empty() ? session_->Sync(sink_) : Refused(MalformedMessage(MessageReader(body)));
  if (!status.ok()) ReportError(status);
  if (state_ != State::kClosed) SendReadyForQuery();
}

[[gnu::hot]] Status ServerSession::Impl::RunExtended(char type, std::string_view body) {
  switch (type) {
    case frontend::kParse:
      return RunParse(body);
    case frontend::kBind:
      return RunBind(body);
    case frontend::kDescribe:
      return RunDescribe(body);
    case frontend::kExecute:
      return RunExecute(body);
    case frontend::kFlush:  // the model sends all output at the end of Receive() anyway
      return body.empty() ? Status() : Refused(MalformedMessage(MessageReader(body)));
    default:
      return RunClose(body);  // the only one left that MaxBodyBytes() knows
  }
}

Status ServerSession::Impl::RunParse(std::string_view body) {
  MessageReader reader(body);
  const std::string_view statement = reader.String();
  const std::string_view sql = reader.String();
  const size_t count = static_cast<uint16_t>(reader.Int16());
  parameter_types_.clear();
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    parameter_types_.push_back(static_cast<Oid>(reader.Int32()));
  }
  if (!reader.Finished()) return Refused(MalformedMessage(reader));
  Status status = session_->Parse(statement, sql, parameter_types_, sink_);
  if (parameter_types_.capacity() > kRetainedParameters) {
    std::vector<Oid>().swap(parameter_types_);
  }
  if (status.ok()) AppendEmptyMessage(*out_, backend::kParseComplete);
  return status;
}

[[gnu::hot]] Status ServerSession::Impl::RunBind(std::string_view body) {
  Status status = bind_.Read(body);
  if (!status.ok()) {
    // PostgreSQL looks the statement up before it reads on. The portal, if one is made, does not
    // outlive the error.
    if (bind_.has_names) {
      Status bound = session_->Bind(bind_.portal, bind_.statement, {}, {}, {});
      if (bound.code() == sqlstate::kInvalidSqlStatementName) status = std::move(bound);
    }
    bind_.Trim();
    return Refused(std::move(status));
  }
  status = session_->Bind(bind_.portal, bind_.statement, bind_.parameter_formats, bind_.parameters,
                          bind_.result_formats);
  bind_.Trim();
  if (status.ok()) AppendEmptyMessage(*out_, backend::kBindComplete);
  return status;
}

[[gnu::hot]] Status ServerSession::Impl::RunDescribe(std::string_view body) {
  MessageReader reader(body);
  const char kind = static_cast<char>(reader.Byte());
  const std::string_view name = reader.String();
  if (!reader.Finished()) return Refused(MalformedMessage(reader));
  if (kind == frontend::kOfStatement) return session_->DescribeStatement(name, sink_);
  if (kind == frontend::kOfPortal) return session_->DescribePortal(name, sink_);
  return Refused(Status::Error(
      sqlstate::kProtocolViolation,
      fmt::format("invalid DESCRIBE message subtype {}", int{static_cast<unsigned char>(kind)})));
}

[[gnu::hot]] Status ServerSession::Impl::RunExecute(std::string_view body) {
  MessageReader reader(body);
  const std::string_view portal = reader.String();
  const int32_t max_rows = reader.Int32();
  if (!reader.Finished()) return Refused(MalformedMessage(reader));
  Result<engine::Progress> result = session_->Execute(portal, std::max(max_rows, 0), sink_);
  if (serves_pooler()) ReportStatementsGone();
  if (!result.ok()) return result.TakeStatus();
  if (*result == engine::Progress::kCopyIn) state_ = State::kCopyInExtended;
  return {};
}

Status ServerSession::Impl::RunClose(std::string_view body) {
  MessageReader reader(body);
  const char kind = static_cast<char>(reader.Byte());
  const std::string_view name = reader.String();
  if (!reader.Finished()) return Refused(MalformedMessage(reader));
  Status status;
  if (kind == frontend::kOfStatement) {
    status = session_->CloseStatement(name);
  } else if (kind == frontend::kOfPortal) {
    status = session_->ClosePortal(name);
  } else {
    return Refused(Status::Error(
        sqlstate::kProtocolViolation,
        fmt::format("invalid CLOSE message subtype {}", int{static_cast<unsigned char>(kind)})));
  }
  if (status.ok()) AppendEmptyMessage(*out_, backend::kCloseComplete);
  return status;
}

void ServerSession::Impl::HandleCopyInMessage(char type, std::string_view body) {
  switch (type) {
    case frontend::kCopyDone: {
      const Result<engine::Progress> result = session_->CopyInDone(sink_);
      if (state_ == State::kCopyInSimple) {
        FinishSimple(result);
      } else if (result.ok()) {
        state_ = State::kMessages;
      } else {
        EndCopy(result.status());
      }
      break;
    }
    case frontend::kCopyFail: {
      MessageReader reader(body);
      const std::string_view reason = reader.String();
      EndCopy(reader.ok() ? session_->CopyInFail(reason) : Refused(MalformedMessage(reader)));
      break;
    }
    case frontend::kFlush:
    case frontend::kSync:
      // A client that sent them behind Execute could not know that a COPY would begin.
      if (serves_pooler() && type == frontend::kSync) {
        AppendEmptyMessage(*out_, pool::kSyncIgnored);
      }
      break;
    default: {
      // Only the session knows which line it stands at.
      const Status ended = session_->CopyInFail({});
      ReportError(
          Status::Error(sqlstate::kProtocolViolation,
                        fmt::format("unexpected message type 0x{:02X} during COPY from stdin",
                                    static_cast<unsigned char>(type)))
              .WithContext(ended.ok() ? std::string() : ended.error().context));
      CloseWith(Status::Fatal(sqlstate::kProtocolViolation,
                              "terminating connection because protocol synchronization was lost"));
      break;
    }
  }
  if (sink_.client_gone()) Close();
}

void ServerSession::Impl::HandleCopyInData(std::string_view piece) {
  idle_deadline_known_ = false;
  if (relay_ != nullptr) {
    AfterRelay(relay_->RelayCopyData(piece, sink_));
    return;
  }
  if (!in_copy()) return;
  Guarded(frontend::kCopyData, [&] {
    const Status status = session_->CopyInData(piece);
    if (!status.ok()) EndCopy(status);
  });
}

void ServerSession::Impl::EndCopy(const Status& status) {
  if (state_ == State::kCopyInSimple) {
    FinishSimple(status);
  } else {
    state_ = State::kSkipUntilSync;
    ReportError(status);
  }
}

Status ServerSession::Impl::Refused(Status status) {
  session_->FailTransaction();
  return status;
}

void ServerSession::Impl::ReportError(const Status& status) {
  if (sink_.client_gone()) {
    Close();
  } else if (status.error().fatal) {
    CloseWith(status);
  } else {
    AppendErrorResponse(*out_, "ERROR", status.error());
  }
}

void ServerSession::Impl::SendReadyForQuery() {
  if (serves_pooler()) ReportClientState();
  AppendReadyForQuery(*out_, session_->transaction_status());
}

}  // namespace connbench::protocol
