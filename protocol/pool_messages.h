// What a pooler and its backends say to each other beyond the protocol of clients. Both ends are
// ours; a client can send none of these, and never sees one.
//
// kClient        To the backend, between transactions: another client's state takes the place of
//                the last one's. Answered by kClientState; after kNewClient, before that, by the
//                ParameterStatus messages of a new session.
// kClientState   From the backend: the state has changed. Comes before a ReadyForQuery outside of
//                transactions, so that what the pooler knows follows the order of the requests.
// kStatementsGone  From the backend: DEALLOCATE ALL or DISCARD ALL has dropped every prepared
//                statement. Comes behind the answer of the one who did it.
// kSyncIgnored   From the backend: a Sync came in the middle of a COPY, and has no other answer.
//
// Safety: pure functions. Readers return false when a body is malformed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"

namespace connbench::protocol::pool {

inline constexpr char kClient = 'y';
inline constexpr char kClientState = 'y';
inline constexpr char kStatementsGone = 'w';
inline constexpr char kSyncIgnored = 'x';

// Statements have longer names on a backend than at the client, which may be as long as allowed.
inline constexpr size_t kMaxAddedBytes = 256;

void AppendNewClient(std::string& out, const std::vector<engine::StartupParameter>& parameters);
// settings: as a ClientReport has them.
void AppendResumedClient(std::string& out, std::string_view settings);
bool ReadClient(std::string_view body, bool& is_new, engine::ClientState& state);

// took_ns: what it took to become this client; 0: it has only changed.
void AppendClientState(std::string& out, const engine::ClientState& state, int64_t took_ns);
struct ClientReport {
  bool touched = false;
  int64_t idle_session_timeout_ms = 0;
  int64_t took_ns = 0;
  std::string_view time_zone;
  std::string_view settings;  // both lists of a ClientState, for AppendResumedClient() only
};
bool ReadClientState(std::string_view body, ClientReport& report);

}  // namespace connbench::protocol::pool
