// The first packet of a connection: what it asks for, checked as PostgreSQL checks it.
//
// Safety: a pure function; any thread. Errors: the FATAL Status to refuse the connection with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/session.h"
#include "protocol/codec.h"

namespace connbench::protocol {

enum class StartupKind : uint8_t {
  kSslRequest,
  kGssEncRequest,
  kCancelRequest,
  kSession,
};

struct StartupPacket {
  StartupKind kind = StartupKind::kSession;
  // kCancelRequest:
  uint32_t cancel_connection_id = 0;
  uint32_t cancel_key = 0;
  // kSession:
  uint32_t version = kProtocolVersion3;  // as asked for: the minor version may be newer than ours
  std::string user;  // may be empty: an error, but one that negotiation comes before
  std::string database;
  // Settings in the order in which they take effect: those in "options" first.
  std::vector<engine::StartupParameter> settings;
  // What is wrong with "options". The client learns it after authentication, and after an error of
  // the settings, which end with those that come before it.
  Status options_error;
  // Protocol extensions ("_pq_.name") that were asked for; we have none.
  std::vector<std::string> unknown_protocol_options;

  // The client must be told what we do not speak before anything else.
  bool needs_negotiation() const {
    return version != kProtocolVersion3 || !unknown_protocol_options.empty();
  }
};

// packet is what follows the length word. ssl_seen and gss_seen: that request was already answered
// on this connection, and must not come again.
Result<StartupPacket> ReadStartupPacket(std::string_view packet, bool ssl_seen, bool gss_seen);

}  // namespace connbench::protocol
