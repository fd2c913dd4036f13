// A data directory in the hands of one server: its lock, its control file, the names in it.
//
//   <folder>/control                 which checkpoint counts (control_file.h)
//   <folder>/lock                    locked by the server; the supervisor's pid
//   <folder>/pages                   the pages of the last checkpoint (page_places.h)
//   <folder>/checkpoint.<number>     where they are, and all other data as of one moment
//   <folder>/wal/<number>            the log, 16 MiB each; spare.<number>: to be used again
//
// Safety: made by the process that makes the segment, and kept as long as that; processes that it
// forks keep the lock, too, so that no second server can start while one of them lives.
// Errors: 55006 if another server has it, with its pid; 55000 if it is another user's, or open to
// others; F0000 for a folder that is no data directory, or of other settings; XX001; 58030, also
// for a file or folder of it that cannot be written. Nothing is changed by a refusal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/files/files.h"
#include "engine/recovery/control_file.h"

namespace connbench::engine {

std::string CheckpointPath(const std::string& folder, uint64_t number);
// Of a file's name; none for another file.
std::optional<uint64_t> CheckpointNumber(const std::string& name);

class DataDirectory {
 public:
  // Makes it if it does not exist or is empty; one that is empty becomes its owner's alone.
  // storage_slots: Storage::SlotCount().
  static Result<std::unique_ptr<DataDirectory>> Open(Files& files, const EngineConfig& config,
                                                     uint32_t storage_slots);

  // For who only looks: changes nothing, and keeps servers away meanwhile.
  static Result<std::unique_ptr<DataDirectory>> OpenToRead(Files& files, const std::string& folder);

  const ControlFile& control() const { return control_; }
  bool is_new() const { return control_.state == DataState::kBeingMade; }
  Files& files() { return files_; }
  const std::string& folder() const { return folder_; }
  // The numbers of the log's files that are there, in no order.
  Result<std::vector<uint64_t>> LogFiles();

 private:
  DataDirectory(Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  Status Lock();
  Status MakeNew(const EngineConfig& config, uint32_t storage_slots);
  Status CheckOwner();
  Status CheckMode();
  // All that the server will write later, so that a commit does not find out.
  Status CheckWritable();
  Status CheckSettings(const EngineConfig& config, uint32_t storage_slots) const;

  Files& files_;
  const std::string folder_;
  FolderFacts facts_;
  std::unique_ptr<File> lock_;
  ControlFile control_;
};

// The numbers of the log's files in <folder>/wal. Files with other names are nobody's business.
Result<std::vector<uint64_t>> ListLogFiles(Files& files, const std::string& folder);

}  // namespace connbench::engine
