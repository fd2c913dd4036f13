// Files in memory that misbehave as a disk may: the k-th call fails, counts are short, and after a
// crash only what was synced is there, and maybe any part of what was not.
//
// Safety: one thread at a time.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/files/files.h"

namespace connbench::engine {

class FaultyFiles : public Files {
 public:
  // kSync: of files and folders; kAllButSyncs: neither those nor renames, whose failure a server
  // does not outlive.
  enum class Call : uint8_t { kAny, kRead, kWrite, kSync, kRename, kAllButSyncs };

  // The n-th call of that kind from now (0: the next) answers -error and does nothing; later ones
  // work again.
  void FailCall(int64_t n, int error, Call kind = Call::kAny) {
    fail_after_ = n;
    error_ = error;
    fail_kind_ = kind;
  }
  bool failed() const { return fail_after_ < 0; }
  // Every write fails with ENOSPC until the disk is not full any more.
  void SetFull(bool full) { full_ = full; }
  // Reads and writes do at most so many bytes, 0: all; every other one is interrupted (EINTR).
  void MakeShort(int64_t bytes) { most_bytes_ = bytes; }
  int64_t calls() const { return calls_; }
  // Runs what() before the n-th call from now does anything (1: the next).
  void BeforeCall(int64_t n, std::function<void()> what) {
    run_at_ = calls_ + n;
    run_ = std::move(what);
  }

  // What a power failure at the n-th call from now will leave: names as they are or as last synced;
  // files as last synced, and of the writes since either a random number of the first ones or any
  // of them, some torn at a random place of 512 bytes. The files themselves go on.
  void CrashAtCall(int64_t n, uint64_t seed) {
    crash_at_ = calls_ + n;
    random_.seed(seed);
    crashed_.clear();
  }
  // The number of that call; calls() tells what had been done by then.
  int64_t crash_at() const { return crash_at_; }
  // The machine is up again: there is what the failure left. Open files are of the time before.
  void Restart() {
    if (calls_ < crash_at_) TakeCrashed();
    names_.clear();
    for (const auto& [path, bytes] : crashed_) {
      auto node = std::make_shared<Node>();
      node->bytes = node->synced = bytes;
      names_[path] = node;
    }
    synced_names_ = names_;
    crash_at_ = -1;
  }
  // Flips one bit of a file, for good.
  void Damage(const std::string& path, int64_t offset) {
    Node& node = *names_.at(path);
    node.bytes.at(static_cast<size_t>(offset)) ^= 1;
    node.synced = node.bytes;
  }
  // Leaves the first bytes of a file, for good. Copies of these files keep the whole one.
  void Cut(const std::string& path, int64_t bytes) {
    auto cut = std::make_shared<Node>();
    cut->bytes = cut->synced = names_.at(path)->bytes.substr(0, static_cast<size_t>(bytes));
    names_[path] = cut;
  }
  // Of all folders.
  void SetFolderFacts(FolderFacts facts) { folder_facts_ = facts; }
  // Nothing can be opened for writing from now on whose path begins so, as where permissions or a
  // mount forbid it; empty: everything can.
  void ForbidWriting(std::string path) { forbidden_ = std::move(path); }
  // Puts bytes behind the end of a file, for good.
  void Lengthen(const std::string& path, std::string_view bytes) {
    auto longer = std::make_shared<Node>();
    longer->bytes = longer->synced = names_.at(path)->bytes + std::string(bytes);
    names_[path] = longer;
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, node] : names_) paths.push_back(path);
    return paths;
  }
  const std::string& Bytes(const std::string& path) const { return names_.at(path)->bytes; }

  int Open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    if (Fails()) return -error_;
    if (mode != OpenMode::kRead && !forbidden_.empty() && path.starts_with(forbidden_)) {
      return -EACCES;
    }
    const auto found = names_.find(path);
    if (found == names_.end() && (mode == OpenMode::kRead || mode == OpenMode::kReadWrite)) {
      return -ENOENT;
    }
    if (found != names_.end() && mode == OpenMode::kMakeNew) return -EEXIST;
    if (found == names_.end()) names_[path] = std::make_shared<Node>();
    file = std::make_unique<OpenNode>(*this, names_[path]);
    return 0;
  }
  int Rename(const std::string& from, const std::string& to) override {
    if (Fails(Call::kRename)) return -error_;
    const auto found = names_.find(from);
    if (found == names_.end()) return -ENOENT;
    names_[to] = found->second;
    names_.erase(found);
    return 0;
  }
  int Remove(const std::string& path) override {
    if (Fails()) return -error_;
    return names_.erase(path) == 1 ? 0 : -ENOENT;
  }
  int MakeFolder(const std::string& path) override {
    if (Fails()) return -error_;
    return std::find(folders_.begin(), folders_.end(), path) != folders_.end()
               ? -EEXIST
               : (folders_.push_back(path), 0);
  }
  int DescribeFolder(const std::string& path, FolderFacts& facts) override {
    if (Fails()) return -error_;
    if (std::find(folders_.begin(), folders_.end(), path) == folders_.end()) return -ENOENT;
    facts = folder_facts_;
    return 0;
  }
  int MakeFolderPrivate(const std::string& /*path*/) override {
    if (Fails()) return -error_;
    folder_facts_.mode = 0700;
    return 0;
  }
  int SyncFolder(const std::string& path) override {
    if (Fails(Call::kSync)) return -error_;
    std::erase_if(synced_names_, [&](const auto& entry) { return FolderOf(entry.first) == path; });
    for (const auto& [name, node] : names_) {
      if (FolderOf(name) == path) synced_names_[name] = node;
    }
    return 0;
  }
  int OpenRing(uint32_t /*reads*/, int /*event_fd*/, std::unique_ptr<ReadRing>& ring) override {
    if (Fails()) return -error_;
    ring = std::make_unique<PromptRing>();
    return 0;
  }
  int List(const std::string& path, std::vector<std::string>& names) override {
    if (Fails()) return -error_;
    if (std::find(folders_.begin(), folders_.end(), path) == folders_.end()) return -ENOENT;
    names.clear();
    for (const auto& [name, node] : names_) {
      if (FolderOf(name) == path) names.push_back(name.substr(path.size() + 1));
    }
    for (const std::string& name : folders_) {
      if (FolderOf(name) == path) names.push_back(name.substr(path.size() + 1));
    }
    return 0;
  }

 private:
  struct Pending {
    int64_t offset;
    std::string bytes;
  };
  struct Node {
    std::string bytes;
    std::string synced;
    std::vector<Pending> pending;  // since synced

    static void Put(std::string& bytes, int64_t offset, std::string_view what) {
      const auto end = static_cast<size_t>(offset) + what.size();
      if (bytes.size() < end) bytes.resize(end, '\0');
      std::memcpy(bytes.data() + offset, what.data(), what.size());
    }
    std::string Crashed(std::mt19937_64& random) const {
      std::string left = synced;
      const bool in_order = random() % 2 == 0;
      const size_t kept = random() % (pending.size() + 1);
      for (size_t i = 0; i < pending.size(); ++i) {
        if (in_order ? i >= kept : random() % 2 == 0) continue;
        std::string_view what = pending[i].bytes;
        constexpr size_t kSector = 512;
        const bool torn = in_order ? i + 1 == kept : random() % 4 == 0;
        if (torn) what = what.substr(0, random() % (what.size() / kSector + 1) * kSector);
        Put(left, pending[i].offset, what);
      }
      return left;
    }
  };
  class OpenNode : public File {
   public:
    OpenNode(FaultyFiles& files, std::shared_ptr<Node> node)
        : files_(files), node_(std::move(node)) {}
    int64_t Read(int64_t offset, char* to, int64_t bytes) override {
      if (files_.Fails(Call::kRead)) return -files_.error_;
      if (files_.Interrupts()) return -EINTR;
      const auto size = static_cast<int64_t>(node_->bytes.size());
      const int64_t done = std::clamp<int64_t>(size - offset, 0, files_.Most(bytes));
      std::memcpy(to, node_->bytes.data() + std::min(offset, size), static_cast<size_t>(done));
      return done;
    }
    int64_t Write(int64_t offset, const char* from, int64_t bytes) override {
      if (files_.Fails(Call::kWrite)) return -files_.error_;
      if (files_.full_) return -ENOSPC;
      if (files_.Interrupts()) return -EINTR;
      const int64_t done = files_.Most(bytes);
      node_->pending.push_back({offset, std::string(from, static_cast<size_t>(done))});
      Node::Put(node_->bytes, offset, node_->pending.back().bytes);
      return done;
    }
    int64_t Size() override { return static_cast<int64_t>(node_->bytes.size()); }
    int Truncate(int64_t bytes) override {
      if (files_.Fails()) return -files_.error_;
      node_->bytes.resize(static_cast<size_t>(bytes), 0);
      return 0;
    }
    int Sync() override {
      if (files_.Fails(Call::kSync)) return -files_.error_;
      for (const Pending& write : node_->pending) {
        Node::Put(node_->synced, write.offset, write.bytes);
      }
      node_->pending.clear();
      return 0;
    }
    int TryLock() override { return 0; }

   private:
    FaultyFiles& files_;
    std::shared_ptr<Node> node_;
  };

  // Every read has ended when it has begun.
  class PromptRing : public ReadRing {
   public:
    int Begin(File& file, int64_t offset, char* to, int64_t bytes, uint64_t token) override {
      ended_.push_back({.token = token, .result = file.Read(offset, to, bytes)});
      return 0;
    }
    bool Next(bool /*wait*/, Ended& ended) override {
      if (ended_.empty()) return false;
      ended = ended_.front();
      ended_.erase(ended_.begin());
      return true;
    }

   private:
    std::vector<Ended> ended_;
  };

  bool Fails(Call kind = Call::kAny) {
    if (calls_ + 1 == run_at_) {
      run_at_ = -1;
      std::exchange(run_, {})();
    }
    if (++calls_ == crash_at_) TakeCrashed();
    const bool syncs = kind == Call::kSync || kind == Call::kRename;
    if (fail_kind_ == Call::kAllButSyncs ? syncs : fail_kind_ != Call::kAny && fail_kind_ != kind) {
      return false;
    }
    return fail_after_ >= 0 && fail_after_-- == 0;
  }
  void TakeCrashed() {
    const auto& names = random_() % 2 == 0 ? synced_names_ : names_;
    for (const auto& [path, node] : names) crashed_[path] = node->Crashed(random_);
  }
  bool Interrupts() { return most_bytes_ != 0 && (interrupt_ = !interrupt_); }
  int64_t Most(int64_t bytes) const {
    return most_bytes_ == 0 ? bytes : std::min(bytes, most_bytes_);
  }
  static std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> synced_names_;
  std::vector<std::string> folders_;
  FolderFacts folder_facts_ = {.owner = geteuid(), .mode = 0700};
  std::string forbidden_;
  int64_t crash_at_ = -1;
  std::mt19937_64 random_;
  std::map<std::string, std::string> crashed_;
  int64_t fail_after_ = -1;
  int error_ = EIO;
  bool full_ = false;
  Call fail_kind_ = Call::kAny;
  int64_t run_at_ = -1;
  std::function<void()> run_;
  int64_t most_bytes_ = 0;
  bool interrupt_ = false;
  int64_t calls_ = 0;
};

}  // namespace connbench::engine
