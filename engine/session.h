// All that the protocol and a connection model ever see of the engine: one client's session.
//
// A Session is one client's private state: prepared statements, portals, snapshot, settings, memory
// limited by work_mem. Two implementations exist: the query engine (engine/engine.cc) and the
// canned one (engine/canned_session.cc), which answers without any engine to show what a model
// alone costs.
//
// Safety: private memory of one process; used by one thread at a time; may move between threads of
// that process at any message boundary (the calls below), with another Waiter each time.
// Destroying a Session rolls back what it has open and gives its backend slot back.
//
// Errors: each call returns a Status as a client would see it. The session itself has then already
// done what PostgreSQL does: rolled back the implicit transaction, or put the open transaction into
// the failed state. The session lives on unless error().fatal.
//
// Blocking: a call blocks only in the Waiter (locks) and in ResultSink::DataRow/CopyData (output).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/wire_value.h"
#include "engine/segment/wakeup.h"

namespace connbench::engine {

// Where a session's answers go; implemented by protocol::ServerSession, which turns each call into
// one message. The session calls it only from within the calls below, on the same thread.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void ParameterDescription(std::span<const Oid> types) = 0;
  // formats is empty (all text), has one entry (for all) or one per column.
  virtual void RowDescription(std::span<const ColumnDescription> columns,
                              std::span<const WireFormat> formats) = 0;
  virtual void NoData() = 0;
  // May block to let the client catch up; an error means the client is gone and must be returned.
  virtual Status DataRow(std::span<const WireValue> values) = 0;
  virtual void CommandComplete(std::string_view tag) = 0;
  virtual void EmptyQuery() = 0;
  virtual void PortalSuspended() = 0;
  // Columns all in one format.
  virtual void CopyInResponse(WireFormat format, int columns) = 0;
  virtual void CopyOutResponse(WireFormat format, int columns) = 0;
  virtual Status CopyData(std::string_view bytes) = 0;
  virtual void CopyDone() = 0;
  virtual void Notice(std::string_view severity, const ErrorInfo& notice) = 0;
  virtual void ParameterStatus(std::string_view name, std::string_view value) = 0;
};

enum class TransactionStatus : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

// What a call left the session in.
enum class Progress : uint8_t {
  kDone,
  kCopyIn,  // the session now wants CopyInData ... CopyInDone or CopyInFail, nothing else
};

struct StartupParameter {
  std::string name;
  std::string value;
};

// FATAL 22021 unless it is valid UTF-8: what a client says before it has a session, and SQL may
// show to others later.
Status CheckStartupText(std::string_view text);

struct SessionOptions {
  uint32_t connection_id = 0;  // from ConnectionLog::Begin
  std::string user;
  std::string database;
  std::string client_address;                // "127.0.0.1:40000", for people
  bool superuser = false;                    // may use the reserved connections
  std::vector<StartupParameter> parameters;  // settings from the startup packet
};

// What a connection asks of its session, whoever runs its messages: a Session, or a pooler that
// relays them (protocol/relayed_session.h).
class SessionStanding {
 public:
  virtual ~SessionStanding() = default;

  // Sends the ParameterStatus messages of a new session.
  virtual void ReportParameters(ResultSink& sink) = 0;
  // The secret that a CancelRequest for this session must carry.
  virtual uint32_t cancel_key() const = 0;
  // The model calls this before it runs the session on another thread.
  virtual void SetWaiter(Waiter& waiter) = 0;

  virtual TransactionStatus transaction_status() const = 0;
  // What idle_in_transaction_session_timeout (or idle_session_timeout) allows from now on while the
  // client says nothing; kNoDeadline if nothing. Cheap.
  virtual MonotonicNs IdleDeadline(MonotonicNs now) const = 0;
  // The FATAL error to end the session with when that deadline has passed.
  virtual Status IdleTimeoutError() const = 0;
  // A pending request to end this session (shutdown, pg_terminate_backend), as a FATAL Status.
  virtual Status TerminationRequested() const = 0;
};

// What a client has changed in its session, other than its transaction and the protocol's prepared
// statements: a pooler takes it from one session to another.
struct ClientState {
  std::vector<StartupParameter> startup;   // what RESET goes back to
  std::vector<StartupParameter> settings;  // what differs from the server's defaults
  // The session holds more of the client than can be taken along: SQL's PREPARE, currval(), a seed.
  bool touched = false;
  int64_t idle_session_timeout_ms = 0;  // 0: none
  std::string time_zone;                // which decides what the literals of a statement mean
};

class Session : public SessionStanding {
 public:
  // Simple protocol: all statements of sql, in an implicit transaction unless one is open.
  virtual Result<Progress> Query(std::string_view sql, ResultSink& sink) = 0;

  // Extended protocol. The empty name is the unnamed statement or portal.
  virtual Status Parse(std::string_view statement, std::string_view sql,
                       std::span<const Oid> parameter_types, ResultSink& sink) = 0;
  virtual Status Bind(std::string_view portal, std::string_view statement,
                      std::span<const WireFormat> parameter_formats,
                      std::span<const WireValue> parameters,
                      std::span<const WireFormat> result_formats) = 0;
  virtual Status DescribeStatement(std::string_view statement, ResultSink& sink) = 0;
  virtual Status DescribePortal(std::string_view portal, ResultSink& sink) = 0;
  // max_rows 0: all.
  virtual Result<Progress> Execute(std::string_view portal, int64_t max_rows, ResultSink& sink) = 0;
  virtual Status CloseStatement(std::string_view statement) = 0;
  virtual Status ClosePortal(std::string_view portal) = 0;
  // Ends the implicit transaction; its commit may fail.
  virtual Status Sync(ResultSink& sink) = 0;

  // While a call returned kCopyIn. CopyInDone goes on with what follows the COPY in its query
  // string. An error ends the COPY.
  virtual Status CopyInData(std::string_view bytes) = 0;
  virtual Result<Progress> CopyInDone(ResultSink& sink) = 0;
  virtual Status CopyInFail(std::string_view reason) = 0;

  // The protocol refused a message (malformed, out of place): does to the transaction, and to a
  // COPY in progress, what any error of a statement does to them.
  virtual void FailTransaction() = 0;

  // A pooler's backend: one session that serves many clients, each for a while. Only between
  // transactions. Each begins by forgetting what the last client has left; the protocol's prepared
  // statements stay, for the pooler has named them.
  // A new client, with the parameters of its startup packet; an error is as at a session's start.
  virtual Status BeginClient(const std::vector<StartupParameter>& /*parameters*/) { return {}; }
  // A client that comes back.
  virtual void ResumeClient(const ClientState& /*state*/) {}
  virtual ClientState client_state() const { return {}; }
  // Differs whenever client_state() does.
  virtual uint64_t client_state_version() const { return 0; }
  // How often all prepared statements were dropped at once (DEALLOCATE ALL, DISCARD ALL).
  virtual uint64_t deallocations() const { return 0; }
};

}  // namespace connbench::engine
