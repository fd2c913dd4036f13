// The control file of a data directory: which checkpoint is the last one, and where the log has to
// be read from. README.md has its layout.
//
// It is replaced in one step (whole.h), so it is always whole, the old one or the new one.
//
// Safety: plain values. Errors: F0000 for a directory that is none of ours or of another version,
// XX001 for a damaged file, 58030; all name the file, and the offset.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "engine/files/files.h"
#include "engine/wal/log_record.h"

namespace connbench::engine {

enum class DataState : uint32_t {
  kBeingMade = 1,  // nothing is in it yet
  kInUse = 2,      // by a server; if it runs no more, it crashed
  kShutDown = 3,
};

struct ControlFile {
  static constexpr uint64_t kMagic = 0x6c72746362626e63;  // "cnbbctrl"
  static constexpr uint32_t kFormatVersion = 6;
  static constexpr const char* kName = "control";

  uint64_t magic = kMagic;
  uint32_t format_version = kFormatVersion;
  uint32_t page_bytes = 0;
  uint64_t log_number = 0;     // random; records of other logs are none
  uint32_t storage_slots = 0;  // a storage's identifier is a slot and a count of its users
  uint32_t max_relations = 0;  // the setting from which storage_slots come, for messages
  DataState state = DataState::kBeingMade;
  uint32_t zero = 0;
  uint64_t checkpoint_number = 0;
  Lsn redo = kNoLsn;      // recovery reads the log from here ...
  Lsn complete = kNoLsn;  // ... and must find it whole up to here at least
  uint64_t checksum = 0;  // of all that stands before
};
static_assert(sizeof(ControlFile) == 72);

Result<ControlFile> ReadControlFile(Files& files, const std::string& folder);
// Replaces the control file in two steps, as whole.h has them.
Status PrepareControlFile(Files& files, const std::string& folder, ControlFile control);
Status PutControlFileInPlace(Files& files, const std::string& folder);
// Both.
Status WriteControlFile(Files& files, const std::string& folder, const ControlFile& control);

}  // namespace connbench::engine
