// Whole reads and writes on top of Files: short counts and EINTR are gone on with, everything else
// is a Status that names the file and the offset.
//
// Safety: as Files. Errors: 58030 for I/O, 53100 where the disk is full, XX001 for a file that ends
// too early.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/files/files.h"

namespace connbench::engine {

Result<std::unique_ptr<File>> OpenFile(Files& files, const std::string& path, OpenMode mode);
// Of a file that has to be there: XX001 if it is missing.
Result<std::unique_ptr<File>> OpenExisting(Files& files, const std::string& path);
Status WriteWhole(File& file, const std::string& path, int64_t offset, std::string_view bytes);
// XX001 if the file ends before.
Status ReadWhole(File& file, const std::string& path, int64_t offset, char* to, int64_t bytes);
// Up to bytes, fewer only at the file's end.
Result<int64_t> ReadUpTo(File& file, const std::string& path, int64_t offset, char* to,
                         int64_t bytes);
// The same in single calls: what one of them, for bytes from offset + total on, has come to. False:
// the file ends there.
Result<bool> CountRead(const std::string& path, int64_t offset, int64_t result, int64_t& total);
// XX001: the file ends before those bytes.
Status EndsTooEarly(const std::string& path, int64_t end, int64_t missing);
// Not to be tried again after an error: the kernel forgets what it could not write.
Status SyncFile(File& file, const std::string& path);
Status SyncFolder(Files& files, const std::string& path);

// A small file takes the place of another in one step: it is there whole, old or new, after a crash
// at any moment. First it is written beside the other one ...
Status WriteBeside(Files& files, const std::string& folder, const std::string& name,
                   std::string_view bytes);
// ... then it takes its place. After an error nobody knows which of the two a crash would leave.
Status PutInPlace(Files& files, const std::string& folder, const std::string& name);

// 58030, or 53100 for ENOSPC and EDQUOT: "could not <what>: <reason>".
Status FileError(const std::string& what, int negative_errno);
// XX001: "<path>, offset <offset>: <what>".
Status DamagedFile(const std::string& path, int64_t offset, std::string_view what);

}  // namespace connbench::engine
