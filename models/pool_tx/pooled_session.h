// A client of the pooler, once it is authenticated: relays its messages to the backend that it has
// leased, and the answers back.
//
// Lease        Taken when a message needs a backend, given back when its transaction is over and every
//              answer has come (pool_mode=transaction), when the client leaves (session), or as in
//              transaction mode but with transactions of several statements refused (statement).
// Statements   A prepared statement has, on every backend, a name made from its text. A Bind or
//              Describe finds out whether the backend at hand has it, and a Parse goes before it if
//              not, whose answer the client does not see. The unnamed statement survives the
//              switch, too. A text that a backend has accepted before is prepared without one.
//              SQL's own PREPARE does not, as with PgBouncer.
// Settings     Those of the startup packet, and changes that the backend reports
//              (ParameterStatus), are applied to a backend that has others, after RESET ALL. Other
//              settings belong to the backend and stay behind, as with PgBouncer: SET LOCAL is safe.
//
// Safety: on the pooler's loop, on the client's fiber.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

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

  void RelayMessage(char type, std::string_view body) override;
  void RelayCopyData(std::string_view bytes) override;
  Status RelayFinish(protocol::AnswerWriter& answers) override;

  void ReportParameters(engine::ResultSink& sink) override;
  uint32_t cancel_key() const override { return cancel_key_; }
  void SetWaiter(engine::Waiter& /*waiter*/) override {}
  engine::TransactionStatus transaction_status() const override { return transaction_; }
  MonotonicNs IdleDeadline(MonotonicNs /*now*/) const override { return kNoDeadline; }
  Status IdleTimeoutError() const override { return {}; }
  Status TerminationRequested() const override;

 private:
  // A message that was sent and is not answered yet.
  struct Expected {
    enum class Kind : uint8_t { kParse, kBind, kClose, kDescribe, kExecute, kSync, kQuery };
    Kind kind;
    bool swallow = false;                        // the pooler asked, not the client
    std::shared_ptr<PooledStatement> statement;  // kParse
    std::string client_name;                     // kParse: as the client calls it
  };
  using Kind = Expected::Kind;

  bool EnsureLease();
  void GiveBack();
  bool idle() const {
    return expected_.empty() && to_send_.empty() && !copying_ && !skipping_ && !batch_open_ &&
           transaction_ == engine::TransactionStatus::kIdle;
  }

  void Append(char type, std::string_view body, Kind kind);
  void RelayParse(std::string_view body);
  void RelayBind(std::string_view body);
  void RelayDescribeOrClose(char type, std::string_view body);
  // The name under which the backend knows the client's statement, prepared there if it was not.
  std::string BackendStatement(std::string_view client_name);
  void InjectParse(std::string_view name, std::string_view parse_body,
                   std::shared_ptr<PooledStatement> statement);
  // True: answered without a backend.
  bool AnswerHere(char type, std::string_view body);

  // True: the answer is for the client.
  bool OnAnswer(const protocol::Message& message);
  bool Pop(Kind kind);
  void OnError(std::string_view body);
  void OnCommandComplete(std::string_view tag);

  Pooler& pooler_;
  const uint32_t connection_id_;
  const uint32_t cancel_key_;
  std::string identity_;  // user, zero byte, database
  BackendLink::Parameters settings_;
  std::string script_;  // that sets them
  BackendLink::Parameters welcome_;

  BackendLink* link_ = nullptr;
  const BackendLink* last_link_ = nullptr;  // compared only
  Status failure_;                          // fatal: the connection must end
  std::string answered_here_;               // goes to the client before what the backend answers
  std::string to_send_;
  std::vector<Expected> expected_;
  engine::TransactionStatus transaction_ = engine::TransactionStatus::kIdle;
  bool copying_ = false;     // the backend wants CopyData
  bool skipping_ = false;    // a message failed: everything up to Sync is dropped
  bool batch_open_ = false;  // an extended-protocol message came since the last Sync
  bool session_over_ = false;
  bool refused_ = false;  // by the pooler: the backend's session is ended with the client's
  std::unordered_map<std::string, std::shared_ptr<PooledStatement>> statements_;
  std::string unnamed_;  // body of the last Parse without a name
  uint64_t unnamed_id_ = 0;
};

}  // namespace connbench::models
