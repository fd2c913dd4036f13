// COPY FROM: rows in PostgreSQL's binary form (the page "COPY" of its manual, "Binary Format"): a
// signature, flags and a header extension; for each row the number of its fields, and for each
// field its length (-1: null) and bytes; at the end -1 in place of a number of fields.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/executor/types/big_endian.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/copy_binary.h"
#include "engine/sql/copy_from.h"

namespace connbench::engine {
namespace {

// Bit 16 of the flags, "has OIDs", was taken back with PostgreSQL 12; the higher ones are critical.
constexpr uint32_t kHasOidsFlag = uint32_t{1} << 16;
constexpr uint32_t kCriticalFlags = 0xFFFF0000;
// What PostgreSQL cannot have a buffer for.
constexpr int32_t kTooLongField = 0x3fffffff;

// Big-endian numbers and bytes from the front of a text that may end too early.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}

  std::optional<std::string_view> Take(size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <typename T>
  std::optional<T> Integer() {
    T number = 0;
    if (!ReadBigEndian(rest_.substr(0, sizeof(T)), number)) return std::nullopt;
    rest_.remove_prefix(sizeof(T));
    return number;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

class CopyFromBinary : public CopyFrom {
 public:
  CopyFromBinary(CopyTarget target, Transaction& transaction, EvalEnvironment& environment)
      : CopyFrom(std::move(target), transaction, environment) {}

  Status Take(std::string_view bytes) override;
  Result<int64_t> Finish() override;

 private:
  enum class Part : uint8_t { kHeader, kRows, kEnd };

  // The next part of the data: how many bytes it took; 0: not all of it is there yet, which is an
  // error if all_came.
  Result<size_t> TakePart(std::string_view bytes, bool all_came);
  Result<size_t> TakeHeader(std::string_view bytes, bool all_came);
  Result<size_t> TakeRow(std::string_view bytes);
  // Whether TakeRow() has all that it needs, if only to find an error.
  bool IsWholeRow(std::string_view bytes) const;
  Status InColumn(size_t i, Status error) const;

  Part part_ = Part::kHeader;
  std::string partial_;  // of a part that is not whole yet
};

Status CopyFromBinary::Take(std::string_view bytes) {
  const bool continues = !partial_.empty();
  if (continues) partial_ += bytes;
  std::string_view rest = continues ? std::string_view(partial_) : bytes;
  while (!rest.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(const size_t taken, TakePart(rest, false));
    if (taken == 0) break;
    rest.remove_prefix(taken);
  }
  if (rest.size() > kMaxCopyRowBytes) {
    return InLine(Status::Error(sqlstate::kProgramLimitExceeded, "COPY row is too long"));
  }
  if (continues) {
    partial_.erase(0, partial_.size() - rest.size());
  } else {
    partial_.assign(rest);
  }
  return {};
}

Result<int64_t> CopyFromBinary::Finish() {
  const std::string last = std::move(partial_);
  partial_.clear();
  if (part_ == Part::kHeader || !last.empty()) {
    CONNBENCH_RETURN_IF_ERROR(TakePart(last, true).TakeStatus());
  }
  return FinishRows();
}

Result<size_t> CopyFromBinary::TakePart(std::string_view bytes, bool all_came) {
  switch (part_) {
    case Part::kHeader:
      return TakeHeader(bytes, all_came);
    case Part::kRows:
      // A long row comes in many pieces; its values are read once.
      if (!all_came && !IsWholeRow(bytes)) return size_t{0};
      return TakeRow(bytes);
    case Part::kEnd:
      break;
  }
  return InLine(BadCopyFormat("received copy data after EOF marker"));
}

Result<size_t> CopyFromBinary::TakeHeader(std::string_view bytes, bool all_came) {
  const auto incomplete = [&](std::string_view what) -> Result<size_t> {
    if (all_came) return BadCopyFormat(fmt::format("invalid COPY file header ({})", what));
    return size_t{0};
  };
  Bytes rest(bytes);
  const size_t there = std::min(bytes.size(), kCopySignature.size());
  if (bytes.substr(0, there) != kCopySignature.substr(0, there) ||
      (all_came && there < kCopySignature.size())) {
    return BadCopyFormat("COPY file signature not recognized");
  }
  if (!rest.Take(kCopySignature.size())) return size_t{0};
  const std::optional<int32_t> flags = rest.Integer<int32_t>();
  if (!flags) return incomplete("missing flags");
  if ((static_cast<uint32_t>(*flags) & kHasOidsFlag) != 0) {
    return BadCopyFormat("invalid COPY file header (WITH OIDS)");
  }
  if ((static_cast<uint32_t>(*flags) & kCriticalFlags) != 0) {
    return BadCopyFormat("unrecognized critical flags in COPY file header");
  }
  const std::optional<int32_t> extension = rest.Integer<int32_t>();
  if (!extension) return incomplete("missing length");
  if (*extension < 0) return BadCopyFormat("invalid COPY file header (missing length)");
  if (!rest.Take(static_cast<size_t>(*extension))) return incomplete("wrong length");
  part_ = Part::kRows;
  return bytes.size() - rest.left();
}

Status CopyFromBinary::InColumn(size_t i, Status error) const {
  return InLine(std::move(error), fmt::format(", column {}", column(i).name));
}

bool CopyFromBinary::IsWholeRow(std::string_view bytes) const {
  Bytes rest(bytes);
  const std::optional<int16_t> fields = rest.Integer<int16_t>();
  if (!fields) return false;
  if (*fields != static_cast<int64_t>(columns())) return true;
  for (size_t i = 0; i < columns(); ++i) {
    const std::optional<int32_t> length = rest.Integer<int32_t>();
    if (!length) return false;
    if (*length == kCopyNull) continue;
    if (*length < 0 || *length >= kTooLongField) return true;
    if (!rest.Take(static_cast<size_t>(*length))) return false;
  }
  return true;
}

Result<size_t> CopyFromBinary::TakeRow(std::string_view bytes) {
  Bytes rest(bytes);
  ++line_number_;
  const std::optional<int16_t> fields = rest.Integer<int16_t>();
  // As in PostgreSQL, data that end before a row's number of fields are whole.
  if (!fields) return bytes.size();
  if (*fields == kCopyEnd) {
    part_ = Part::kEnd;
    return bytes.size() - rest.left();
  }
  if (*fields != static_cast<int64_t>(columns())) {
    return InLine(
        BadCopyFormat(fmt::format("row field count is {}, expected {}", *fields, columns())));
  }
  CONNBENCH_RETURN_IF_ERROR(BeginRow());
  for (size_t i = 0; i < columns(); ++i) {
    const auto cut_off = [&] { return InColumn(i, BadCopyFormat("unexpected EOF in COPY data")); };
    const std::optional<int32_t> length = rest.Integer<int32_t>();
    if (!length) return cut_off();
    if (*length == kCopyNull) {
      value(i) = Value::Null();
      continue;
    }
    if (*length < 0) return InColumn(i, BadCopyFormat("invalid field size"));
    if (*length >= kTooLongField) {
      return InColumn(
          i,
          Status::Error(sqlstate::kProgramLimitExceeded, "out of memory")
              .WithDetail(fmt::format(
                  "Cannot enlarge string buffer containing 0 bytes by {} more bytes.", *length)));
    }
    const auto field = rest.Take(static_cast<size_t>(*length));
    if (!field) return cut_off();
    const ColumnInfo& info = column(i);
    Status status = ParseBinary({info.type_oid, info.type_modifier}, *field, io(), value(i));
    if (!status.ok()) return InColumn(i, std::move(status));
  }
  CONNBENCH_RETURN_IF_ERROR(AddRow());
  return bytes.size() - rest.left();
}

}  // namespace

std::unique_ptr<CopyFrom> MakeCopyFromBinary(CopyTarget target, Transaction& transaction,
                                             EvalEnvironment& environment) {
  return std::make_unique<CopyFromBinary>(std::move(target), transaction, environment);
}

}  // namespace connbench::engine
