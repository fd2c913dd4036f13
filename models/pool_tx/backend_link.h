// The pooler's end of a backend: its socket, and what is known of the session behind it.
//
// Safety: on the pooler's loop. While a client has the backend, the client's fiber sends and
// receives; otherwise the link itself is served when the backend says something unasked.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "models/loop/epoll_loop.h"
#include "protocol/codec.h"

namespace connbench::models {

class Pooler;

// A message of a backend may not be longer.
inline constexpr size_t kMaxAnswerBytes = size_t{1} << 30;

class BackendLink : public LoopTask {
 public:
  BackendLink(Pooler& pooler, int fd, bool reserved)
      : pooler_(pooler), fd_(fd), reserved_(reserved) {}
  ~BackendLink() override;

  // --- on the fiber of the client that has it ---

  // Sends to_send and hands every message that comes to on_message(message, bytes), at least once,
  // until all is sent and done(). Parks while nothing moves, until wake_at() at most, and then asks
  // done() again. 08006 (fatal) when the backend is gone.
  template <typename OnMessage, typename Done, typename WakeAt>
  Status Exchange(EpollLoop& loop, std::string& to_send, OnMessage&& on_message, Done&& done,
                  WakeAt&& wake_at);

  // Starts a session for this user and database, if it has not got one.
  Status Prepare(EpollLoop& loop, const std::string& identity);
  // Ends the session; the next Prepare() starts another.
  Status EndSession(EpollLoop& loop);

  using Parameters = std::vector<std::pair<std::string, std::string>>;  // of ParameterStatus

  // Whose session it is, as the backend's last report says.
  const std::string& identity() const { return identity_; }  // empty: no session
  bool MustChangeTo(uint32_t client, const std::string& settings) const {
    return settings_ != settings || (touched_ && client_id_ != client);
  }
  void SetClient(uint32_t client, const std::string& settings, bool touched) {
    client_id_ = client;
    settings_ = settings;
    touched_ = touched;
  }
  void set_client(uint32_t client) { client_id_ = client; }
  uint32_t connection_id() const { return connection_id_; }
  uint32_t cancel_key() const { return cancel_key_; }
  bool dead() const { return dead_; }

  // Statements that the session has prepared for the pooler, the oldest first.
  bool HasStatement(uint64_t id) const { return statements_.contains(id); }
  void AddStatement(uint64_t id);
  void RemoveStatement(uint64_t id);
  // The statement to be closed before another is prepared; 0: there is room.
  uint64_t StatementToEvict() const;
  void ForgetNamedStatements();
  // The unnamed statement that it has; 0: none.
  static constexpr uint64_t kUnknownUnnamed = UINT64_MAX;
  uint64_t unnamed() const { return unnamed_; }
  void set_unnamed(uint64_t id) { unnamed_ = id; }

  // Has the session look around, although its client is silent: it was asked to end.
  void Nudge() const;
  // The backend waits for another startup packet.
  void SessionGone();
  // The session was ended while its client was silent; ok: it was not.
  const Status& fatal() const { return fatal_; }

  // --- LoopTask ---
  Outcome Serve(EventLoop& loop, std::span<char> buffer) override;
  void RequestStop() override { stopping_ = true; }

 private:
  friend class Pooler;
  // True: something came, or something was sent.
  bool Move(EpollLoop& loop, std::string& to_send, bool& blocked);
  void Lost();
  // Runs a command of the pooler's own, up to the message of type `until`.
  Status Command(EpollLoop& loop, std::string bytes, char until);

  Pooler& pooler_;
  int fd_;
  bool dead_ = false;
  std::string received_;
  std::string identity_;
  uint32_t client_id_ = 0;  // that had it last
  std::string settings_;    // as protocol::pool::ClientReport has them; empty: a new session's
  bool touched_ = false;    // it holds more of that client than settings
  uint32_t connection_id_ = 0;
  uint32_t cancel_key_ = 0;
  std::unordered_set<uint64_t> statements_;
  std::deque<uint64_t> statement_order_;
  uint64_t unnamed_ = 0;
  Status fatal_;
  LoopTask* client_ = nullptr;      // that has it
  LoopTask* exchanging_ = nullptr;  // the same, while it sends and receives
  bool stopping_ = false;
  // The lease, for the pooler's account: since when it lasts, since when its client has been silent
  // (0: it does not, it is not), and for how long it was before.
  const bool reserved_;            // for superusers
  uint64_t parks_at_receive_ = 0;  // the loop's, when it last looked at the socket
  MonotonicNs leased_at_ = 0;
  MonotonicNs silent_since_ = 0;
  MonotonicNs pinned_ns_ = 0;
};

// Sets the value of one.
void Assign(BackendLink::Parameters& parameters, std::string_view name, std::string_view value);
// The fatal error in an ErrorResponse, or ok if it is not fatal.
Status FatalError(std::string_view error_body);

template <typename OnMessage, typename Done, typename WakeAt>
Status BackendLink::Exchange(EpollLoop& loop, std::string& to_send, OnMessage&& on_message,
                             Done&& done, WakeAt&& wake_at) {
  exchanging_ = loop.current();
  set_listener(exchanging_);
  bool watching = false;
  do {
    bool blocked = false;
    const bool moved = Move(loop, to_send, blocked);
    std::string_view input(received_);
    protocol::Message message;
    while (!input.empty()) {
      const char* begin = input.data();
      const protocol::FrameResult frame = protocol::NextMessage(input, kMaxAnswerBytes, message);
      if (frame != protocol::FrameResult::kMessage) {
        if (frame == protocol::FrameResult::kBadLength) Lost();
        break;
      }
      on_message(message, std::string_view(begin, static_cast<size_t>(input.data() - begin)));
    }
    received_.erase(0, received_.size() - input.size());
    if (moved || dead_ || (to_send.empty() && done())) continue;
    if (blocked != watching) {
      watching = blocked;
      loop.WatchWritable(*this, fd_, watching);
    }
    loop.Park(wake_at());
  } while (!dead_ && (!done() || !to_send.empty()));
  if (watching) loop.WatchWritable(*this, fd_, false);
  set_listener(nullptr);
  exchanging_ = nullptr;
  // What came while the client was waited for has woken this fiber, and nobody has looked.
  if (loop.counters().parks != parks_at_receive_) loop.Notify(*this);
  if (!dead_) return {};
  return Status::Fatal(sqlstate::kConnectionFailure, "the pooler lost its connection to a backend");
}

}  // namespace connbench::models
