// Runs the clients' scripts: transactions, and what came of them.
#include "harness/load/transactions.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/printable.h"
#include "harness/load/worker_parts.h"

namespace connbench::load {
namespace {

using protocol::ClientSession;
using TransactionStatus = ClientSession::TransactionStatus;

// A script that neither sends nor sleeps gives way to other clients after so many transactions.
constexpr int kTransactionsPerTurn = 64;

// Errors that the next transaction would only repeat: the statement itself is wrong.
bool IsHopeless(std::string_view sqlstate) {
  return sqlstate.starts_with("42") || sqlstate.starts_with("0A");
}

}  // namespace

Transactions::Transactions(WorkerParts& parts) : parts_(parts), state_(parts.state) {}

void Transactions::Begin(Client& client, MonotonicNs now) {
  for (int turn = 0; turn < kTransactionsPerTurn; ++turn) {
    client.stamps = {.intended = now, .wanted = std::exchange(client.wanted, 0)};
    client.in_transaction = true;
    state_.recorder.ClientAsks(client.place, client.stamps.request_begin());
    state_.recorder.TransactionBegun();
    state_.recorder.ClientBegun(client.place);
    client.runner.Begin();
    client.state = Client::State::kSleeping;  // until something is sent
    Continue(client, now);
    // Still here with nothing in flight: a script without SQL that goes on with the next one.
    if (client.in_transaction || client.state != Client::State::kSleeping) return;
    now = MonotonicNow();
  }
  parts_.timers.Set(client, now);
}

void Transactions::Continue(Client& client, MonotonicNs now) {
  while (true) {
    switch (client.runner.Next()) {
      case ScriptRunner::Step::kQuery:
        if (!client.runner.in_pipeline()) return parts_.statements.Send(client, now);
        parts_.statements.Queue(client);
        break;
      case ScriptRunner::Step::kSync:
        return parts_.statements.Sync(client, now);
      case ScriptRunner::Step::kSleep:
        client.state = Client::State::kSleeping;
        client.deadline = kNoDeadline;
        parts_.timers.Set(client, now + client.runner.sleep_ns());
        return;
      case ScriptRunner::Step::kDone:
        if (client.connection.session().transaction_status() == TransactionStatus::kIdle) {
          return Finish(client, now);
        }
        return Abort(client, now, "script",
                     fmt::format("{}: the script ends inside a transaction",
                                 state_.settings.scripts->scripts()[client.runner.script()].path));
      case ScriptRunner::Step::kError:
        return Abort(client, now, "script", client.runner.error().ToString());
    }
  }
}

void Transactions::Answered(Client& client) {
  const MonotonicNs now = MonotonicNow();
  if (client.connection.phases().first_row_ns == 0) {
    client.connection.phases().first_row_ns = now;
    state_.recorder.FirstRow(client.connection.phases());
  }
  if (client.state == Client::State::kRollingBack) {
    if (client.rolling_back) {
      client.rolling_back = false;
      return Finish(client, now);
    }
    return CleanUp(client, now);  // a pipeline that was broken off has ended
  }
  if (client.state != Client::State::kRunning) return;  // nothing of ours: it only noticed
  const ScriptCommand& command = client.runner.command();
  const ClientSession::Command& result = client.connection.session().command();
  if (result.wanted_copy_data) {
    return Abort(client, now, "script",
                 fmt::format("line {}: COPY FROM STDIN is not possible in a script: it has no data",
                             command.line));
  }
  if (result.failed) {
    const std::string reason =
        fmt::format("{} [{}]", client.connection.session().error().message, result.sqlstate);
    if (IsHopeless(result.sqlstate)) return Abort(client, now, result.sqlstate, reason);
    Fail(client, now, result.sqlstate, reason);
    return CleanUp(client, now);
  }
  if (command.capture == Capture::kGset && client.capture->rows() != 1) {
    Fail(client, now, "gset",
         fmt::format("\\gset needs one row, the statement in line {} gave {}", command.line,
                     client.capture->rows()));
    return CleanUp(client, now);
  }
  if (command.capture != Capture::kNone) {
    for (const RowCapture::Found& found : client.capture->found()) {
      const std::string name = command.capture_prefix + found.name;
      if (client.runner.SetVariable(name, found.value)) continue;
      return Abort(client, now, "gset",
                   fmt::format("line {}: a column \"{}\" cannot become a variable; name it with AS",
                               command.line, Printable(name)));
    }
  }
  Continue(client, now);
}

void Transactions::Abort(Client& client, MonotonicNs now, std::string_view code,
                         std::string_view reason) {
  client.aborted = true;
  Fail(client, now, code, reason);
  CleanUp(client, now);
}

void Transactions::CleanUp(Client& client, MonotonicNs now) {
  const ClientSession& session = client.connection.session();
  if (session.in_pipeline() || session.transaction_status() != TransactionStatus::kIdle) {
    parts_.statements.RollBack(client, now);
  } else {
    Finish(client, now);
  }
}

void Transactions::Fail(Client& client, MonotonicNs now, std::string_view code,
                        std::string_view reason) {
  if (client.unsent) parts_.arrivals.StampSent(client);
  client.in_transaction = false;
  client.wanted = client.stamps.request_begin();  // until it tries again, or gives up
  state_.recorder.TransactionFailed(now, code, reason);
}

// The transaction is over; what comes next is the plan's matter.
void Transactions::Finish(Client& client, MonotonicNs now) {
  if (client.in_transaction) {
    client.in_transaction = false;
    if (client.unsent) parts_.arrivals.StampSent(client);  // there was no SQL in it
    state_.recorder.TransactionOk(client.stamps, now);
    state_.recorder.ClientOk(client.place, now);
    if (state_.plan.warmup != nullptr) state_.plan.warmup->Add(now, now - client.stamps.intended);
    if (state_.victims != nullptr && state_.plan.record) {
      state_.victims->Record(client.stamps.intended, now);
    }
    parts_.connects.Served(client, now);
  } else {
    if (state_.plan.kind != Plan::Kind::kChurn && !parts_.arrivals.active() &&
        parts_.connects.ComesBack(client, now)) {
      parts_.connects.Close(client, now);  // it was not served
      ++client.failed;
      parts_.connects.ComeBackLater(client, now);
      return;
    }
    parts_.connects.GiveUp(client, now);
  }
  if (parts_.arrivals.active()) {
    if (client.aborted) {
      parts_.Rest(client);
    } else {
      parts_.arrivals.MakeFree(client);
    }
    return;
  }
  const bool last = client.transactions_left > 0 && --client.transactions_left == 0;
  const bool over = now >= state_.plan.until || client.aborted;
  if (state_.plan.kind == Plan::Kind::kChurn && (last || over)) {
    parts_.connects.SessionEnded(client, now);
    return;
  }
  if (last || over) {
    parts_.Rest(client);
    return;
  }
  if (client.state == Client::State::kRunning || client.state == Client::State::kRollingBack) {
    Begin(client, now);
    return;
  }
  client.state = Client::State::kSleeping;  // Begin's loop goes on, or a timer
}

}  // namespace connbench::load
