// The pooler: which clients there are, which backends, and who has which.
//
// Leasing      A client's fiber asks for a backend and parks until it has one, first come, first
//              served. Backends are taken last in, first out, so that few stay warm; one whose
//              session belongs to the same user and database goes before one that must start anew.
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
#include "models/pool_tx/backend_link.h"
#include "models/pool_tx/pooled_backend.h"
#include "models/reactor/epoll_loop.h"
#include "models/settings.h"

namespace connbench::models {

class PooledSession;

// One text of a prepared statement, known to the backends under one name whoever prepared it.
struct PooledStatement {
  uint64_t id = 0;
  std::string body;  // of Parse, behind the name: the statement and its parameter types
  // A backend has accepted it before. Others are asked when it is used: a client that only prepares
  // needs no backend, and cannot stand in line for one behind those who wait for it.
  bool accepted = false;
  // Under which every backend knows it.
  static std::string BackendName(uint64_t id) { return "connbench_pooled_" + std::to_string(id); }
};

// The engine as the pooler's clients see it.
class Pooler : public engine::Engine {
 public:
  Pooler(engine::Engine& engine, EpollLoop& loop, PoolMode mode, const SessionMark& mark)
      : engine_(engine), loop_(loop), mode_(mode), mark_(mark) {}

  EpollLoop& loop() { return loop_; }
  PoolMode mode() const { return mode_; }
  const SessionMark& mark() const { return mark_; }

  // Where leases are kept account of; null: nowhere. Before the first client.
  void set_account(engine::PoolAccount* account) { account_ = account; }
  // Takes over the socket of a backend.
  Status AddBackend(int fd);

  // On a client's fiber: a backend in the wanted state. 57P01 while stopping.
  Result<BackendLink*> Lease(const std::string& identity, const std::string& settings);
  // Gives it to the next client that waits.
  void Release(BackendLink& link);
  // The client has its answers, and keeps the backend; it goes on.
  void ClientSilent(BackendLink& link);
  void ClientGoesOn(BackendLink& link);
  // Before it is given back: what the client leaves behind goes. The next one needs a new session if
  // the whole of it does.
  void Clean(BackendLink& link, bool end_session);
  // A client was given another backend than the last time.
  void NoteSwitch() {
    if (account_ != nullptr) account_->Switched();
  }
  void Forget(BackendLink& link);

  // Has the backends look at their sessions that were asked to end.
  void EndSessions();

  // What a client is told whose backend is gone: at shutdown that is no failure.
  Status Explain(Status lost) const;

  std::shared_ptr<PooledStatement> Statement(std::string_view body);
  // A number for an unnamed statement, never 0.
  uint64_t NextUnnamed() { return ++last_unnamed_; }
  // What a client with these settings is told when it connects, if that is known already.
  const BackendLink::Parameters* FindWelcome(const std::string& key) const;
  void KeepWelcome(const std::string& key, const BackendLink::Parameters& parameters);
  void ClientGone(uint32_t connection_id);

  // --- engine::Engine, for the clients' ServerSessions ---
  const engine::EngineConfig& config() const override { return engine_.config(); }
  const std::string& segment_name() const override { return engine_.segment_name(); }
  engine::ConnectionLog& connection_log() override { return engine_.connection_log(); }
  engine::EngineCounters counters() const override { return engine_.counters(); }
  engine::SessionStates session_states() const override { return engine_.session_states(); }
  Result<std::unique_ptr<engine::Session>> StartSession(engine::SessionOptions options,
                                                        engine::Waiter& waiter) override;
  // Cancels what the client's backend runs.
  void Cancel(uint32_t connection_id, uint32_t cancel_key) override;
  Result<std::optional<engine::Role>> FindRole(std::string_view name, uint32_t connection_id,
                                               engine::Waiter& waiter) override {
    return engine_.FindRole(name, connection_id, waiter);
  }
  std::string_view mock_authentication_nonce() const override {
    return engine_.mock_authentication_nonce();
  }
  bool roles_changed() const override { return engine_.roles_changed(); }
  void SetEndListener(int32_t pid, int signal) override { engine_.SetEndListener(pid, signal); }
  std::vector<engine::EndingSession> ending_sessions() const override {
    return engine_.ending_sessions();
  }
  bool AskedToEnd(uint32_t connection_id) const override {
    return engine_.AskedToEnd(connection_id);
  }
  void RequestShutdown() override { engine_.RequestShutdown(); }
  bool ShutdownRequested() const override { return engine_.ShutdownRequested(); }

 private:
  struct Waiting {
    LoopTask* task;
    BackendLink* link = nullptr;  // granted
  };

  void EndService(BackendLink& link);
  BackendLink* TakeIdle(const std::string& identity);
  Status TakeClientSlot(bool superuser);

  engine::Engine& engine_;
  EpollLoop& loop_;
  const PoolMode mode_;
  const SessionMark& mark_;
  engine::PoolAccount* account_ = nullptr;
  std::vector<BackendLink*> links_;
  std::vector<BackendLink*> idle_;
  std::deque<Waiting*> waiting_;
  int clients_ = 0;
  std::unordered_map<uint32_t, PooledSession*> sessions_;  // by connection id
  uint64_t next_statement_ = 1;
  uint64_t last_unnamed_ = 0;
  std::map<std::string, std::weak_ptr<PooledStatement>, std::less<>> statements_;
  std::map<std::string, BackendLink::Parameters> welcomes_;
};

}  // namespace connbench::models
