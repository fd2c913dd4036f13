// A backend of the pools: one session after the other on the same socket pair.
//
// Protocol     The pooler speaks as a client does, from the startup packet on, which follows a
//              mark. When a session has ended, by Terminate or by an error, and the backend is
//              ready for the next mark, it sends one message that no session sends: kBackendFree,
//              without a body. What was still on its way to the session that has ended is skipped.
//
// Safety: runs on the process or thread that is the backend, until the pooler closes its end or a
// stop is requested.
#pragma once

#include <array>
#include <string_view>

#include "engine/engine.h"
#include "models/connection.h"

namespace connbench::models {

inline constexpr char kBackendFree = 'X';

// What tells the begin of a session from the rest of the one before: random, so that no client can
// have it in what it sends. Made by the supervisor; the backends and the pooler inherit it.
class SessionMark {
 public:
  Status Make();
  std::string_view text() const { return {bytes_.data(), bytes_.size()}; }
  // Reads up to the end of the next mark. False: the other side has closed, or a stop came.
  bool ReceiveNext(const ConnectionStop& stop) const;

 private:
  std::array<char, 16> bytes_{};
};

void RunPooledBackend(engine::Engine& engine, const SessionMark& mark, ConnectionStop& stop);

}  // namespace connbench::models
