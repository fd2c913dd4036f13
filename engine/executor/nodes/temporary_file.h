// Temporary files of sorts and stored rows: without a name, in $TMPDIR, gone when they are closed.
//
// Who may call: nodes that store rows beyond work_mem.
// Safety: private memory of one session, one thread at a time. Blocking: on the disk.
// Errors: 53100 when the disk is full, 58030 for other I/O errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/status.h"

namespace connbench::engine {

class TemporaryFile {
 public:
  // whose: what errors call it.
  explicit TemporaryFile(const char* whose = "a temporary file") : whose_(whose) {}
  ~TemporaryFile() { Close(); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool is_open() const { return file_ >= 0; }
  Status Open();
  // Gives the disk space back.
  void Close();

  Status Append(const char* bytes, size_t count);
  // Up to count bytes from offset, at least one; requires that there are any.
  Result<size_t> Read(int64_t offset, char* bytes, size_t count) const;
  // Gives back the disk space of a part that nobody reads any more; not every file system can.
  bool GiveBack(int64_t begin, int64_t end);
  int64_t size() const { return size_; }

 private:
  const char* const whose_;
  int file_ = -1;
  int64_t size_ = 0;
};

}  // namespace connbench::engine
