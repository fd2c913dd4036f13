// How an attempt to connect ended.
#include "harness/load/outcome.h"

#include <cerrno>

#include "base/status.h"

namespace connbench::load {

std::optional<ConnectOutcome> ConnectOutcomeByName(std::string_view name) {
  for (size_t i = 0; i < kConnectOutcomes; ++i) {
    if (kConnectOutcomeNames[i] == name) return static_cast<ConnectOutcome>(i);
  }
  return std::nullopt;
}

ConnectOutcome OutcomeOfErrno(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:  // no such Unix socket
      return ConnectOutcome::kRefused;
    case ETIMEDOUT:
      return ConnectOutcome::kTimedOut;
    case EADDRNOTAVAIL:
      return ConnectOutcome::kNoPorts;
    case EAGAIN:
      return ConnectOutcome::kBacklogFull;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EACCES:
    case EPERM:
      return ConnectOutcome::kClientError;
    default:  // ECONNRESET, EPIPE, and what networks can do besides
      return ConnectOutcome::kReset;
  }
}

ConnectOutcome OutcomeOfSqlstate(std::string_view code) {
  if (code == sqlstate::kTooManyConnections) return ConnectOutcome::kTooManyConnections;
  if (code == sqlstate::kCannotConnectNow) return ConnectOutcome::kCannotConnectNow;
  if (code.substr(0, 2) == "28") return ConnectOutcome::kAuthenticationFailed;
  return ConnectOutcome::kServerError;
}

}  // namespace connbench::load
