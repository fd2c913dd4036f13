// Every limit of the protocol, in one place: how long a message may be, how much is buffered before
// it is written, how much memory an idle session may keep.
//
// Safety: constants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace connbench::protocol {

// The startup packet behind its length word: PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
inline constexpr size_t kMaxStartupPacketBytes = 10'000;
// A password in clear, and a message of SASL: PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH and
// PG_MAX_SASL_MESSAGE_LENGTH.
inline constexpr size_t kMaxPasswordBytes = 65'535;
inline constexpr size_t kMaxSaslMessageBytes = 1024;
// Bodies of messages that carry no data (Close, Describe, Execute, Sync, ...): PostgreSQL's
// PQ_SMALL_MESSAGE_LIMIT.
inline constexpr size_t kMaxSmallMessageBytes = 10'000;
// Bodies that are buffered whole before they are run: Query, Parse, Bind, FunctionCall. PostgreSQL
// allows 1 GiB; here one client may not make the server hold more than this.
inline constexpr size_t kMaxBufferedMessageBytes = size_t{256} << 20;
// CopyData is streamed, never buffered: PostgreSQL's PQ_LARGE_MESSAGE_LIMIT.
inline constexpr size_t kMaxCopyDataBytes = (size_t{1} << 30) - 2;
// What a client accepts from a server in one message, unless it chooses otherwise.
inline constexpr size_t kMaxBackendMessageBytes = size_t{1} << 30;

// A session sends what it has through its OutputChannel as soon as it holds this much, so that an
// answer of any size needs this much memory.
inline constexpr size_t kOutputFlushBytes = 64 << 10;
// A pooler holds this much of a client's answers back while the client does not read, so that the
// backend is free for others. Beyond it the statement waits. At most kOutputFlushBytes more.
inline constexpr size_t kRelayedAnswerBytes = 256 << 10;
// Buffers larger than this are given back when they are empty: this bounds an idle session.
inline constexpr size_t kRetainedBufferBytes = 4 << 10;
// The same for the arrays of parameters and formats of Bind.
inline constexpr size_t kRetainedParameters = 64;

static_assert(kRetainedBufferBytes < kOutputFlushBytes);
static_assert(kMaxSmallMessageBytes < kMaxBufferedMessageBytes);
static_assert(kMaxBufferedMessageBytes < kMaxCopyDataBytes);

// A client keeps its place for so long without having said anything, or without having proved who
// it is, even if others wait for that place (engine/segment/admission.h). Once the network's
// slowest round trip there and back, and the few that a login with TLS and SCRAM takes. A request
// for encryption proves nothing: the short patience begins anew at its answer, once for each kind.
inline constexpr MonotonicNs kSilentPatienceNs = 250 * kNanosecondsPerMillisecond;
inline constexpr MonotonicNs kLoginPatienceNs = 5 * kNanosecondsPerSecond;

// Names of users and databases are cut to this length, as PostgreSQL does (NAMEDATALEN - 1).
inline constexpr size_t kMaxNameBytes = 63;

}  // namespace connbench::protocol
