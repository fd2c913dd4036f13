// The control file of a data directory.
#include "engine/recovery/control_file.h"

#include <fmt/format.h>

#include <cstddef>

#include "engine/files/whole.h"

namespace connbench::engine {
namespace {

constexpr auto kChecksumAt = static_cast<int64_t>(offsetof(ControlFile, checksum));

uint64_t ChecksumOf(const ControlFile& control) {
  return RecordChecksum(0, 0, {reinterpret_cast<const char*>(&control), size_t{kChecksumAt}});
}

}  // namespace

Result<ControlFile> ReadControlFile(Files& files, const std::string& folder) {
  const std::string path = folder + "/" + ControlFile::kName;
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                             OpenFile(files, path, OpenMode::kRead));
  ControlFile control;
  CONNBENCH_RETURN_IF_ERROR(
      ReadWhole(*file, path, 0, reinterpret_cast<char*>(&control), sizeof control));
  if (control.magic != ControlFile::kMagic) {
    return DamagedFile(path, offsetof(ControlFile, magic),
                       "this is no control file of a data directory of connbench");
  }
  // Before the checksum: another version may have it elsewhere.
  if (control.format_version != ControlFile::kFormatVersion) {
    return Status::Error(sqlstate::kConfigFileError,
                         fmt::format("{}, offset {}: the data directory has format version {}, and "
                                     "this program reads and writes version {}",
                                     path, offsetof(ControlFile, format_version),
                                     control.format_version, ControlFile::kFormatVersion))
        .WithHint("Start it with the connbench that made it, or name another directory.");
  }
  if (control.checksum != ChecksumOf(control)) {
    return DamagedFile(path, kChecksumAt, "the checksum is wrong");
  }
  if (file->Size() != sizeof control) {
    return DamagedFile(path, sizeof control, "the file goes on behind its end");
  }
  return control;
}

Status PrepareControlFile(Files& files, const std::string& folder, ControlFile control) {
  control.checksum = ChecksumOf(control);
  return WriteBeside(files, folder, ControlFile::kName,
                     {reinterpret_cast<const char*>(&control), sizeof control});
}

Status PutControlFileInPlace(Files& files, const std::string& folder) {
  return PutInPlace(files, folder, ControlFile::kName);
}

Status WriteControlFile(Files& files, const std::string& folder, const ControlFile& control) {
  CONNBENCH_RETURN_IF_ERROR(PrepareControlFile(files, folder, control));
  return PutControlFileInPlace(files, folder);
}

}  // namespace connbench::engine
