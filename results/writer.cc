// Writes a run's folder so that whatever happens later, what was measured is kept.
#include "results/writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <utility>

#include "results/reader.h"

namespace connbench::results {
namespace {

namespace fs = std::filesystem;

constexpr char kFullHint[] =
    "Free some space or choose another folder with -o DIR; earlier results are untouched.";
constexpr char kFolderHint[] = "Choose a folder you may write to with -o DIR.";
constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;

Status IoError(const std::string& what, int errno_value, const char* hint) {
  return Status::System(what, errno_value).WithHint(hint);
}

Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return IoError("cannot write " + path, errno, kFullHint);
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return Status::Ok();
}

Status SyncFile(int fd, const std::string& path) {
  if (::fdatasync(fd) != 0) return IoError("cannot flush " + path, errno, kFullHint);
  return Status::Ok();
}

// Replaces a file as a whole: readers see the old or the new one.
Status ReplaceFile(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (fd < 0) return IoError("cannot create " + temporary, errno, kFolderHint);
  Status status = WriteAll(fd, text, temporary);
  if (status.ok()) status = SyncFile(fd, temporary);
  ::close(fd);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = IoError("cannot replace " + path, errno, kFolderHint);
  }
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

std::string QuoteCell(std::string text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  for (size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2)) {
    text.insert(at, 1, '"');
  }
  return '"' + text + '"';
}

// The CSV files in the order in which a trial is appended: the commit record last.
enum FileIndex : uint8_t { kLatency, kPhases, kTimeseries, kMemory, kErrors, kTrials, kFiles };

template <typename Row>
Status AppendRows(const TrialRow& trial, std::vector<Row>& rows, std::string& text) {
  for (Row& row : rows) {
    CopyKeys(trial, row);
    CONNBENCH_ASSIGN_OR_RETURN(const std::string line, FormatCsvRow(row));
    text += line;
  }
  return Status::Ok();
}

class FolderWriter final : public RunWriter {
 public:
  FolderWriter(std::string folder, std::string latest_link)
      : folder_(std::move(folder)), latest_link_(std::move(latest_link)) {}
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;
  ~FolderWriter() override {
    for (const int fd : fds_) {
      if (fd >= 0) ::close(fd);
    }
    if (folder_fd_ >= 0) ::close(folder_fd_);
  }

  Status Lock() {
    folder_fd_ = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd_ < 0) return IoError("cannot open " + folder_, errno, kFolderHint);
    if (::flock(folder_fd_, LOCK_EX | LOCK_NB) != 0) {
      return Status::Error(sqlstate::kObjectInUse, folder_ + " is being written by another run")
          .WithHint("Wait for it, or choose another folder with -o DIR.");
    }
    return Status::Ok();
  }

  // Opens the CSV files; fresh: they must not exist yet and get their headers.
  Status Open(bool fresh) {
    CONNBENCH_RETURN_IF_ERROR(OpenFile<LatencyRow>(kLatency, fresh));
    CONNBENCH_RETURN_IF_ERROR(OpenFile<PhaseRow>(kPhases, fresh));
    CONNBENCH_RETURN_IF_ERROR(OpenFile<TimeseriesRow>(kTimeseries, fresh));
    CONNBENCH_RETURN_IF_ERROR(OpenFile<MemoryRow>(kMemory, fresh));
    CONNBENCH_RETURN_IF_ERROR(OpenFile<ErrorRow>(kErrors, fresh));
    return OpenFile<TrialRow>(kTrials, fresh);
  }

  Status WriteInfo(const RunInfo& info) override {
    return ReplaceFile(folder_ + "/run.json", FormatRunInfo(info));
  }

  Status AppendTrial(TrialRecord record) override {
    std::array<std::string, kFiles> texts;
    CONNBENCH_RETURN_IF_ERROR(AppendRows(record.trial, record.latency, texts[kLatency]));
    CONNBENCH_RETURN_IF_ERROR(AppendRows(record.trial, record.phases, texts[kPhases]));
    CONNBENCH_RETURN_IF_ERROR(AppendRows(record.trial, record.timeseries, texts[kTimeseries]));
    CONNBENCH_RETURN_IF_ERROR(AppendRows(record.trial, record.memory, texts[kMemory]));
    CONNBENCH_RETURN_IF_ERROR(AppendRows(record.trial, record.errors, texts[kErrors]));
    CONNBENCH_ASSIGN_OR_RETURN(texts[kTrials], FormatCsvRow(record.trial));
    CONNBENCH_RETURN_IF_ERROR(WriteHgrm(record));
    for (int file = 0; file < kFiles; ++file) {
      Status status = WriteAll(fds_[file], texts[file], paths_[file]);
      if (status.ok()) status = SyncFile(fds_[file], paths_[file]);
      if (!status.ok()) {
        TakeBack();
        return status;
      }
    }
    for (int file = 0; file < kFiles; ++file) {
      sizes_[file] += static_cast<off_t>(texts[file].size());
    }
    return SwitchLatestLink();
  }

  const std::string& folder() const override { return folder_; }

 private:
  template <typename Row>
  Status OpenFile(FileIndex file, bool fresh) {
    paths_[file] = folder_ + "/" + std::string(FileName<Row>());
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | (fresh ? O_CREAT | O_EXCL : 0);
    fds_[file] = ::open(paths_[file].c_str(), flags, kFileMode);
    if (fds_[file] < 0) return IoError("cannot open " + paths_[file], errno, kFolderHint);
    if (fresh) {
      CONNBENCH_RETURN_IF_ERROR(WriteAll(fds_[file], FormatCsvHeader<Row>(), paths_[file]));
    }
    sizes_[file] = ::lseek(fds_[file], 0, SEEK_END);
    return Status::Ok();
  }

  // What is left of a trial that did not become whole is written again when the trial is.
  Status WriteHgrm(const TrialRecord& record) const {
    if (record.hgrm.empty()) return Status::Ok();
    const std::string folder = folder_ + "/hgrm";
    if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return IoError("cannot make " + folder, errno, kFolderHint);
    }
    for (const HgrmFile& file : record.hgrm) {
      const std::string path =
          fmt::format("{}/{:04}-{}.hgrm", folder, record.trial.trial, file.distribution);
      const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
      if (fd < 0) return IoError("cannot open " + path, errno, kFolderHint);
      const Status status = WriteAll(fd, file.text, path);
      ::close(fd);
      CONNBENCH_RETURN_IF_ERROR(status);
    }
    return Status::Ok();
  }

  // Back to the last whole trial. A failure here is harmless: readers leave out what is incomplete.
  void TakeBack() {
    for (int file = 0; file < kFiles; ++file) {
      if (::ftruncate(fds_[file], sizes_[file]) != 0) continue;
    }
  }

  Status SwitchLatestLink() {
    if (latest_link_.empty()) return Status::Ok();
    const std::string link = std::exchange(latest_link_, "");
    const fs::path parent = fs::path(link).parent_path();
    const std::string temporary = fmt::format("{}.{}.tmp", link, ::getpid());
    const std::string target = fs::path(folder_).lexically_relative(parent).string();
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
        ::rename(temporary.c_str(), link.c_str()) != 0) {
      const int errno_value = errno;
      ::unlink(temporary.c_str());
      return IoError("cannot switch the link " + link, errno_value,
                     "Remove what is in its place; the run itself is written.");
    }
    return Status::Ok();
  }

  std::string folder_;
  std::string latest_link_;
  int folder_fd_ = -1;
  std::array<int, kFiles> fds_ = {-1, -1, -1, -1, -1, -1};
  std::array<off_t, kFiles> sizes_ = {};
  std::array<std::string, kFiles> paths_;
};

template <typename Row>
Status RewriteFile(const std::string& folder, const std::vector<Row>& rows) {
  std::string text = FormatCsvHeader<Row>();
  for (const Row& row : rows) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string line, FormatCsvRow(row));
    text += line;
  }
  return ReplaceFile(folder + "/" + std::string(FileName<Row>()), text);
}

}  // namespace

template <typename Row>
Result<std::string> FormatCsvRow(const Row& row) {
  std::string line;
  for (const Field<Row>& field : Fields<Row>()) {
    if (!std::isfinite(field.Measured(row).value_or(0))) {
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("{} of {} is {}", field.column.name, FileName<Row>(), field.Print(row)));
    }
    line += QuoteCell(field.Print(row));
    line += ',';
  }
  line.back() = '\n';
  return line;
}

template <typename Row>
std::string FormatCsvHeader() {
  std::string line;
  for (const Field<Row>& field : Fields<Row>()) {
    if (!line.empty()) line += ',';
    line += field.column.name;
  }
  return line + '\n';
}

#define CONNBENCH_INSTANTIATE(Row)                           \
  template Result<std::string> FormatCsvRow(const Row& row); \
  template std::string FormatCsvHeader<Row>();
CONNBENCH_INSTANTIATE(TrialRow)
CONNBENCH_INSTANTIATE(LatencyRow)
CONNBENCH_INSTANTIATE(PhaseRow)
CONNBENCH_INSTANTIATE(TimeseriesRow)
CONNBENCH_INSTANTIATE(MemoryRow)
CONNBENCH_INSTANTIATE(ErrorRow)
#undef CONNBENCH_INSTANTIATE

Status RunWriter::CheckEmpty(const std::string& folder) {
  if (!fs::exists(folder + "/run.json") && !fs::exists(folder + "/trials.csv")) {
    return Status::Ok();
  }
  return Status::Error(sqlstate::kDuplicateObject, folder + " already holds a run")
      .WithHint("Choose another folder with -o DIR, or go on in this one with --resume.");
}

Result<std::unique_ptr<RunWriter>> RunWriter::Create(const std::string& folder, const RunInfo& info,
                                                     const std::string& latest_link) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return IoError("cannot create the folder " + folder, error.value(), kFolderHint);
  CONNBENCH_RETURN_IF_ERROR(CheckEmpty(folder));
  if (!latest_link.empty() && fs::exists(fs::symlink_status(latest_link)) &&
      !fs::is_symlink(latest_link)) {
    return Status::Error(sqlstate::kDuplicateObject, latest_link + " is not a symbolic link")
        .WithHint("It names the newest run: move what is in its place.");
  }
  auto writer = std::make_unique<FolderWriter>(folder, latest_link);
  CONNBENCH_RETURN_IF_ERROR(writer->Lock());
  CONNBENCH_RETURN_IF_ERROR(writer->Open(/*fresh=*/true));
  CONNBENCH_RETURN_IF_ERROR(ReplaceFile(folder + "/run.schema.json", RunJsonSchema()));
  CONNBENCH_RETURN_IF_ERROR(writer->WriteInfo(info));
  return std::unique_ptr<RunWriter>(std::move(writer));
}

Result<std::unique_ptr<RunWriter>> RunWriter::Resume(const std::string& folder) {
  auto writer = std::make_unique<FolderWriter>(folder, "");
  CONNBENCH_RETURN_IF_ERROR(writer->Lock());
  CONNBENCH_ASSIGN_OR_RETURN(const Run run, Run::Load(folder));
  // A run of an older schema version goes on in this one.
  RunInfo info = run.info;
  info.schema_version = kSchemaVersion;
  CONNBENCH_RETURN_IF_ERROR(writer->WriteInfo(info));
  CONNBENCH_RETURN_IF_ERROR(ReplaceFile(folder + "/run.schema.json", RunJsonSchema()));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.latency));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.phases));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.timeseries));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.memory));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.errors));
  CONNBENCH_RETURN_IF_ERROR(RewriteFile(folder, run.trials));
  CONNBENCH_RETURN_IF_ERROR(writer->Open(/*fresh=*/false));
  return std::unique_ptr<RunWriter>(std::move(writer));
}

}  // namespace connbench::results
