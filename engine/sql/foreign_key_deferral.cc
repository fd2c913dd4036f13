// DEFERRABLE foreign keys.
#include "engine/sql/foreign_key_deferral.h"

#include <algorithm>

namespace connbench::engine {

bool ForeignKeyDeferral::CanBeDeferred(const ForeignKeyEvent& event) {
  const ForeignKeyInfo& key = event.key->key;
  if (!key.deferrable) return false;
  switch (event.kind) {
    case ForeignKeyEvent::Kind::kReference:
      return true;
    case ForeignKeyEvent::Kind::kKeyDeleted:
      return key.on_delete == ForeignKeyAction::kNoAction;
    case ForeignKeyEvent::Kind::kKeyUpdated:
      return key.on_update == ForeignKeyAction::kNoAction;
  }
  return false;
}

bool ForeignKeyDeferral::IsDeferred(const ForeignKeyInfo& key) const {
  const auto said = state_.deferred.find(key.oid);
  if (said != state_.deferred.end()) return said->second;
  return state_.all_deferred.value_or(key.deferred);
}

Status ForeignKeyDeferral::Add(const ForeignKeyEvent& event) {
  CONNBENCH_RETURN_IF_ERROR(
      events_.Add(event.key->shared_from_this(), event.kind, event.tid, event.values));
  ++state_.events;
  return {};
}

void ForeignKeyDeferral::Set(std::span<const Oid> keys, bool deferred) {
  if (keys.empty()) {
    state_.all_deferred = deferred;
    state_.deferred.clear();
  }
  for (const Oid key : keys) state_.deferred[key] = deferred;
}

Status ForeignKeyDeferral::ForEachPending(
    const std::function<Result<bool>(const ForeignKeyEvent&)>& take) {
  RowStore::Position position;
  ForeignKeyEvent event;
  auto undone = undone_.begin();
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(environment_.CheckInterrupts());
    const size_t number = position.row;
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, events_.Read(position, event));
    if (!found) return {};
    while (undone != undone_.end() && undone->second <= number) ++undone;
    if (undone != undone_.end() && undone->first <= number) continue;
    const auto done = state_.done.find(event.key->key.oid);
    if (done != state_.done.end() && number < done->second) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const bool go_on, take(event));
    if (!go_on) return {};
  }
}

Status ForeignKeyDeferral::MakeDue(const Check& check) {
  const auto take = [&](const ForeignKeyEvent& event) -> Result<bool> {
    if (!IsDeferred(event.key->key)) CONNBENCH_RETURN_IF_ERROR(check(event));
    return true;
  };
  CONNBENCH_RETURN_IF_ERROR(ForEachPending(take));
  const size_t end = events_.size();
  for (const ForeignKeyRef& key : events_.keys()) {
    if (!IsDeferred(key->key)) state_.done[key->key.oid] = end;
  }
  return {};
}

Status ForeignKeyDeferral::MakeAll(const Check& check) {
  return ForEachPending([&](const ForeignKeyEvent& event) -> Result<bool> {
    CONNBENCH_RETURN_IF_ERROR(check(event));
    return true;
  });
}

Result<bool> ForeignKeyDeferral::PendingOn(Oid table) {
  bool pending = false;
  CONNBENCH_RETURN_IF_ERROR(ForEachPending([&](const ForeignKeyEvent& event) -> Result<bool> {
    const bool of_reference = event.kind == ForeignKeyEvent::Kind::kReference;
    pending = (of_reference ? event.key->referencing : event.key->referenced)->oid == table;
    return !pending;
  }));
  return pending;
}

void ForeignKeyDeferral::PushSavepoint(int level) { saved_.push_back({level, state_}); }

void ForeignKeyDeferral::ReleaseSavepoint(int level) {
  while (!saved_.empty() && saved_.back().level >= level) saved_.pop_back();
}

void ForeignKeyDeferral::RollbackToSavepoint(int level) {
  while (!saved_.empty() && saved_.back().level > level) saved_.pop_back();
  // Nothing was deferred yet when a level began that is not known.
  state_ = saved_.empty() ? State() : saved_.back().state;
  const size_t end = events_.size();
  if (state_.events == end) return;
  // Ranges that began later lie within this one.
  while (!undone_.empty() && undone_.back().first >= state_.events) undone_.pop_back();
  undone_.emplace_back(state_.events, end);
  state_.events = end;
  if (!saved_.empty()) saved_.back().state.events = end;
}

}  // namespace connbench::engine
