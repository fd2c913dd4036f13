// Reads a file that a person has named: rules, a certificate, a script, a suite, a run's tables.
//
// Who may call it: whoever reads such a file; there is no other door.
//
// The name may be wrong in every way: a folder, a pipe that nobody writes to, a device, something
// of another user. None of them makes a program hang, or reads more than a limit.
//
// Safety: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace connbench {

// No file of this kind that people write comes near.
inline constexpr int64_t kMaxNamedFileBytes = 16 << 20;
// Nor does one that a measurement has written: a million connections take 200 MB.
inline constexpr int64_t kMaxMeasuredFileBytes = int64_t{4} << 30;
// Within which a program that writes into a pipe must have said everything.
inline constexpr MonotonicNs kMaxPipeNs = 10 * kNanosecondsPerSecond;

// what: "rules file". 58000 with the file's name and the reason: it cannot be opened or read, is no
// regular file, or is longer than max_bytes.
Result<std::string> ReadNamedFile(std::string_view what, const std::string& path,
                                  int64_t max_bytes = kMaxNamedFileBytes);
// The same, and also takes a pipe: /dev/stdin, a shell's <(...), a FIFO. It is read to its end, for
// timeout_ns at most.
Result<std::string> ReadNamedFileOrPipe(std::string_view what, const std::string& path,
                                        int64_t max_bytes = kMaxNamedFileBytes,
                                        MonotonicNs timeout_ns = kMaxPipeNs);

}  // namespace connbench
