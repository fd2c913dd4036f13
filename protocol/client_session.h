// The client's side of one PostgreSQL connection (protocol 3.0) without any I/O, the mirror of
// ServerSession: commands append bytes to send, received bytes move it on. It owns no socket, knows
// no time and waits for nothing; whoever owns the socket moves the bytes.
//
//   ClientSession session(sink);
//   session.Start({.user = "u", .database = "d"});
//   loop: send session.output(), session.output().clear();
//         session.Receive(bytes)
//         when session.state() is kIdle: session.Query("SELECT 1") ...
//         when it is kClosed: session.error() says why.
//
// One command is in flight at a time: a command may be given only in kIdle, and the session is
// kIdle again at the ReadyForQuery that ends it. A pipeline is one command of several statements. A
// command that fails leaves command().failed and goes on to kIdle; a FATAL error, bytes that are
// not the protocol, or an authentication method that this client lacks, end in kClosed.
//
// With a ClientSecurity it can answer for a password (cleartext, SCRAM-SHA-256 and -PLUS) and
// encrypt: what Receive() takes and output() holds is wire bytes in any case.
//
// Extended protocol as pgbench uses it: unnamed = Parse Bind Describe Execute Sync, every time;
// prepared = Parse once per connection and statement (in the same batch as the first Bind), then
// Bind Describe Execute Sync; so that the server's work is the same.
//
// Safety: private memory of one thread. Hostile servers: message lengths are limited, nothing is
// read past what was given, and memory grows only up to one message within that limit.
//
// Source: PostgreSQL 15 documentation, chapter 55.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/client_security.h"
#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::protocol {

// What a caller wants to see of results; the load generator wants nothing in most statements.
// Views live for the call only.
class ClientRowSink {
 public:
  virtual ~ClientRowSink() = default;
  // A new result set begins.
  virtual void Columns(std::span<const std::string_view> names) = 0;
  virtual void Row(std::span<const WireValue> values) = 0;
  virtual void Tag(std::string_view tag) = 0;  // CommandComplete
  virtual void Notice(const ErrorFields& /*notice*/) {}
};

class ClientSession {
 public:
  using TransactionStatus = engine::TransactionStatus;

  enum class State : uint8_t {
    kNew,             // Start() was not called
    kAskingForTls,    // SSLRequest sent
    kHandshaking,     // TLS is being set up
    kAuthenticating,  // startup sent
    kStarting,        // AuthenticationOk seen, ReadyForQuery not yet
    kIdle,            // ready for a command
    kBusy,            // a command is in flight
    kClosed,          // ended by either side
  };
  // Why the session is kClosed.
  enum class End : uint8_t {
    kOpen,              // it is not
    kTerminated,        // Terminate() was called
    kFatalError,        // the server said so: error()
    kNoAuthentication,  // the server wants a method or password that this client lacks, or will
                        // not encrypt or prove what this client insists on
    kProtocolError,     // what came was not the protocol: error() says what
  };

  struct StartupOptions {
    std::string_view user;
    std::string_view database;
    std::string_view application_name;
    // Null: no password, no encryption.
    ClientSecurity* security = nullptr;
  };

  // What the last command brought.
  struct Command {
    uint64_t rows = 0;
    bool failed = false;
    bool wanted_copy_data = false;  // COPY FROM STDIN, which this client cannot feed
    char sqlstate[6] = "";          // of its first error
  };

  ClientSession() = default;
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Forgets everything, so that the object (and its buffers) can serve the next connection.
  void Reset();

  // What options point to must live until the session is ready.
  void Start(const StartupOptions& options);

  // Commands; require kIdle.
  void Query(std::string_view sql);
  void QueryExtended(std::string_view sql, std::span<const WireValue> parameters);
  // statement is the caller's number for sql, below kMaxPreparedStatements; its name on the wire is
  // "P_<statement>".
  void QueryPrepared(uint32_t statement, std::string_view sql,
                     std::span<const WireValue> parameters);
  static constexpr uint32_t kMaxPreparedStatements = 4096;

  // From kIdle: what QueryExtended and QueryPrepared say from now on, in kBusy, is one command,
  // which EndPipeline ends; its answers come together.
  void BeginPipeline();
  void EndPipeline();
  bool in_pipeline() const { return in_pipeline_; }

  // In any state: says good-bye if the connection was begun.
  void Terminate();

  // Takes what was received (any split is fine), runs every complete message in it and returns the
  // new state. An incomplete tail is copied.
  State Receive(std::string_view bytes);

  State state() const { return state_; }
  End end() const { return end_; }
  bool authenticated() const { return authenticated_; }
  const Command& command() const { return command_; }
  TransactionStatus transaction_status() const { return transaction_status_; }
  // From BackendKeyData; 0 until then.
  uint32_t connection_id() const { return connection_id_; }
  uint32_t cancel_key() const { return cancel_key_; }
  // The last error in words: of the command, or of what closed the session.
  const ErrorInfo& error() const { return error_; }
  // Empty if the server did not send it.
  std::string_view ServerParameter(std::string_view name) const;

  // Sees the results from the next command on; null for none. Must outlive its use.
  void set_sink(ClientRowSink* sink) { sink_ = sink; }
  // Keeping ParameterStatus costs memory per connection; off by default.
  void set_keep_parameters(bool keep) { keep_parameters_ = keep; }
  void set_max_message_bytes(size_t bytes) { max_message_bytes_ = bytes; }

  std::string& output() { return output_; }
  bool encrypted() const { return encryption_ != nullptr; }

 private:
  // Between what is said and the wire, once the server has agreed to it.
  struct Encryption {
    std::unique_ptr<TlsStream> stream;
    std::string plain;  // said, not yet encrypted
  };

  // Where messages go.
  std::string& out() { return encryption_ == nullptr ? output_ : encryption_->plain; }
  // Encrypts what is in out(), if the connection is encrypted.
  void Seal();
  void ReceivePlain(std::string_view bytes);
  void ReceiveEncrypted(std::string_view wire);
  void HandleTlsAnswer(std::string_view bytes);
  void SendStartup();
  void RefuseServer(std::string message, std::string hint);
  void BeginCommand();
  // Before the messages of an extended statement; and what ends it.
  void BeginExtended();
  void EndExtended();
  void SendParse(uint32_t statement, std::string_view name, std::string_view sql);
  void RefuseCopy();
  void Handle(const Message& message);
  // client_session_login.cc
  void HandleAuthentication(const Message& message);
  void AnswerPassword();
  void BeginScram(std::string_view mechanisms);
  void HandleScram(int32_t method, std::string_view data);
  void HandleError(const Message& message);
  void HandleRowDescription(const Message& message);
  void HandleDataRow(const Message& message);
  void HandleReady(const Message& message);
  bool InStartup() const;
  void Fail(std::string_view what);

  State state_ = State::kNew;
  End end_ = End::kOpen;
  bool authenticated_ = false;
  bool keep_parameters_ = false;
  // The server's first word was an error, not an answer to SSLRequest.
  bool before_encryption_ = false;
  // The command in flight.
  bool in_pipeline_ = false;
  bool extended_ = false;
  uint32_t incomplete_ = 0;  // statements whose results have not ended
  TransactionStatus transaction_status_ = TransactionStatus::kIdle;
  uint32_t connection_id_ = 0;
  uint32_t cancel_key_ = 0;
  size_t max_message_bytes_ = size_t{64} << 20;
  Command command_;
  ClientRowSink* sink_ = nullptr;
  StartupOptions options_;  // until it is ready
  std::string output_;      // wire bytes
  std::unique_ptr<Encryption> encryption_;
  std::unique_ptr<ScramClient> scram_;  // while it authenticates
  bool server_proven_ = false;          // by SCRAM
  bool channel_bound_ = false;
  std::string tail_;  // an incomplete message
  std::vector<bool> prepared_;
  std::vector<uint32_t> parsing_;  // the statements of the Parses in flight, in their order
  size_t parsed_ = 0;              // how many of them are complete
  ErrorInfo error_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace connbench::protocol
