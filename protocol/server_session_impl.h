// The inside of ServerSession: where a connection stands, and one function per message.
//
// Safety: as ServerSession. Only server_session*.cc include this.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/answer_writer.h"
#include "protocol/bind_message.h"
#include "protocol/limits.h"
#include "protocol/relayed_session.h"
#include "protocol/scram.h"
#include "protocol/server_session.h"
#include "protocol/startup.h"

namespace connbench::protocol {

// Gives back a buffer that has grown large.
inline void EmptyBuffer(std::string& buffer) {
  if (buffer.capacity() > kRetainedBufferBytes) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

class ServerSession::Impl {
 public:
  Impl(engine::Engine& engine, engine::Waiter& waiter, OutputChannel& channel,
       uint32_t connection_id, ClientOrigin origin, RelayHost* relays, Counterpart counterpart,
       std::string& wire);

  // server_session.cc: bytes and deadlines
  Want Receive(std::string_view bytes);
  MonotonicNs InputDeadline() const;
  Want InputDeadlinePassed();
  Want CheckTermination();
  void SetWaiter(engine::Waiter& waiter);
  void PrefetchSession() const;
  engine::TransactionStatus transaction_status() const;
  bool authenticated() const { return standing_ != nullptr; }
  bool termination_pending() const {
    return standing_ != nullptr && !standing_->TerminationRequested().ok();
  }
  bool mid_message() const;
  size_t retained_bytes() const {
    const size_t plain = encryption_ == nullptr ? 0 : encryption_->plain.capacity();
    return plain + pending_.capacity() + bind_.retained_bytes();
  }
  // Ends the session for which there is not even the memory to go on; says so if that is possible.
  Want CloseWithoutMemory();
  // server_session_tls.cc: encrypts what has been said meanwhile, and hands want on.
  Want Sealed(Want want);

 private:
  enum class State : uint8_t {
    kStartup,         // no session yet; packets without a type
    kTlsRequested,    // SSLRequest was the last thing that came in clear
    kGssRequested,    // the same of GSSENCRequest
    kAuthenticating,  // password messages only
    kRefusedLater,    // the login has failed, and the client is told after auth_delay
    kMessages,        // any message may come
    kSkipUntilSync,   // an extended-protocol message failed
    kCopyInSimple,    // COPY FROM STDIN within Query
    kCopyInExtended,  // the same within Execute
    kClosed,
  };

  // What is known until the session starts.
  struct Login {
    ClientOrigin origin;
    StartupPacket packet{};
    AuthMethod method = AuthMethod::kTrust;
    std::optional<engine::Role> role{};
    std::unique_ptr<ScramServer> scram{};
    bool scram_begun = false;
  };
  // Between the wire and what is said in clear, once the client has asked for it.
  struct Encryption : OutputChannel {
    Status Flush(std::string& bytes) override { return impl->FlushEncrypted(bytes); }
    Status FlushDownTo(std::string& bytes, size_t keep, int64_t patience_ns) override {
      return impl->FlushEncryptedDownTo(bytes, keep, patience_ns);
    }
    Impl* impl = nullptr;
    std::unique_ptr<TlsStream> stream;
    std::string plain;  // said, not yet encrypted
  };

  bool in_copy() const {
    return state_ == State::kCopyInSimple || state_ == State::kCopyInExtended;
  }

  Want ReceivePlain(std::string_view bytes);
  // Runs what is complete at the front of input and takes it off; false: more bytes are needed.
  bool Advance(std::string_view& input);
  bool AdvanceStartup(std::string_view& input);
  bool AdvanceMessage(std::string_view& input);
  // How many bytes pending_, which Advance() found incomplete, still needs to be looked at again.
  size_t PendingNeeds() const;
  // What a relayed call has come to.
  void AfterRelay(const Status& status);
  void FinishRelay() { AfterRelay(relay_->RelayFinish(sink_)); }
  // Keeps bytes as pending_; without memory for them the message that they belong to fails once it
  // has passed.
  void Keep(std::string_view bytes);
  void DropMessage(std::string_view bytes);
  // Runs handler for a message of that type. If memory runs out the message fails with 53200, as
  // any statement, and the session lives.
  template <typename Handler>
  void Guarded(char type, Handler handler) {
    try {
      handler();
    } catch (const std::bad_alloc&) {
      FailWithoutMemory(type);
    }
  }
  void FailWithoutMemory(char type);
  void Close() { state_ = State::kClosed; }
  // FATAL: an ErrorResponse, then the end.
  void CloseWith(const Status& status);
  // The same for a client that breaks the protocol: what it said before is answered first.
  void BreakOff(const Status& status);

  // server_session_tls.cc
  bool encryption_requested() const {
    return state_ == State::kTlsRequested || state_ == State::kGssRequested;
  }
  bool TlsOffered() const;
  Want AnswerEncryptionRequest();
  void AcceptTls();
  Want ReceiveEncrypted(std::string_view wire);
  Status FlushEncrypted(std::string& plain);
  Status FlushEncryptedDownTo(std::string& plain, size_t keep, int64_t patience_ns);

  // server_session_startup.cc
  void HandleStartupPacket(std::string_view packet);
  void Refuse(const Status& status);
  void StartSession(bool superuser);
  // What was started is the connection's from now on; an error if nothing was.
  template <typename T>
  Status Keep(Result<std::unique_ptr<T>> started, T*& kept) {
    if (!started.ok()) return started.TakeStatus();
    kept = started->get();
    standing_ = std::move(*started);
    return {};
  }

  // server_session_login.cc: from the startup packet to AuthenticationOk
  // At the startup packet, or at the SSLRequest before it: the handshake belongs to what it costs
  // to get in.
  void StampAuthBegin() {
    engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kAuthBegin,
                                   MonotonicNow());
  }
  void BeginAuthentication(StartupPacket packet);
  void RefuseByRules(bool rejected);
  void RefusePassword();
  void LogFailedLogin(const Status& reason);
  void BeginScram();
  size_t MaxAuthenticationBytes() const;
  void HandleAuthentication(std::string_view body);
  void HandlePassword(std::string_view body);
  void HandleSasl(std::string_view body);
  void Authenticated();

  // server_session_messages.cc
  void HandleMessage(char type, std::string_view body);
  void RunMessage(char type, std::string_view body);
  void HandleCopyInMessage(char type, std::string_view body);
  void HandleCopyInData(std::string_view piece);
  void HandleQuery(std::string_view body);
  void HandleSync(std::string_view body);
  Status RunExtended(char type, std::string_view body);
  Status RunParse(std::string_view body);
  Status RunBind(std::string_view body);
  Status RunDescribe(std::string_view body);
  Status RunExecute(std::string_view body);
  Status RunClose(std::string_view body);
  // An error that the session did not see: tells it.
  Status Refused(Status status);
  // What follows a call that may have begun a COPY.
  void FinishSimple(const Result<engine::Progress>& result);
  void ReportError(const Status& status);
  void EndCopy(const Status& status);
  void SendReadyForQuery();

  // server_session_pooled.cc: the other end is a pooler
  bool serves_pooler() const { return counterpart_ == Counterpart::kPooler; }
  void HandleClientChange(std::string_view body);
  void ReportStatementsGone();
  void ReportClientState();

  engine::Engine& engine_;
  engine::Waiter* waiter_;
  OutputChannel& channel_;
  std::string& wire_;
  std::string* out_;  // where messages go: wire_, or encryption_->plain
  AnswerWriter sink_;
  RelayHost* const relays_;
  std::unique_ptr<engine::SessionStanding> standing_;  // null: not authenticated yet
  engine::Session* session_ = nullptr;                 // standing_, if it runs the messages
  RelayedSession* relay_ = nullptr;                    // standing_, if it hands them on
  uint32_t connection_id_;
  State state_ = State::kStartup;
  const Counterpart counterpart_;
  bool ssl_seen_ = false;
  bool gss_seen_ = false;
  bool batch_open_ = false;  // an extended-protocol message came since the last Sync
  mutable bool idle_deadline_known_ = false;
  uint64_t reported_state_ = 0;   // the session's client_state_version() that the pooler knows
  uint64_t deallocations_ = 0;    // of the session's, those that the pooler knows
  uint32_t copy_data_left_ = 0;   // bytes of the CopyData message being streamed
  std::unique_ptr<Login> login_;  // until the session has started
  std::unique_ptr<Encryption> encryption_;
  std::string pending_;      // the incomplete tail of what was received
  size_t dropped_left_ = 0;  // bytes to come of a message for which there was no memory
  char dropped_type_ = 0;
  BindMessage bind_;
  std::vector<Oid> parameter_types_;  // of Parse
  const MonotonicNs created_at_;
  const MonotonicNs authentication_deadline_;
  MonotonicNs look_at_;              // when to see whether others want this client's place
  std::unique_ptr<Status> refusal_;  // while kRefusedLater
  mutable MonotonicNs idle_deadline_ = kNoDeadline;
};

}  // namespace connbench::protocol
