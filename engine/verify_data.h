// Looks whether a data directory is sound, without a server and without changing anything: control
// file, checkpoint and log, byte by byte, then what recovery would make of them: pages, trees, and
// that each index agrees with its table.
//
// Safety: one thread. The directory's lock is held meanwhile, so that no server begins on it.
// Errors: for what makes the look impossible: 55006 if a server has the directory, F0000 if it is
// none, or of another version, 53100 or 53200 if the data do not fit into memory. Damage is no
// error; each finding is handed to found(): XX001, or 58030 for a file that cannot be read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "engine/files/files.h"

namespace connbench::engine {

struct VerifiedData {
  uint64_t checkpoint_number = 0;  // 0: the directory was never in use
  int64_t checkpoint_pages = 0;
  int64_t log_files = 0;
  int64_t log_records = 0;  // since the checkpoint
  bool shut_down = false;
  int64_t tables = 0;  // what follows is looked at only if the files are sound
  int64_t indexes = 0;
  int64_t damages = 0;
};

using DamageFound = std::function<void(const Status& damage)>;

Result<VerifiedData> VerifyData(Files& files, const std::string& folder, const DamageFound& found);

}  // namespace connbench::engine
