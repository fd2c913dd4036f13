// The part of a Worker that runs a client's script: transactions, statements, and what came of them.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "harness/load/worker_client.h"

namespace connbench::load {
namespace {

using protocol::ClientSession;

// A script that neither sends nor sleeps gives way to other clients after so many transactions.
constexpr int kTransactionsPerTurn = 64;

// Errors that the next transaction would only repeat: the statement itself is wrong.
bool IsHopeless(std::string_view sqlstate) {
  return sqlstate.starts_with("42") || sqlstate.starts_with("0A");
}

}  // namespace

void Worker::BeginTransaction(Client& client, MonotonicNs now) {
  for (int turn = 0; turn < kTransactionsPerTurn; ++turn) {
    client.stamps = {.intended = now};
    client.in_transaction = true;
    recorder_.TransactionBegun();
    recorder_.ClientBegun(client.place);
    client.runner.Begin();
    client.state = Client::State::kSleeping;  // until something is sent
    ContinueScript(client, now);
    // Still here with nothing in flight: a script without SQL that goes on with the next one.
    if (client.in_transaction || client.state != Client::State::kSleeping) return;
    now = MonotonicNow();
  }
  SetTimer(client, now);
}

void Worker::ContinueScript(Client& client, MonotonicNs now) {
  switch (client.runner.Next()) {
    case ScriptRunner::Step::kQuery:
      Send(client, now);
      return;
    case ScriptRunner::Step::kSleep:
      client.state = Client::State::kSleeping;
      client.deadline = kNoDeadline;
      SetTimer(client, now + client.runner.sleep_ns());
      return;
    case ScriptRunner::Step::kDone:
      FinishTransaction(client, now);
      return;
    case ScriptRunner::Step::kError:
      client.aborted = true;
      FailTransaction(client, now, "script", client.runner.error().ToString());
      FinishTransaction(client, now);
      return;
  }
}

void Worker::Send(Client& client, MonotonicNs now) {
  const ScriptCommand& command = client.runner.command();
  ClientSession& session = client.connection.session();
  if (command.gset) {
    if (client.capture == nullptr) client.capture = std::make_unique<RowCapture>();
    client.capture->Clear();
  }
  session.set_sink(command.gset ? client.capture.get() : nullptr);
  if (settings_.protocol == ProtocolMode::kSimple) {
    sql_.clear();
    client.runner.AppendSql(sql_);
    session.Query(sql_);
  } else {
    // Text first, pointers into it after it has stopped growing.
    parameter_text_.clear();
    parameter_places_.clear();
    for (size_t i = 0; i < command.variables.size(); ++i) {
      const size_t begin = parameter_text_.size();
      const bool is_set = client.runner.AppendParameter(i, parameter_text_);
      parameter_places_.emplace_back(
          begin, is_set ? static_cast<int32_t>(parameter_text_.size() - begin) : -1);
    }
    parameters_.clear();
    for (const auto& [begin, length] : parameter_places_) {
      parameters_.push_back({length < 0 ? nullptr : parameter_text_.data() + begin, length});
    }
    if (settings_.protocol == ProtocolMode::kExtended) {
      session.QueryExtended(command.parameterised, parameters_);
    } else {
      session.QueryPrepared(command.statement, command.parameterised, parameters_);
    }
  }
  client.state = Client::State::kRunning;
  client.deadline = now + settings_.statement_timeout_ns;
  if (client.unsent) StampSent(client);
  // A first statement is stamped when it is sent.
  if (collecting_ && client.first_query_sent &&
      batch_->Add(client.connection.fd(), client.connection.unsent(), client.place)) {
    return;
  }
  const Connection::Event event = client.connection.Flush();
  if (!client.first_query_sent) {
    client.first_query_sent = true;
    client.connection.phases().first_query_ns = MonotonicNow();
  }
  Handle(client, event);
}

void Worker::SendTogether() {
  collecting_ = false;
  for (const SendBatch::Sent& sent : batch_->Submit()) {
    Client& client = *clients_[sent.tag];
    Handle(client, client.connection.Sent(sent.result));
  }
}

void Worker::CommandDone(Client& client) {
  const MonotonicNs now = MonotonicNow();
  if (client.connection.phases().first_row_ns == 0) {
    client.connection.phases().first_row_ns = now;
    recorder_.FirstRow(client.connection.phases());
  }
  ClientSession& session = client.connection.session();
  if (client.state == Client::State::kRollingBack) {
    FinishTransaction(client, now);
    return;
  }
  if (client.state != Client::State::kRunning) return;  // nothing of ours: it only noticed
  const ScriptCommand& command = client.runner.command();
  if (session.command().failed) {
    if (IsHopeless(session.command().sqlstate)) client.aborted = true;
    FailTransaction(client, now, session.command().sqlstate,
                    fmt::format("{} [{}]", session.error().message, session.command().sqlstate));
  } else if (command.gset && client.capture->rows() != 1) {
    FailTransaction(client, now, "gset",
                    fmt::format("\\gset needs one row, the statement in line {} gave {}",
                                command.line, client.capture->rows()));
  } else {
    if (command.gset) {
      for (size_t i = 0; i < client.capture->names().size(); ++i) {
        const auto& value = client.capture->values()[i];
        client.runner.SetVariable(command.gset_prefix + client.capture->names()[i],
                                  value ? std::optional<std::string_view>(*value) : std::nullopt);
      }
    }
    ContinueScript(client, now);
    return;
  }
  if (session.transaction_status() == ClientSession::TransactionStatus::kIdle) {
    FinishTransaction(client, now);
    return;
  }
  client.state = Client::State::kRollingBack;
  session.set_sink(nullptr);
  session.Query("ROLLBACK");
  Handle(client, client.connection.Flush());
}

void Worker::FailTransaction(Client& client, MonotonicNs now, std::string_view code,
                             std::string_view reason) {
  if (client.unsent) StampSent(client);
  client.in_transaction = false;
  recorder_.TransactionFailed(now, code, reason);
}

// The transaction is over; what comes next is the plan's matter.
void Worker::FinishTransaction(Client& client, MonotonicNs now) {
  if (client.in_transaction) {
    client.in_transaction = false;
    if (client.unsent) StampSent(client);  // there was no SQL in it
    recorder_.TransactionOk(client.stamps, now);
    recorder_.ClientOk(client.place, now);
    if (plan_.warmup != nullptr) plan_.warmup->Add(now, now - client.stamps.intended);
    if (victims_ != nullptr && plan_.record) victims_->Record(client.stamps.intended, now);
    ClientServed(client, now);
  } else if (plan_.kind != Plan::Kind::kChurn && loop_ == nullptr && ComesBack(client, now)) {
    CloseClient(client, now);  // it was not served
    ++client.failed;
    ComeBackLater(client, now);
    return;
  }
  if (loop_ != nullptr) {
    if (client.aborted) {
      Rest(client);
    } else {
      MakeFree(client);
    }
    return;
  }
  const bool last = client.transactions_left > 0 && --client.transactions_left == 0;
  const bool over = now >= plan_.until || client.aborted;
  if (plan_.kind == Plan::Kind::kChurn && (last || over)) {
    SessionEnded(client, now);
    return;
  }
  if (last || over) {
    Rest(client);
    return;
  }
  if (client.state == Client::State::kRunning || client.state == Client::State::kRollingBack) {
    BeginTransaction(client, now);
    return;
  }
  client.state = Client::State::kSleeping;  // BeginTransaction's loop goes on, or a timer
}

}  // namespace connbench::load
