// The inside of ServerSession: where a connection stands, and one function per message.
//
// Safety: as ServerSession. Only server_session*.cc include this.
#pragma once

#include <memory>
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
       uint32_t connection_id, ClientOrigin origin, std::string& wire);

  // server_session.cc: bytes and deadlines
  Want Receive(std::string_view bytes);
  MonotonicNs InputDeadline() const;
  Want InputDeadlinePassed();
  Want CheckTermination();
  void SetWaiter(engine::Waiter& waiter);
  void PrefetchSession() const;
  engine::TransactionStatus transaction_status() const;
  bool authenticated() const { return session_ != nullptr; }
  bool termination_pending() const {
    return session_ != nullptr && !session_->TerminationRequested().ok();
  }
  bool mid_message() const;
  size_t retained_bytes() const {
    const size_t plain = encryption_ == nullptr ? 0 : encryption_->plain.capacity();
    return plain + pending_.capacity() + bind_.retained_bytes();
  }
  // server_session_tls.cc: encrypts what has been said meanwhile, and hands want on.
  Want Sealed(Want want);

 private:
  enum class State : uint8_t {
    kStartup,         // no session yet; packets without a type
    kTlsRequested,    // SSLRequest was the last thing that came in clear
    kAuthenticating,  // password messages only
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
  void FinishRelay();
  void Close() { state_ = State::kClosed; }
  // FATAL: an ErrorResponse, then the end.
  void CloseWith(const Status& status);

  // server_session_tls.cc
  bool TlsOffered() const;
  Want AcceptTls();
  Want ReceiveEncrypted(std::string_view wire);
  Status FlushEncrypted(std::string& plain);

  // server_session_startup.cc
  void HandleStartupPacket(std::string_view packet);
  void Refuse(const Status& status);
  void StartSession(bool superuser);

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
  void BeginScram();
  size_t MaxAuthenticationBytes() const;
  void HandleAuthentication(std::string_view body);
  void HandlePassword(std::string_view body);
  void HandleSasl(std::string_view body);
  void Authenticated();

  // server_session_messages.cc
  void HandleMessage(char type, std::string_view body);
  void HandleCopyInMessage(char type, std::string_view body);
  void HandleCopyInData(std::string_view piece);
  void HandleQuery(std::string_view body);
  void HandleSync();
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

  engine::Engine& engine_;
  engine::Waiter* waiter_;
  OutputChannel& channel_;
  std::string& wire_;
  std::string* out_;  // where messages go: wire_, or encryption_->plain
  AnswerWriter sink_;
  std::unique_ptr<engine::Session> session_;
  RelayedSession* relay_ = nullptr;  // session_, if that takes its messages whole
  uint32_t connection_id_;
  State state_ = State::kStartup;
  bool ssl_seen_ = false;
  bool gss_seen_ = false;
  bool batch_open_ = false;  // an extended-protocol message came since the last Sync
  mutable bool idle_deadline_known_ = false;
  uint32_t copy_data_left_ = 0;   // bytes of the CopyData message being streamed
  std::unique_ptr<Login> login_;  // until the session has started
  std::unique_ptr<Encryption> encryption_;
  std::string pending_;  // the incomplete tail of what was received
  BindMessage bind_;
  std::vector<engine::Oid> parameter_types_;  // of Parse
  MonotonicNs authentication_deadline_;
  mutable MonotonicNs idle_deadline_ = kNoDeadline;
};

}  // namespace connbench::protocol
