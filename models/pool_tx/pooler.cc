// The pooler: which clients there are, which backends, and who has which.
#include "models/pool_tx/pooler.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "models/connection.h"
#include "models/pool_tx/pooled_session.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

// Kinds of clients (user, database, settings) whose first answer is remembered.
constexpr size_t kMaxKinds = 256;
// Texts of statements that nobody has prepared any more are swept when so many are known.
constexpr size_t kStatementsBeforeSweep = 10'000;

Status ShuttingDown() {
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

}  // namespace

Pooler::Pooler(engine::Engine& engine, EpollLoop& loop, const PoolLimits& limits,
               const SessionMark& mark)
    : engine_(engine),
      loop_(loop),
      limits_(limits),
      mark_(mark),
      sweep_statements_at_(kStatementsBeforeSweep) {}

void Pooler::KeepAccount(int64_t workers) {
  account_ = engine_.OpenPoolAccount(0, workers);
  shown_ = engine_.pool_clients();
  if (shown_ == nullptr) return;
  for (int place = engine::PoolClients::kMaxShown - 1; place >= 0; --place) {
    free_places_.push_back(place);
  }
}

int Pooler::TakePlace() {
  if (free_places_.empty()) return -1;
  const int place = free_places_.back();
  free_places_.pop_back();
  return place;
}

Status Pooler::AddBackend(int fd, bool reserved) {
  auto link = std::make_unique<BackendLink>(*this, fd, reserved);
  BackendLink& added = *link;
  CONNBENCH_RETURN_IF_ERROR(loop_.Add(std::move(link), fd));
  links_.push_back(&added);
  (reserved ? idle_reserve_ : idle_).push_back(&added);
  return {};
}

BackendLink* Pooler::TakeIdle(const std::string& identity, bool superuser) {
  std::vector<BackendLink*>& idle = idle_.empty() && superuser ? idle_reserve_ : idle_;
  if (idle.empty()) return nullptr;
  auto best = idle.end() - 1;
  int best_rank = 0;
  for (auto it = idle.end(); it != idle.begin();) {
    --it;
    const int rank = (*it)->identity() == identity ? 3 : ((*it)->identity().empty() ? 2 : 1);
    if (rank <= best_rank) continue;
    best = it;
    best_rank = rank;
    if (rank == 3) break;
  }
  BackendLink* link = *best;
  idle.erase(best);
  return link;
}

Result<BackendLink*> Pooler::AwaitBackend(PooledSession& client, MonotonicNs now) {
  Waiting waiting{.client = &client, .task = loop_.current(), .superuser = client.superuser()};
  waiting_.push_back(&waiting);
  const MonotonicNs timeout = limits_.query_wait_timeout_ns;
  const MonotonicNs deadline = timeout == 0 ? kNoDeadline : now + timeout;
  Status left;
  while (waiting.link == nullptr && left.ok()) {
    if (loop_.stopping()) {
      left = ShuttingDown();
    } else if (waiting.canceled) {
      left = Status::Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
      client.Show(engine::PoolClientState::kIdle, MonotonicNow());
    } else if (client.Left(/*probe_after=*/0)) {
      left = models::ClientGone();
    } else if (!loop_.Park(deadline) && waiting.link == nullptr) {
      left = Status::Fatal(sqlstate::kTooManyConnections,
                           fmt::format("no backend of the pool was free within {} ms",
                                       timeout / kNanosecondsPerMillisecond))
                 .WithHint("Raise pool_size or query_wait_timeout.");
    }
  }
  if (waiting.link == nullptr) {
    std::erase(waiting_, &waiting);
    return left;
  }
  return waiting.link;
}

Result<BackendLink*> Pooler::Lease(PooledSession& client) {
  if (ShutdownRequested() || loop_.stopping()) return ShuttingDown();
  const MonotonicNs asked_at = MonotonicNow();
  MonotonicNs now = asked_at;
  // Nobody overtakes; a superuser may take one of the reserve.
  BackendLink* link = waiting_.empty() || client.superuser()
                          ? TakeIdle(client.identity(), client.superuser())
                          : nullptr;
  if (link == nullptr) {
    client.Show(engine::PoolClientState::kWaiting, now);
    CONNBENCH_ASSIGN_OR_RETURN(link, AwaitBackend(client, now));
    if (account_ != nullptr) now = MonotonicNow();
  }
  link->client_ = loop_.current();
  if (account_ != nullptr) account_->TakenUp(asked_at, now);
  Status prepared;
  if (link->identity() != client.identity()) {
    prepared = link->Prepare(loop_, client.identity());
    if (account_ != nullptr) {
      const MonotonicNs begun = std::exchange(now, MonotonicNow());
      account_->ResetTook(now - begun);
      account_->Ran(begun, now);
    }
  }
  link->leased_at_ = now;
  link->silent_since_ = 0;
  client.Show(engine::PoolClientState::kActive, now, link);
  if (!prepared.ok()) {
    (void)Release(*link);
    return Explain(std::move(prepared));
  }
  return link;
}

MonotonicNs Pooler::ClientSilent(BackendLink& link) {
  if (link.silent_since_ == 0) link.silent_since_ = MonotonicNow();
  return link.silent_since_;
}

bool Pooler::ClientGoesOn(BackendLink& link, MonotonicNs now) {
  if (link.silent_since_ == 0) return false;
  const MonotonicNs silent_ns = now - std::exchange(link.silent_since_, 0);
  if (account_ != nullptr) account_->Pinned(silent_ns);
  link.pinned_ns_ += silent_ns;
  return true;
}

// The whole lease is a turn for those who wait for the backend; it is busy while it is not pinned.
void Pooler::EndService(BackendLink& link, MonotonicNs now) {
  if (link.leased_at_ == 0) return;
  (void)ClientGoesOn(link, now);
  const MonotonicNs begun = std::exchange(link.leased_at_, 0);
  if (account_ == nullptr) return;
  account_->Served(begun, now);
  account_->AddBusy(now - begun - std::exchange(link.pinned_ns_, 0));
  account_->TurnTook(begun, now);
}

void Pooler::EndSession(BackendLink& link) {
  const MonotonicNs begun = MonotonicNow();
  EndService(link, begun);
  (void)link.EndSession(loop_);  // one that does not end is dead, and is treated as such
  if (account_ == nullptr) return;
  const MonotonicNs now = MonotonicNow();
  account_->ResetTook(now - begun);
  account_->Ran(begun, now);
}

MonotonicNs Pooler::Release(BackendLink& link) {
  const MonotonicNs released_at = MonotonicNow();
  EndService(link, released_at);
  link.client_ = nullptr;
  link.fatal_ = {};
  if (link.dead_ || link.stopping_) {
    loop_.Notify(link);  // to be forgotten
    return released_at;
  }
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting* waiting) {
    return waiting->superuser || !link.reserved_;
  });
  if (next == waiting_.end()) {
    (link.reserved_ ? idle_reserve_ : idle_).push_back(&link);
    return released_at;
  }
  Waiting& granted = **next;
  waiting_.erase(next);
  granted.link = &link;
  link.client_ = granted.task;
  loop_.Wake(*granted.task);
  return released_at;
}

Status Pooler::Explain(Status lost) const {
  return ShutdownRequested() ? ShuttingDown() : std::move(lost);
}

void Pooler::Forget(BackendLink& link) {
  std::erase(links_, &link);
  std::erase(idle_, &link);
  std::erase(idle_reserve_, &link);
}

void Pooler::EndSessions() {
  const std::vector<engine::EndingSession> ending = engine_.ending_sessions();
  for (BackendLink* link : links_) {
    if (Contains(ending, link->connection_id())) link->Nudge();
  }
}

std::shared_ptr<PooledStatement> Pooler::Statement(std::string_view body,
                                                   std::string_view time_zone) {
  std::string key(time_zone);
  key.push_back('\0');
  key.append(body);
  if (const auto found = statements_.find(key); found != statements_.end()) {
    if (std::shared_ptr<PooledStatement> known = found->second.lock()) return known;
  }
  if (statements_.size() >= sweep_statements_at_) {
    std::erase_if(statements_, [](const auto& entry) { return entry.second.expired(); });
    sweep_statements_at_ = std::max(kStatementsBeforeSweep, 2 * statements_.size());
  }
  auto statement = std::make_shared<PooledStatement>();
  statement->id = ++last_statement_;
  statement->body = body;
  statements_.insert_or_assign(std::move(key), statement);
  return statement;
}

std::shared_ptr<PooledStatement> Pooler::UnnamedStatement(std::string_view body) {
  auto statement = std::make_shared<PooledStatement>();
  statement->id = ++last_statement_;
  statement->body = body;
  statement->unnamed = true;
  return statement;
}

const ClientKind* Pooler::FindKind(const std::string& key) const {
  const auto found = kinds_.find(key);
  return found == kinds_.end() ? nullptr : &found->second;
}

void Pooler::KeepKind(const std::string& key, const ClientKind& kind) {
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  kinds_[key] = kind;
}

Status Pooler::TakeClientSlot(bool superuser) {
  const engine::EngineConfig& config = engine_.config();
  const int left = config.max_connections - clients_;
  if (left <= 0) {
    return Status::Fatal(sqlstate::kTooManyConnections, "sorry, too many clients already");
  }
  if (!superuser && left - 1 < config.superuser_reserved_connections) {
    return Status::Fatal(
        sqlstate::kTooManyConnections,
        "remaining connection slots are reserved for non-replication superuser connections");
  }
  ++clients_;
  return {};
}

void Pooler::ClientGone(uint32_t connection_id, int place) {
  if (place >= 0) {
    shown_->Clear(place);
    free_places_.push_back(place);
  }
  sessions_.erase(connection_id);
  --clients_;
}

Result<std::unique_ptr<protocol::RelayedSession>> Pooler::StartRelay(
    engine::SessionOptions options) {
  if (ShutdownRequested()) {
    return Status::Fatal(sqlstate::kCannotConnectNow, "the database system is shutting down");
  }
  uint32_t cancel_key = 0;
  if (getrandom(&cancel_key, sizeof cancel_key, 0) != sizeof cancel_key) {
    return Status::System("could not make a cancel key", errno);
  }
  CONNBENCH_RETURN_IF_ERROR(TakeClientSlot(options.superuser));
  auto session = std::make_unique<PooledSession>(*this, options, cancel_key);
  sessions_[options.connection_id] = session.get();
  CONNBENCH_RETURN_IF_ERROR(session->Start(options));
  return std::unique_ptr<protocol::RelayedSession>(std::move(session));
}

void Pooler::CancelRelay(uint32_t connection_id, uint32_t cancel_key) {
  const auto found = sessions_.find(connection_id);
  if (found == sessions_.end() || found->second->cancel_key() != cancel_key) return;
  if (const BackendLink* link = found->second->link()) {
    CancelBackend(*link);
    return;
  }
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting* entry) {
    return entry->client == found->second;
  });
  if (waiting == waiting_.end()) return;  // it is idle
  (*waiting)->canceled = true;
  loop_.Wake(*(*waiting)->task);
}

}  // namespace connbench::models
