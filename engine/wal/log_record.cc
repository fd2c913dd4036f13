// Records: what the log and the checkpoint files consist of.
#include "engine/wal/log_record.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace connbench::engine {

uint64_t RecordChecksum(uint64_t log_number, Lsn place, std::string_view after_checksum) {
  return XXH3_64bits_withSeed(after_checksum.data(), after_checksum.size(), log_number ^ place);
}

std::string_view RecordBuilder::Seal(uint64_t log_number, Lsn place) {
  RecordHeader header{
      .checksum = 0, .length = static_cast<uint32_t>(bytes_.size()), .kind = kind_, .zero = 0};
  CONNBENCH_ASSERT(bytes_.size() <= kMaxRecordBytes, "records are bounded");
  bytes_.resize(AlignRecord(bytes_.size()), '\0');
  std::memcpy(bytes_.data(), &header, sizeof header);
  header.checksum =
      RecordChecksum(log_number, place,
                     std::string_view(bytes_).substr(sizeof(header.checksum),
                                                     header.length - sizeof(header.checksum)));
  std::memcpy(bytes_.data(), &header.checksum, sizeof header.checksum);
  return bytes_;
}

}  // namespace connbench::engine
