// The temporary folder of a server that is not ours: its data, its configuration, its log.
//
// It is removed with its object. Where the harness was killed before that, the next Make() in the
// same place sweeps: a folder belongs to the process that holds a lock on it, and the kernel drops
// the lock with the process, so that a folder without a holder is a leftover. Processes that still
// work in it are ended, System V shared memory that a postmaster in it made is removed.
//
// Safety: one thread per object. Errors: the folder and what to do.
#pragma once

#include <optional>
#include <string>

#include "base/child_process.h"
#include "base/status.h"

namespace connbench::targets {

class ServerFolder {
 public:
  // In parent, or where temporary files go if that is empty; owned by that user.
  static Result<ServerFolder> Make(const std::string& parent, const std::optional<UserIds>& owner);

  ServerFolder() = default;
  ServerFolder(ServerFolder&& other) noexcept;
  ServerFolder& operator=(ServerFolder&& other) noexcept;
  ~ServerFolder();

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // Ends what still works in it and removes it, now.
  void Remove();
  // It is nobody's to remove any more, under a name that no sweep looks at; that name.
  Result<std::string> Keep();

 private:
  std::string path_;  // empty: none
  int lock_ = -1;
};

// The same, and stderr tells the name. Nothing happens to a folder that is not there.
Status KeepFolder(ServerFolder& folder);

// The folders in which servers were that nobody holds any more; how many there were.
int SweepServerFolders(const std::string& parent);

// The System V segment that a postmaster recorded in its data folder, -1 if it recorded none. It
// outlives a postmaster that was killed.
int PostmasterSegment(const std::string& data_folder);

}  // namespace connbench::targets
