// The files of a data directory, as the kernel has them: one small interface, so that a test can
// put something else in the kernel's place (testing/faulty_files.h).
//
// Every call that the engine makes for its data goes through Files and File. They answer as system
// calls do, with -errno and short counts; whole.h makes of them what the engine wants: everything
// or a Status that names the file and the place.
//
// Safety: Files may be called from any thread; a File by one thread at a time, but for those
// of the kernel: several threads may read and write one at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace connbench::engine {

class File {
 public:
  virtual ~File() = default;
  // Bytes done, maybe fewer than asked for (0: the end), or -errno.
  virtual int64_t Read(int64_t offset, char* to, int64_t bytes) = 0;
  virtual int64_t Write(int64_t offset, const char* from, int64_t bytes) = 0;
  virtual int64_t Size() = 0;
  // Cuts the file to that size: 0 or -errno.
  virtual int Truncate(int64_t bytes) = 0;
  // fdatasync(): 0 or -errno.
  virtual int Sync() = 0;
  // Takes the file for this process and those that it forks; 0, or -EWOULDBLOCK if another has it.
  virtual int TryLock() = 0;
};

// Reads that the kernel does while the thread that asked for them goes on: an io_uring.
//
// Safety: one thread at a time. It is destroyed only when nothing is under way.
class ReadRing {
 public:
  struct Ended {
    uint64_t token = 0;
    int64_t result = 0;  // as of File::Read()
  };

  virtual ~ReadRing() = default;
  // Hands a read of a file, which comes from the same Files, to the kernel. It may have ended when
  // this returns. 0, or -errno: it has not begun.
  virtual int Begin(File& file, int64_t offset, char* to, int64_t bytes, uint64_t token) = 0;
  // One that has ended; false: none has. From then on the next one that ends writes to the ring's
  // event descriptor, if it has one. wait: blocks until there is one; one must be under way.
  virtual bool Next(bool wait, Ended& ended) = 0;
};

enum class OpenMode : uint8_t {
  kRead,       // must exist
  kReadWrite,  // must exist
  kMakeNew,    // must not exist
  kMakeOrUse,
};

// What may be done in a folder, and by whom.
struct FolderFacts {
  uint32_t owner = 0;  // user id
  uint32_t mode = 0;   // permission bits
};

class Files {
 public:
  virtual ~Files() = default;
  // 0 or -errno, all of them.
  virtual int Open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) = 0;
  virtual int Rename(const std::string& from, const std::string& to) = 0;
  virtual int Remove(const std::string& path) = 0;
  virtual int MakeFolder(const std::string& path) = 0;
  virtual int DescribeFolder(const std::string& path, FolderFacts& facts) = 0;
  // From now on it is its owner's alone, as one that MakeFolder() makes.
  virtual int MakeFolderPrivate(const std::string& path) = 0;
  // What has been made, renamed or removed in the folder is so for good.
  virtual int SyncFolder(const std::string& path) = 0;
  // The names in a folder.
  virtual int List(const std::string& path, std::vector<std::string>& names) = 0;
  // For so many reads at the same time. event_fd: an eventfd, which outlives the ring; -1: none.
  virtual int OpenRing(uint32_t reads, int event_fd, std::unique_ptr<ReadRing>& ring) = 0;
};

// The kernel's.
Files& KernelFiles();

}  // namespace connbench::engine
