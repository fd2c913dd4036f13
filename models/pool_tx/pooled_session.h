// A client of the pooler, once it is authenticated: relays its messages to the backend that it has
// leased, and the answers back. models/pool_tx/README.md has the rules and the reasons.
//
// Safety: on the pooler's loop, on the client's fiber.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/pool_tx/expected_answers.h"
#include "models/pool_tx/pooler.h"
#include "protocol/relayed_session.h"

namespace connbench::models {

class PooledSession final : public protocol::RelayedSession {
 public:
  PooledSession(Pooler& pooler, const engine::SessionOptions& options, uint32_t cancel_key);
  ~PooledSession() override;  // gives the backend back, rolled back

  // Finds out what the client is to be told. Needs a backend only for the first client of its kind.
  Status Start(const engine::SessionOptions& options);
  const BackendLink* link() const { return link_; }
  const std::string& identity() const { return identity_; }
  bool superuser() const { return superuser_; }
  // For connbench_pool_clients.
  void Show(engine::PoolClientState state, MonotonicNs now, const BackendLink* link = nullptr) {
    pooler_.Show(place_, connection_id_, link, state, now);
  }
  // Whether the client is no longer there to read an answer. A TCP socket does not tell until it is
  // sent something: that is done once, probe_after its client has finished sending; ask again then.
  bool Left(MonotonicNs probe_after);

  Status RelayMessage(char type, std::string_view body, protocol::AnswerWriter& answers) override;
  Status RelayCopyData(std::string_view bytes, protocol::AnswerWriter& answers) override;
  Status RelayFinish(protocol::AnswerWriter& answers) override;

  void ReportParameters(engine::ResultSink& sink) override;
  uint32_t cancel_key() const override { return cancel_key_; }
  void SetWaiter(engine::Waiter& /*waiter*/) override {}
  engine::TransactionStatus transaction_status() const override { return transaction_; }
  MonotonicNs IdleDeadline(MonotonicNs now) const override;
  Status IdleTimeoutError() const override;
  Status TerminationRequested() const override;

 private:
  using Kind = ExpectedAnswer::Kind;
  using StatementPtr = std::shared_ptr<PooledStatement>;

  // ---- pooled_session.cc: the lease ----
  // An error that is not fatal: the wait was cancelled, and the session goes on.
  Status EnsureLease();
  void GiveBack();
  // Nothing is under way between the client and its backend, whose last word was ReadyForQuery.
  bool AtBoundary() const {
    return !open_ && expected_.empty() && to_send_.empty() &&
           transaction_ == engine::TransactionStatus::kIdle;
  }
  // The backend has nothing to say before it gets more: everything is answered but a COPY that
  // wants its data.
  bool Answered() const { return expected_.empty() || (copying_ && expected_.size() == 1); }
  // Sends what there is, and passes on what is answered until Answered(). Null: the client is told
  // nothing yet.
  Status Settle(protocol::AnswerWriter* answers);
  // The client is gone: nobody waits for what its backend still does.
  void Abandon();

  // ---- pooled_session_messages.cc: what the client says ----
  void GoOn();  // after a silence
  ExpectedAnswer& Append(char type, std::string_view body, Kind kind);
  Status Forward(char type, std::string_view body, protocol::AnswerWriter& answers);
  Status ForwardCopyEnd(char type, std::string_view body, protocol::AnswerWriter& answers);
  void ForwardParse(std::string_view body);
  void ForwardBind(std::string_view body);
  void ForwardDescribeOrClose(char type, std::string_view body);
  // What the client is told when its wait for a backend was cancelled.
  Status AnswerCanceled(const Status& why, char type, std::string_view body,
                        protocol::AnswerWriter& answers);
  // True: answered without a backend.
  bool AnswerHere(char type, std::string_view body, protocol::AnswerWriter& answers);
  // Whether what the message means, and what must go before it, depends on statements that have not
  // been answered: they may drop a prepared statement that it names, or begin a COPY.
  bool NeedsTruth(char type, std::string_view body) const;
  // Under which the backend knows the client's statement, prepared there if it was not.
  std::string BackendStatement(std::string_view client_name);
  void InjectClose(std::string_view backend_name);
  void InjectParse(const PooledStatement& statement, std::string_view backend_name);
  // The client's name means another statement from now on, or none (null).
  void ChangeName(ExpectedAnswer& answer, std::string_view name, StatementPtr statement);
  StatementPtr FindStatement(std::string_view name) const;

  // ---- pooled_session_answers.cc: what the backend says ----
  // True: the answer is for the client.
  bool OnAnswer(const protocol::Message& message);
  bool Pop(Kind kind);
  bool OnReady(std::string_view body);
  void OnError(std::string_view body);
  void OnClientState(std::string_view body);
  void OnStatementsGone();
  // It has never happened.
  void Undo(ExpectedAnswer& answer);
  void SetName(const std::string& name, StatementPtr statement);
  // An error message with the client's name of the statement in place of the backend's.
  std::string WithClientsName(std::string_view message) const;

  Pooler& pooler_;
  const uint32_t connection_id_;
  const uint32_t cancel_key_;
  const bool superuser_;
  const int place_;       // in connbench_pool_clients
  std::string identity_;  // user, zero byte, database
  ClientKind client_;

  BackendLink* link_ = nullptr;
  const BackendLink* last_link_ = nullptr;     // compared only
  LoopTask* task_ = nullptr;                   // the client's connection
  protocol::AnswerWriter* answers_ = nullptr;  // during a call that has one
  Status failure_;                             // fatal: the connection must end
  std::string to_send_;                        // whole messages
  ExpectedAnswers expected_;
  engine::TransactionStatus transaction_ = engine::TransactionStatus::kIdle;
  bool open_ = false;      // something was sent since the backend's last ReadyForQuery
  bool copying_ = false;   // the backend wants CopyData
  bool copy_fed_ = false;  // some was sent: the COPY may have failed
  bool skipping_ = false;  // a message failed: everything up to Sync is dropped
  bool starting_ = false;  // what is answered is for the pooler
  bool session_over_ = false;
  bool refused_ = false;  // by the pooler: the backend's session is ended with the client's
  bool abandoned_ = false;
  // When the client is sent something, to see whether it is there.
  MonotonicNs probe_at_ = kNoDeadline;
  bool probed_ = false;
  std::unordered_map<std::string, StatementPtr> statements_;  // "": the unnamed one
  std::string failed_statement_;  // the client's name of the one whose message failed last
};

}  // namespace connbench::models
