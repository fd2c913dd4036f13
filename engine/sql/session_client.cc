// A session that serves one client after the other, behind a pooler: what of a client can be taken
// from session to session, and how one forgets the last.

#include "engine/executor/types/string_type.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {

Status CheckStartupText(std::string_view text) {
  const Status valid = ValidateUtf8(text);
  return valid.ok() ? Status() : Status::Fatal(valid.code(), valid.error().message);
}

// The unnamed statement has no name to be dropped by, and stays.
void RealSession::DropStatements() {
  statements_.clear();
  sql_prepared_ = false;
  ++deallocations_;
}

void RealSession::ForgetClient() {
  CloseAllPortals();
  if (sql_prepared_) {
    std::erase_if(statements_, [](const auto& entry) { return entry.second->sql_level; });
    sql_prepared_ = false;
  }
  sequence_values_.clear();
  last_sequence_ = 0;
  random_state_ = 0;
  seeded_ = false;
}

Status RealSession::BeginClient(const std::vector<StartupParameter>& parameters) {
  ForgetClient();
  return settings_.BeginClient(parameters);
}

void RealSession::ResumeClient(const ClientState& state) {
  ForgetClient();
  settings_.ResumeClient(state);
}

ClientState RealSession::client_state() const {
  ClientState state;
  settings_.FillClientState(state);
  state.touched = touched();
  return state;
}

}  // namespace connbench::engine
