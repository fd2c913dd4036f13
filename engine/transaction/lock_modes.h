// The lock modes and which conflict: PostgreSQL's eight for tables, its four for rows.
//
// Safety: pure functions and constants.
#pragma once

#include <cstdint>
#include <string_view>

namespace connbench::engine {

enum class LockMode : uint8_t {
  kAccessShare = 1,           // SELECT
  kRowShare = 2,              // SELECT FOR UPDATE
  kRowExclusive = 3,          // INSERT, UPDATE, DELETE
  kShareUpdateExclusive = 4,  // VACUUM
  kShare = 5,                 // CREATE INDEX
  kShareRowExclusive = 6,
  kExclusive = 7,
  kAccessExclusive = 8,  // DROP, TRUNCATE, ALTER
};
inline constexpr int kLockModes = 8;

constexpr uint16_t LockBit(LockMode mode) {
  return static_cast<uint16_t>(1u << static_cast<unsigned>(mode));
}

// The modes that conflict with mode, as a set of LockBit.
constexpr uint16_t LockConflicts(LockMode mode) {
  using enum LockMode;
  constexpr uint16_t kConflicts[kLockModes + 1] = {
      0,
      LockBit(kAccessExclusive),
      LockBit(kExclusive) | LockBit(kAccessExclusive),
      LockBit(kShare) | LockBit(kShareRowExclusive) | LockBit(kExclusive) |
          LockBit(kAccessExclusive),
      LockBit(kShareUpdateExclusive) | LockBit(kShare) | LockBit(kShareRowExclusive) |
          LockBit(kExclusive) | LockBit(kAccessExclusive),
      LockBit(kRowExclusive) | LockBit(kShareUpdateExclusive) | LockBit(kShareRowExclusive) |
          LockBit(kExclusive) | LockBit(kAccessExclusive),
      LockBit(kRowExclusive) | LockBit(kShareUpdateExclusive) | LockBit(kShare) |
          LockBit(kShareRowExclusive) | LockBit(kExclusive) | LockBit(kAccessExclusive),
      LockBit(kRowShare) | LockBit(kRowExclusive) | LockBit(kShareUpdateExclusive) |
          LockBit(kShare) | LockBit(kShareRowExclusive) | LockBit(kExclusive) |
          LockBit(kAccessExclusive),
      LockBit(kAccessShare) | LockBit(kRowShare) | LockBit(kRowExclusive) |
          LockBit(kShareUpdateExclusive) | LockBit(kShare) | LockBit(kShareRowExclusive) |
          LockBit(kExclusive) | LockBit(kAccessExclusive),
  };
  return kConflicts[static_cast<unsigned>(mode)];
}

constexpr bool LocksConflict(LockMode a, LockMode b) {
  return (LockConflicts(a) & LockBit(b)) != 0;
}

// The weak modes do not conflict with each other: the cheap path serves them.
constexpr bool IsWeakLock(LockMode mode) { return mode <= LockMode::kRowExclusive; }

// As PostgreSQL prints it: "AccessShareLock".
std::string_view LockModeName(LockMode mode);

// Modes of row locks, weakest first: each allows its holder what the weaker ones do.
enum class RowLockMode : uint8_t {
  kKeyShare,     // nobody deletes the row or changes its key
  kShare,        // nobody changes it
  kNoKeyUpdate,  // for changing it, but not its key
  kUpdate,       // for changing its key, or deleting it
};

// PostgreSQL's table: each mode conflicts with itself and stronger ones from kNoKeyUpdate on;
// kShare conflicts with the two modes that change the row, kKeyShare with kUpdate alone.
constexpr bool RowLocksConflict(RowLockMode a, RowLockMode b) {
  return static_cast<int>(a) + static_cast<int>(b) >= static_cast<int>(RowLockMode::kUpdate);
}

// The mode in which a transaction that wants a row waits in the row's line. These modes conflict as
// the row's do.
constexpr LockMode LineMode(RowLockMode mode) {
  constexpr LockMode kModes[] = {LockMode::kAccessShare, LockMode::kRowShare, LockMode::kExclusive,
                                 LockMode::kAccessExclusive};
  return kModes[static_cast<unsigned>(mode)];
}

// As SQL spells it: "FOR NO KEY UPDATE".
std::string_view RowLockModeName(RowLockMode mode);

enum class LockWait : uint8_t { kBlock, kNoWait };

}  // namespace connbench::engine
