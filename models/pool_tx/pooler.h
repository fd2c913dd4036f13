// The pooler: which clients there are, which backends, and who has which.
//
// Leasing      A client's fiber asks for a backend and parks until it has one, first come, first
//              served, for query_wait_timeout at most. A client that leaves meanwhile leaves the
//              line. Backends are taken last in, first out, so that few stay warm; one whose
//              session belongs to the same user and database goes before one that must start anew.
// Superusers   have backends in reserve, so that they can look, and end what others hold.
// Clients      max_connections and superuser_reserved_connections are counted here, for clients; a
//              client that has no backend takes no slot of the engine.
//
// Safety: everything on the pooler's loop.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "models/loop/epoll_loop.h"
#include "models/pool_tx/backend_link.h"
#include "models/pool_tx/pooled_backend.h"
#include "models/settings.h"
#include "protocol/relayed_session.h"

namespace connbench::models {

class PooledSession;

// A prepared statement. One with a name is known to the backends under one name, whoever has
// prepared its text; each unnamed one is another.
struct PooledStatement {
  // Longer than a name in SQL can be, so that no PREPARE and no DEALLOCATE can mean it.
  static constexpr std::string_view kNamePrefix =
      "connbench_pooler_statement_with_a_name_that_is_too_long_for_sql_";
  static_assert(kNamePrefix.size() > 63);
  // Of a statement without text, which no client has.
  static constexpr uint64_t kEmpty = 0;

  uint64_t id = 0;
  std::string body;  // of Parse, behind the name: the statement and its parameter types
  bool unnamed = false;
  // A backend has accepted it before. Others are asked when it is used: a client that only prepares
  // needs no backend, and cannot stand in line for one behind those who wait for it.
  bool accepted = false;
  // Under which every backend knows it.
  static std::string BackendName(uint64_t id) {
    return std::string(kNamePrefix) + std::to_string(id);
  }
};

// What is known of clients that connect alike, and of one as its backend last reported it.
struct ClientKind {
  BackendLink::Parameters parameters;  // what it is told when it connects
  std::string settings;                // as protocol::pool::ClientReport has them
  std::string time_zone;
  int64_t idle_session_timeout_ms = 0;  // 0: none
};

struct PoolLimits {
  PoolMode mode = PoolMode::kTransaction;
  MonotonicNs query_wait_timeout_ns = 0;    // for a backend; 0: none
  MonotonicNs client_write_timeout_ns = 0;  // with a backend; 0: none
};

class Pooler : public protocol::RelayHost {
 public:
  Pooler(engine::Engine& engine, EpollLoop& loop, const PoolLimits& limits,
         const SessionMark& mark);

  EpollLoop& loop() { return loop_; }
  const PoolLimits& limits() const { return limits_; }
  PoolMode mode() const { return limits_.mode; }
  const SessionMark& mark() const { return mark_; }

  // Keeps account of its leases, and shows its clients. Before the first client.
  void KeepAccount(int64_t workers);
  // Takes over the socket of a backend. reserved: for superusers.
  Status AddBackend(int fd, bool reserved = false);

  // On the client's fiber: a backend with a session of its user and database. 57P01 while stopping,
  // 53300 after query_wait_timeout, 08006 when the client has left: each ends the client's session.
  // 57014, not fatal: the wait was cancelled.
  Result<BackendLink*> Lease(PooledSession& client);
  // Gives it to the next client that waits. The time.
  MonotonicNs Release(BackendLink& link);
  // The client has its answers, and keeps the backend: since when.
  MonotonicNs ClientSilent(BackendLink& link);
  // It goes on. False: it was not silent.
  bool ClientGoesOn(BackendLink& link, MonotonicNs now);
  // What the client leaves behind goes, with the whole session.
  void EndSession(BackendLink& link);
  // Ends what it runs.
  void CancelBackend(const BackendLink& link) {
    engine_.Cancel(link.connection_id(), link.cancel_key());
  }
  // A client was given another backend than the last time; a backend another client's session.
  void NoteSwitch() {
    if (account_ != nullptr) account_->Switched();
  }
  void NoteReset(MonotonicNs took) {
    if (account_ != nullptr) account_->ResetTook(took);
  }
  void Forget(BackendLink& link);

  // Has the backends look at their sessions that were asked to end.
  void EndSessions();
  bool ShutdownRequested() const { return engine_.ShutdownRequested(); }

  // What a client is told whose backend is gone: at shutdown that is no failure.
  Status Explain(Status lost) const;

  // A text that reads times, read in another time zone, is another statement.
  std::shared_ptr<PooledStatement> Statement(std::string_view body, std::string_view time_zone);
  std::shared_ptr<PooledStatement> UnnamedStatement(std::string_view body);
  // Clients that connect alike; null: none has yet.
  const ClientKind* FindKind(const std::string& key) const;
  void KeepKind(const std::string& key, const ClientKind& kind);
  void ClientGone(uint32_t connection_id, int place);
  // What connbench_pool_clients shows of a client; place: where, from TakePlace(), -1: nowhere.
  int TakePlace();
  void Show(int place, uint32_t connection_id, const BackendLink* link,
            engine::PoolClientState state, MonotonicNs now) {
    if (place < 0) return;
    shown_->Set(place, {connection_id, link == nullptr ? 0 : link->connection_id(), state, now});
  }

  // --- protocol::RelayHost, for the clients' ServerSessions ---
  Result<std::unique_ptr<protocol::RelayedSession>> StartRelay(
      engine::SessionOptions options) override;
  // Cancels what the client's backend runs; one that waits for a backend leaves the line.
  void CancelRelay(uint32_t connection_id, uint32_t cancel_key) override;

 private:
  struct Waiting {
    const PooledSession* client;
    LoopTask* task;
    bool superuser;
    bool canceled = false;
    BackendLink* link = nullptr;  // granted
  };

  void EndService(BackendLink& link, MonotonicNs now);
  BackendLink* TakeIdle(const std::string& identity, bool superuser);
  // Stands in line.
  Result<BackendLink*> AwaitBackend(PooledSession& client, MonotonicNs now);
  Status TakeClientSlot(bool superuser);

  engine::Engine& engine_;
  EpollLoop& loop_;
  const PoolLimits limits_;
  const SessionMark& mark_;
  engine::PoolAccount* account_ = nullptr;
  std::vector<BackendLink*> links_;
  std::vector<BackendLink*> idle_;
  std::vector<BackendLink*> idle_reserve_;
  std::deque<Waiting*> waiting_;
  int clients_ = 0;
  engine::PoolClients* shown_ = nullptr;  // null: nowhere
  std::vector<int> free_places_;
  std::unordered_map<uint32_t, PooledSession*> sessions_;  // by connection id
  uint64_t last_statement_ = 0;
  std::map<std::string, std::weak_ptr<PooledStatement>, std::less<>> statements_;
  size_t sweep_statements_at_;
  std::map<std::string, ClientKind> kinds_;
};

}  // namespace connbench::models
