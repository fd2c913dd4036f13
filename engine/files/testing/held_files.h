// The kernel's files, of which a test holds up or fails the reads of one file.
//
// Safety: any thread. A read that is held up waits until the test lets it go.
#pragma once

#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/files/files.h"

namespace connbench::engine {

class HeldFiles : public Files {
 public:
  // name: how the path of the file ends.
  explicit HeldFiles(std::string name) : name_(std::move(name)) {}

  // From now on reads wait for Release().
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
    for (const int event_fd : event_fds_) {
      const uint64_t one = 1;
      (void)!write(event_fd, &one, sizeof(one));
    }
  }
  // Reads that are being held up.
  int waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }
  // The next reads, or those after some more, so many of them, answer -error when they are let go.
  void FailReads(int count, int error, int after = 0) {
    const std::lock_guard lock(mutex_);
    failures_after_ = after;
    failures_ = count;
    error_ = error;
  }
  // Reads do at most so many bytes, 0: all.
  void MakeShort(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    most_bytes_ = bytes;
  }
  int64_t reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  int Open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    const int opened = kernel_.Open(path, mode, file);
    if (opened == 0 && path.ends_with(name_)) {
      file = std::make_unique<HeldFile>(*this, std::move(file));
    }
    return opened;
  }
  int Rename(const std::string& from, const std::string& to) override {
    return kernel_.Rename(from, to);
  }
  int Remove(const std::string& path) override { return kernel_.Remove(path); }
  int MakeFolder(const std::string& path) override { return kernel_.MakeFolder(path); }
  int DescribeFolder(const std::string& path, FolderFacts& facts) override {
    return kernel_.DescribeFolder(path, facts);
  }
  int MakeFolderPrivate(const std::string& path) override {
    return kernel_.MakeFolderPrivate(path);
  }
  int SyncFolder(const std::string& path) override { return kernel_.SyncFolder(path); }
  int List(const std::string& path, std::vector<std::string>& names) override {
    return kernel_.List(path, names);
  }
  int OpenRing(uint32_t reads, int event_fd, std::unique_ptr<ReadRing>& ring) override {
    const int opened = kernel_.OpenRing(reads, event_fd, ring);
    if (opened != 0) return opened;
    ring = std::make_unique<HeldRing>(*this, std::move(ring));
    const std::lock_guard lock(mutex_);
    ++rings_;
    if (event_fd >= 0) event_fds_.push_back(event_fd);
    return 0;
  }
  // That have been opened.
  int rings() {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

 private:
  class HeldFile : public File {
   public:
    HeldFile(HeldFiles& files, std::unique_ptr<File> file)
        : files_(files), file_(std::move(file)) {}
    int64_t Read(int64_t offset, char* to, int64_t bytes) override {
      if (const int error = files_.BeforeRead(bytes); error != 0) return -error;
      return file_->Read(offset, to, bytes);
    }
    int64_t Write(int64_t offset, const char* from, int64_t bytes) override {
      return file_->Write(offset, from, bytes);
    }
    int64_t Size() override { return file_->Size(); }
    int Truncate(int64_t bytes) override { return file_->Truncate(bytes); }
    int Sync() override { return file_->Sync(); }
    int TryLock() override { return file_->TryLock(); }
    File& file() { return *file_; }

   private:
    HeldFiles& files_;
    std::unique_ptr<File> file_;
  };
  // Reads that are held up wait here, and have not been handed to the kernel.
  class HeldRing : public ReadRing {
   public:
    HeldRing(HeldFiles& files, std::unique_ptr<ReadRing> ring)
        : files_(files), ring_(std::move(ring)) {}
    int Begin(File& file, int64_t offset, char* to, int64_t bytes, uint64_t token) override {
      const std::lock_guard lock(files_.mutex_);
      ++files_.reads_;
      ++files_.waiting_;
      held_.push_back({&static_cast<HeldFile&>(file).file(), offset, to, bytes, token});
      return 0;
    }
    bool Next(bool wait, Ended& ended) override {
      HandOver(wait);
      if (!failed_.empty()) {
        ended = failed_.back();
        failed_.pop_back();
        return true;
      }
      if (!ring_->Next(wait, ended)) return false;
      --under_way_;
      return true;
    }

   private:
    struct Call {
      File* file;
      int64_t offset;
      char* to;
      int64_t bytes;
      uint64_t token;
    };

    void HandOver(bool wait) {
      std::unique_lock lock(files_.mutex_);
      if (wait && under_way_ == 0 && failed_.empty()) {
        files_.changed_.wait(lock, [this] { return !files_.held_; });
      }
      if (files_.held_) return;
      for (Call& call : held_) {
        --files_.waiting_;
        const int error = files_.LetGo(call.bytes);
        if (error != 0) {
          failed_.push_back({.token = call.token, .result = -error});
        } else if (ring_->Begin(*call.file, call.offset, call.to, call.bytes, call.token) == 0) {
          ++under_way_;
        } else {
          std::abort();
        }
      }
      held_.clear();
    }

    HeldFiles& files_;
    std::unique_ptr<ReadRing> ring_;
    std::vector<Call> held_;
    std::vector<Ended> failed_;
    int under_way_ = 0;
  };

  // The error to answer, 0: none.
  int BeforeRead(int64_t& bytes) {
    std::unique_lock lock(mutex_);
    ++reads_;
    ++waiting_;
    changed_.wait(lock, [this] { return !held_; });
    --waiting_;
    return LetGo(bytes);
  }
  int LetGo(int64_t& bytes) {
    if (most_bytes_ != 0 && bytes > most_bytes_) bytes = most_bytes_;
    if (failures_ == 0 || failures_after_-- > 0) return 0;
    failures_after_ = 0;
    --failures_;
    return error_;
  }

  const std::string name_;
  Files& kernel_ = KernelFiles();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int waiting_ = 0;
  int failures_after_ = 0;
  int failures_ = 0;
  int error_ = 0;
  int64_t most_bytes_ = 0;
  int64_t reads_ = 0;
  int rings_ = 0;
  std::vector<int> event_fds_;
};

}  // namespace connbench::engine
