// The small types that everything about transactions is told in.
//
// Safety: plain values.
#pragma once

#include <cstdint>

namespace connbench::engine {

// A transaction or subtransaction that writes. 64 bits: never reused, no wrap-around.
using Xid = uint64_t;
inline constexpr Xid kInvalidXid = 0;
// The writer of what exists from the beginning: committed, visible to everybody.
inline constexpr Xid kFrozenXid = 1;
inline constexpr Xid kFirstNormalXid = 2;

// Commit sequence number: the order in which transactions became visible.
using Csn = uint64_t;
inline constexpr Csn kInvalidCsn = 0;
// Committed before every snapshot there is: the exact number is forgotten.
inline constexpr Csn kFrozenCsn = 1;
inline constexpr Csn kFirstNormalCsn = 2;

// Statements within a transaction, so that a statement does not see its own rows.
using CommandId = uint32_t;
inline constexpr CommandId kFirstCommandId = 0;

// Index of a backend slot.
using BackendNumber = uint32_t;
inline constexpr BackendNumber kNoBackend = UINT32_MAX;

enum class IsolationLevel : uint8_t {
  kReadUncommitted,  // behaves as kReadCommitted, as in PostgreSQL
  kReadCommitted,
  kRepeatableRead,  // snapshot isolation
};

// Whether all statements of a transaction see the same snapshot.
constexpr bool KeepsSnapshot(IsolationLevel level) {
  return level >= IsolationLevel::kRepeatableRead;
}

// Of the lock tables' hashes: 2^64 / golden ratio.
inline constexpr uint64_t kHashMultiplier = 0x9e3779b97f4a7c15;

}  // namespace connbench::engine
