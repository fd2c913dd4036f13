#include "models/pool_tx/pooler.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "models/pool_tx/pooled_session.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

// Kinds of clients (user, database, settings) whose first answer is remembered.
constexpr size_t kMaxWelcomes = 256;
// Texts of statements that nobody has prepared any more are swept when so many are known.
constexpr size_t kStatementsBeforeSweep = 10'000;

Status ShuttingDown() {
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

}  // namespace

Status Pooler::AddBackend(int fd) {
  auto link = std::make_unique<BackendLink>(*this, fd);
  BackendLink& added = *link;
  CONNBENCH_RETURN_IF_ERROR(loop_.Add(std::move(link), fd));
  links_.push_back(&added);
  idle_.push_back(&added);
  return {};
}

BackendLink* Pooler::TakeIdle(const std::string& identity) {
  if (idle_.empty()) return nullptr;
  auto best = idle_.end() - 1;
  int best_rank = 0;
  for (auto it = idle_.end(); it != idle_.begin();) {
    --it;
    const int rank = (*it)->identity() == identity ? 3 : ((*it)->identity().empty() ? 2 : 1);
    if (rank <= best_rank) continue;
    best = it;
    best_rank = rank;
    if (rank == 3) break;
  }
  BackendLink* link = *best;
  idle_.erase(best);
  return link;
}

Result<BackendLink*> Pooler::Lease(const std::string& identity, const std::string& settings) {
  if (ShutdownRequested() || loop_.stopping()) return ShuttingDown();
  const MonotonicNs asked_at = account_ != nullptr ? MonotonicNow() : 0;
  MonotonicNs now = asked_at;
  BackendLink* link = waiting_.empty() ? TakeIdle(identity) : nullptr;
  if (link == nullptr) {
    Waiting waiting{.task = loop_.current()};
    waiting_.push_back(&waiting);
    while (waiting.link == nullptr && !loop_.stopping()) loop_.Park(kNoDeadline);
    if (waiting.link == nullptr) {
      std::erase(waiting_, &waiting);
      return ShuttingDown();
    }
    link = waiting.link;
    if (account_ != nullptr) now = MonotonicNow();
  }
  link->client_ = loop_.current();
  if (account_ != nullptr) account_->TakenUp(asked_at, now);
  Status prepared;
  if (!link->Suits(identity, settings)) {
    prepared = link->Prepare(loop_, identity, settings);
    if (account_ != nullptr) {
      const MonotonicNs begun = std::exchange(now, MonotonicNow());
      account_->ResetTook(now - begun);
      account_->Ran(begun, now);
    }
  }
  link->leased_at_ = now;
  link->silent_since_ = 0;
  if (!prepared.ok()) {
    Release(*link);
    return Explain(std::move(prepared));
  }
  return link;
}

void Pooler::ClientSilent(BackendLink& link) {
  if (account_ != nullptr && link.silent_since_ == 0) link.silent_since_ = MonotonicNow();
}

void Pooler::ClientGoesOn(BackendLink& link) {
  if (account_ == nullptr || link.silent_since_ == 0) return;
  const MonotonicNs silent_ns = MonotonicNow() - std::exchange(link.silent_since_, 0);
  account_->Pinned(silent_ns);
  link.pinned_ns_ += silent_ns;
}

// The whole lease is a turn for those who wait for the backend; it is busy while it is not pinned.
void Pooler::EndService(BackendLink& link) {
  if (account_ == nullptr || link.leased_at_ == 0) return;
  ClientGoesOn(link);
  const MonotonicNs now = MonotonicNow();
  const MonotonicNs begun = std::exchange(link.leased_at_, 0);
  account_->Served(begun, now);
  account_->AddBusy(now - begun - std::exchange(link.pinned_ns_, 0));
  account_->TurnTook(begun, now);
}

void Pooler::Clean(BackendLink& link, bool end_session) {
  EndService(link);
  const MonotonicNs begun = account_ != nullptr ? MonotonicNow() : 0;
  // A backend that could not be cleaned is dead, and is treated as such.
  (void)(end_session ? link.EndSession(loop_) : link.Reset(loop_));
  if (account_ == nullptr) return;
  const MonotonicNs now = MonotonicNow();
  account_->ResetTook(now - begun);
  account_->Ran(begun, now);
}

void Pooler::Release(BackendLink& link) {
  EndService(link);
  link.client_ = nullptr;
  link.fatal_ = {};
  if (link.dead_ || link.stopping_) {
    loop_.Notify(link);  // to be forgotten
    return;
  }
  if (waiting_.empty()) {
    idle_.push_back(&link);
    return;
  }
  Waiting& next = *waiting_.front();
  waiting_.pop_front();
  next.link = &link;
  link.client_ = next.task;
  loop_.Wake(*next.task);
}

Status Pooler::Explain(Status lost) const {
  return ShutdownRequested() ? ShuttingDown() : std::move(lost);
}

void Pooler::Forget(BackendLink& link) {
  std::erase(links_, &link);
  std::erase(idle_, &link);
}

void Pooler::EndSessions() {
  const std::vector<engine::EndingSession> ending = engine_.ending_sessions();
  for (BackendLink* link : links_) {
    if (Contains(ending, link->connection_id())) link->Nudge();
  }
}

std::shared_ptr<PooledStatement> Pooler::Statement(std::string_view body) {
  if (const auto found = statements_.find(body); found != statements_.end()) {
    if (std::shared_ptr<PooledStatement> known = found->second.lock()) return known;
  }
  if (statements_.size() >= kStatementsBeforeSweep) {
    std::erase_if(statements_, [](const auto& entry) { return entry.second.expired(); });
  }
  auto statement = std::make_shared<PooledStatement>();
  statement->id = next_statement_++;
  statement->body = body;
  statements_.insert_or_assign(std::string(body), statement);
  return statement;
}

const BackendLink::Parameters* Pooler::FindWelcome(const std::string& key) const {
  const auto found = welcomes_.find(key);
  return found == welcomes_.end() ? nullptr : &found->second;
}

void Pooler::KeepWelcome(const std::string& key, const BackendLink::Parameters& parameters) {
  if (welcomes_.size() < kMaxWelcomes) welcomes_[key] = parameters;
}

Status Pooler::TakeClientSlot(bool superuser) {
  const int left = config().max_connections - clients_;
  if (left <= 0) {
    return Status::Fatal(sqlstate::kTooManyConnections, "sorry, too many clients already");
  }
  if (!superuser && left - 1 < config().superuser_reserved_connections) {
    return Status::Fatal(
        sqlstate::kTooManyConnections,
        "remaining connection slots are reserved for non-replication superuser connections");
  }
  ++clients_;
  return {};
}

void Pooler::ClientGone(uint32_t connection_id) {
  sessions_.erase(connection_id);
  --clients_;
}

Result<std::unique_ptr<engine::Session>> Pooler::StartSession(engine::SessionOptions options,
                                                              engine::Waiter& /*waiter*/) {
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
  return std::unique_ptr<engine::Session>(std::move(session));
}

void Pooler::Cancel(uint32_t connection_id, uint32_t cancel_key) {
  const auto found = sessions_.find(connection_id);
  if (found == sessions_.end() || found->second->cancel_key() != cancel_key) return;
  if (const BackendLink* link = found->second->link()) {
    engine_.Cancel(link->connection_id(), link->cancel_key());
  }
}

}  // namespace connbench::models
