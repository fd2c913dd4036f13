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

#include "models/reactor/epoll_loop.h"
#include "protocol/codec.h"

namespace connbench::models {

class Pooler;

// A message of a backend may not be longer.
inline constexpr size_t kMaxAnswerBytes = size_t{1} << 30;

class BackendLink : public LoopTask {
 public:
  BackendLink(Pooler& pooler, int fd) : pooler_(pooler), fd_(fd) {}
  ~BackendLink() override;

  // --- on the fiber of the client that has it ---

  // Sends to_send and hands every message that comes to on_message(message, bytes), until all is
  // sent and done(). Parks while nothing moves. 08006 (fatal) when the backend is gone.
  template <typename OnMessage, typename Done>
  Status Exchange(EpollLoop& loop, std::string& to_send, OnMessage&& on_message, Done&& done);

  // Brings the session into the wanted state: starts one for this user and database, and applies
  // these settings (a SET script), if it is not so already.
  Status Prepare(EpollLoop& loop, const std::string& identity, const std::string& settings);
  // Ends the session; the next Prepare() starts another.
  Status EndSession(EpollLoop& loop);
  // DISCARD ALL, for the next client of a session that goes on.
  Status Reset(EpollLoop& loop);

  // What the backend reported when it was started or changed (ParameterStatus).
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  const Parameters& parameters() const { return parameters_; }
  void SetParameter(std::string_view name, std::string_view value);

  const std::string& identity() const { return identity_; }  // empty: no session
  void set_settings(std::string settings) { settings_ = std::move(settings); }
  uint32_t connection_id() const { return connection_id_; }
  uint32_t cancel_key() const { return cancel_key_; }
  bool dead() const { return dead_; }

  // Statements that the session has prepared for the pooler, the oldest first.
  bool HasStatement(uint64_t id) const { return statements_.contains(id); }
  void AddStatement(uint64_t id);
  void RemoveStatement(uint64_t id);
  // The statement to be closed before another is prepared; 0: there is room.
  uint64_t StatementToEvict() const;
  void ForgetStatements();
  // Whose unnamed statement it has.
  uint64_t unnamed_owner = 0;
  // Whether Prepare() has nothing to do.
  bool Suits(const std::string& identity, const std::string& settings) const {
    return identity_ == identity && settings_ == settings;
  }

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
  bool Move(std::string& to_send, bool& blocked);
  void Lost();
  // Runs a command of the pooler's own, up to the message of type `until`.
  Status Command(EpollLoop& loop, std::string bytes, char until);

  Pooler& pooler_;
  int fd_;
  bool dead_ = false;
  std::string received_;
  std::string identity_;
  std::string settings_;
  Parameters parameters_;
  uint32_t connection_id_ = 0;
  uint32_t cancel_key_ = 0;
  std::unordered_set<uint64_t> statements_;
  std::deque<uint64_t> statement_order_;
  Status fatal_;
  LoopTask* client_ = nullptr;      // that has it
  LoopTask* exchanging_ = nullptr;  // the same, while it sends and receives
  bool stopping_ = false;
  // The lease, for the pooler's account: since when it lasts, since when its client has been silent (0:
  // it does not, it is not), and for how long it was before.
  MonotonicNs leased_at_ = 0;
  MonotonicNs silent_since_ = 0;
  MonotonicNs pinned_ns_ = 0;
};

// Sets the value of one.
void Assign(BackendLink::Parameters& parameters, std::string_view name, std::string_view value);
// The fatal error in an ErrorResponse, or ok if it is not fatal.
Status FatalError(std::string_view error_body);

template <typename OnMessage, typename Done>
Status BackendLink::Exchange(EpollLoop& loop, std::string& to_send, OnMessage&& on_message,
                             Done&& done) {
  exchanging_ = loop.current();
  set_listener(exchanging_);
  bool watching = false;
  while (!dead_ && (!done() || !to_send.empty())) {
    bool blocked = false;
    const bool moved = Move(to_send, blocked);
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
    loop.Park(kNoDeadline);
  }
  if (watching) loop.WatchWritable(*this, fd_, false);
  set_listener(nullptr);
  exchanging_ = nullptr;
  if (!dead_) return {};
  return Status::Fatal(sqlstate::kConnectionFailure, "the pooler lost its connection to a backend");
}

}  // namespace connbench::models
