// COPY FROM: rows as lines of text or CSV.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/copy_from.h"

namespace connbench::engine {
namespace {

// Ends the data, whatever follows.
constexpr std::string_view kMarker = "\\.";
constexpr size_t kNowhere = std::string_view::npos;

// One backslash sequence of the text format; at points behind the backslash and is moved on.
char Unescape(std::string_view line, size_t& at) {
  const char c = line[at++];
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x': {
      if (at >= line.size() || HexDigitValue(line[at]) < 0) return c;
      int value = HexDigitValue(line[at++]);
      if (at < line.size() && HexDigitValue(line[at]) >= 0)
        value = value * 16 + HexDigitValue(line[at++]);
      return static_cast<char>(value);
    }
    default:
      break;
  }
  if (c < '0' || c > '7') return c;
  int value = c - '0';
  for (int i = 0; i < 2 && at < line.size() && line[at] >= '0' && line[at] <= '7'; ++i) {
    value = value * 8 + (line[at++] - '0');
  }
  return static_cast<char>(value);
}

// As much of the data as an error shows.
std::string Shortened(std::string_view text) {
  constexpr size_t kShownBytes = 100;
  return Excerpt(text, kShownBytes);
}

enum class LineEnding : uint8_t { kUnknown, kNewline, kCarriageReturn, kBoth };

class CopyFromText : public CopyFrom {
 public:
  CopyFromText(CopyTarget target, CopyOptions options, std::vector<bool> force_not_null,
               std::vector<bool> force_null, Transaction& transaction, EvalEnvironment& environment)
      : CopyFrom(std::move(target), transaction, environment),
        options_(std::move(options)),
        force_not_null_(std::move(force_not_null)),
        force_null_(std::move(force_null)) {}

  Status Take(std::string_view bytes) override;
  Result<int64_t> Finish() override;

 private:
  struct Field {
    std::string_view text;
    bool null = false;
  };

  // line: where it begins in bytes; begin: where to go on searching. all_came: no byte follows.
  Result<size_t> FindLineEnd(std::string_view bytes, size_t line, size_t begin, bool all_came);
  Result<size_t> TakeLineEnd(std::string_view bytes, size_t line, size_t at, bool all_came);
  // Where "\\." stands in a line, as an end of the data if what follows is right; npos: nowhere.
  size_t FindMarker(std::string_view line) const;
  // The same as TakeLineEnd, of a line with the marker; nullopt: it is data.
  Result<std::optional<size_t>> TakeMarker(std::string_view bytes, size_t marker, size_t at,
                                           bool all_came);
  Status BadMarker(std::string_view what);
  void CountLine(std::string_view line);
  Status TakeLine(std::string_view line);
  Status SplitText(std::string_view line);
  Status SplitCsv(std::string_view line);
  // The header line's fields are the columns' names.
  Status MatchHeader() const;
  Status AddLine();
  // The number of the line, with its text.
  Status InThisRow(Status error) const override;

  CopyOptions options_;
  std::vector<bool> force_not_null_;  // by column of the data
  std::vector<bool> force_null_;
  std::string partial_;     // the beginning of a line whose end has not come yet
  size_t scanned_ = 0;      // how far partial_ was searched for the line's end
  bool in_quotes_ = false;  // CSV: at scanned_
  LineEnding ending_ = LineEnding::kUnknown;
  LineEnding counted_ = LineEnding::kUnknown;  // how the lines before this one end
  size_t line_end_bytes_ = 0;                  // of the line found last
  std::string_view line_;                      // while it is taken
  bool marked_ = false;                        // the line found last ends with "\\."
  bool ended_ = false;                         // by that
  std::string unescaped_;
  std::vector<Field> fields_;
};

Status CopyFromText::InThisRow(Status error) const {
  return InLine(std::move(error), fmt::format(": \"{}\"", Shortened(line_)));
}

Status CopyFromText::BadMarker(std::string_view what) {
  ++line_number_;
  return InLine(BadCopyFormat(fmt::format("end-of-copy marker {}", what)));
}

size_t CopyFromText::FindMarker(std::string_view line) const {
  if (options_.csv()) return line.starts_with(kMarker) ? 0 : kNowhere;
  for (size_t at = line.find('\\'); at != kNowhere; at = line.find('\\', at + 2)) {
    if (line.substr(at).starts_with(kMarker)) return at;
  }
  return kNowhere;
}

// What follows the marker must be a line's end like those before. If it is not, that is an error in
// text; in CSV it is one only where another kind of line end follows, and data otherwise.
Result<std::optional<size_t>> CopyFromText::TakeMarker(std::string_view bytes, size_t marker,
                                                       size_t at, bool all_came) {
  const auto corrupt = [&]() -> Result<std::optional<size_t>> {
    if (options_.csv()) return std::optional<size_t>();
    return BadMarker("corrupt");
  };
  const std::string_view kOtherStyle = "does not match previous newline style";
  if (marker + kMarker.size() != at) return corrupt();
  size_t end = at;
  if (ending_ == LineEnding::kBoth) {
    if (bytes[at] == '\n') {
      if (options_.csv()) return std::optional<size_t>();
      return BadMarker(kOtherStyle);
    }
    if (++end == bytes.size() && !all_came) {
      scanned_ = at;
      return std::optional<size_t>(kNowhere);
    }
    if (end == bytes.size() || (bytes[end] != '\n' && bytes[end] != '\r')) return corrupt();
  }
  const char usual = ending_ == LineEnding::kCarriageReturn ? '\r' : '\n';
  if (ending_ != LineEnding::kUnknown && bytes[end] != usual) return BadMarker(kOtherStyle);
  marked_ = true;
  ++end;
  line_end_bytes_ = end - marker;
  return std::optional<size_t>(end);
}

// The first line decides how lines end; what would end one in another way is an error, as in
// PostgreSQL. at: of a newline or a carriage return that is no data. The position behind the line's
// end; npos if a carriage return is the last byte so far, and may have a newline behind it.
Result<size_t> CopyFromText::TakeLineEnd(std::string_view bytes, size_t line, size_t at,
                                         bool all_came) {
  if (const size_t marker = FindMarker(bytes.substr(line, at - line)); marker != kNowhere) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::optional<size_t> end,
                               TakeMarker(bytes, line + marker, at, all_came));
    if (end) return *end;
  }
  const bool carriage_return = bytes[at] == '\r';
  if (carriage_return && ending_ != LineEnding::kNewline && at + 1 == bytes.size() && !all_came) {
    scanned_ = at;
    return std::string_view::npos;
  }
  LineEnding ending = carriage_return ? LineEnding::kCarriageReturn : LineEnding::kNewline;
  size_t end = at + 1;
  if (carriage_return && ending_ != LineEnding::kCarriageReturn && end < bytes.size() &&
      bytes[end] == '\n') {
    ending = LineEnding::kBoth;
    ++end;
  }
  if (ending_ == LineEnding::kUnknown) ending_ = ending;
  if (ending != ending_) {
    const std::string_view what = carriage_return ? "carriage return" : "newline";
    Status error = BadCopyFormat(
        fmt::format("{} {} found in data", options_.csv() ? "unquoted" : "literal", what));
    CountLine(bytes.substr(line, at - line));
    return InLine(std::move(error).WithHint(
        options_.csv()
            ? fmt::format("Use quoted CSV field to represent {}.", what)
            : fmt::format("Use \"{}\" to represent {}.", carriage_return ? "\\r" : "\\n", what)));
  }
  line_end_bytes_ = end - at;
  return end;
}

// The position behind the line's end in bytes, from begin on; npos if it is not there yet.
Result<size_t> CopyFromText::FindLineEnd(std::string_view bytes, size_t line, size_t begin,
                                         bool all_came) {
  if (!options_.csv()) {
    // Looked for first: what ends lines. What should not, only up to it.
    const bool by_return = ending_ == LineEnding::kCarriageReturn;
    const char usual = by_return ? '\r' : '\n';
    const char other = by_return ? '\n' : '\r';
    size_t usual_at = std::min(bytes.find(usual, begin), bytes.size());
    for (size_t from = begin; true;) {
      if (usual_at < from) usual_at = std::min(bytes.find(usual, from), bytes.size());
      const size_t other_at = bytes.substr(from, usual_at - from).find(other);
      const size_t at = other_at == std::string_view::npos ? usual_at : from + other_at;
      if (at == bytes.size()) break;
      // Behind an odd number of backslashes it is data.
      size_t backslashes = 0;
      while (backslashes < at && bytes[at - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return TakeLineEnd(bytes, line, at, all_came);
      from = at + 1;
    }
    scanned_ = bytes.size();
    return std::string_view::npos;
  }
  for (size_t i = begin; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (in_quotes_ && c == options_.escape && options_.escape != options_.quote) {
      if (i + 1 == bytes.size()) {  // what it escapes is still to come
        scanned_ = i;
        return std::string_view::npos;
      }
      ++i;
    } else if (c == options_.quote) {
      in_quotes_ = !in_quotes_;
    } else if ((c == '\n' || c == '\r') && !in_quotes_) {
      return TakeLineEnd(bytes, line, i, all_came);
    }
  }
  scanned_ = bytes.size();
  return std::string_view::npos;
}

Status CopyFromText::Take(std::string_view bytes) {
  const size_t from = partial_.empty() ? 0 : scanned_;
  const bool continues = !partial_.empty();
  if (continues) partial_ += bytes;
  const std::string_view all = continues ? std::string_view(partial_) : bytes;
  if (!continues) in_quotes_ = false;
  scanned_ = from;
  size_t begin = 0;
  size_t search = from;
  while (!ended_) {
    CONNBENCH_ASSIGN_OR_RETURN(const size_t end, FindLineEnd(all, begin, search, false));
    if (end == std::string_view::npos) break;
    CONNBENCH_RETURN_IF_ERROR(TakeLine(all.substr(begin, end - begin - line_end_bytes_)));
    begin = search = end;
    scanned_ = end;
    in_quotes_ = false;
  }
  if (ended_) begin = all.size();  // what follows the data's end is nothing
  if (scanned_ >= begin) scanned_ -= begin;
  if (continues) {
    partial_.erase(0, begin);
  } else {
    partial_.assign(bytes.substr(begin));
  }
  if (partial_.size() > kMaxCopyRowBytes) {
    return InLine(Status::Error(sqlstate::kProgramLimitExceeded, "COPY line is too long"));
  }
  return {};
}

Result<int64_t> CopyFromText::Finish() {
  if (!partial_.empty()) {
    const std::string last = std::move(partial_);
    partial_.clear();
    // It may end with a carriage return that was waited with.
    CONNBENCH_ASSIGN_OR_RETURN(const size_t end, FindLineEnd(last, 0, scanned_, true));
    const bool whole = end != std::string_view::npos;
    if (!whole && !options_.csv() && FindMarker(last) != kNowhere) return BadMarker("corrupt");
    CONNBENCH_RETURN_IF_ERROR(
        TakeLine(whole ? std::string_view(last).substr(0, end - line_end_bytes_) : last));
  }
  return FinishRows();
}

// What is quoted may hold line ends; PostgreSQL counts those that look like the lines' own.
void CopyFromText::CountLine(std::string_view line) {
  ++line_number_;
  if (!options_.csv()) return;
  line_number_ +=
      std::count(line.begin(), line.end(), counted_ == LineEnding::kNewline ? '\n' : '\r');
}

// line: without its end.
Status CopyFromText::TakeLine(std::string_view line) {
  CONNBENCH_RETURN_IF_ERROR(BeginRow());
  ended_ = marked_;
  if (marked_ && line.empty()) return {};  // no line of data
  const bool header = options_.header != CopyHeader::kNone && line_number_ == 0;
  CountLine(line);
  counted_ = ending_;
  Status status = ValidateUtf8(line);
  if (!status.ok()) return InLine(std::move(status));
  if (header && options_.header == CopyHeader::kPresent) return {};
  line_ = line;
  fields_.clear();
  unescaped_.clear();
  unescaped_.reserve(line.size());  // views into it must stay
  if (columns() == 0) {
    if (!line.empty()) {
      return InThisRow(BadCopyFormat("extra data after last expected column"));
    }
  } else {
    CONNBENCH_RETURN_IF_ERROR(options_.csv() ? SplitCsv(line) : SplitText(line));
  }
  if (!header) return AddLine();
  status = MatchHeader();
  return status.ok() ? status : InThisRow(std::move(status));
}

Status CopyFromText::MatchHeader() const {
  if (fields_.size() != columns()) {
    return BadCopyFormat(fmt::format("wrong number of fields in header line: got {}, expected {}",
                                     fields_.size(), columns()));
  }
  for (size_t i = 0; i < columns(); ++i) {
    const std::string_view expected = column(i).name;
    if (!fields_[i].null && fields_[i].text == expected) continue;
    const std::string got = fields_[i].null ? fmt::format("null value (\"{}\")", options_.null_text)
                                            : fmt::format("\"{}\"", fields_[i].text);
    return BadCopyFormat(
        fmt::format("column name mismatch in header line field {}: got {}, expected \"{}\"", i + 1,
                    got, expected));
  }
  return {};
}

Status CopyFromText::SplitText(std::string_view line) {
  size_t at = 0;
  while (true) {
    const size_t begin = at;
    bool escaped = false;
    while (at < line.size() && line[at] != options_.delimiter) {
      if (line[at] == '\\') {
        escaped = true;
        ++at;
      }
      if (at < line.size()) ++at;
    }
    Field field;
    field.text = line.substr(begin, at - begin);
    if (field.text == options_.null_text) {
      field.null = true;
    } else if (escaped) {
      const size_t start = unescaped_.size();
      for (size_t i = 0; i < field.text.size();) {
        if (field.text[i] != '\\' || i + 1 == field.text.size()) {
          unescaped_ += field.text[i++];
          continue;
        }
        ++i;
        unescaped_ += Unescape(field.text, i);
      }
      field.text = std::string_view(unescaped_).substr(start);
      Status status = ValidateUtf8(field.text);
      if (!status.ok()) return InThisRow(std::move(status));
    }
    fields_.push_back(field);
    if (at >= line.size()) return {};
    ++at;  // the delimiter
  }
}

Status CopyFromText::SplitCsv(std::string_view line) {
  size_t at = 0;
  while (true) {
    Field field;
    const size_t start = unescaped_.size();
    bool quoted = false;
    bool inside = false;
    while (at < line.size() && (inside || line[at] != options_.delimiter)) {
      const char c = line[at];
      if (inside && c == options_.escape && at + 1 < line.size() &&
          (line[at + 1] == options_.quote || line[at + 1] == options_.escape)) {
        unescaped_ += line[at + 1];
        at += 2;
      } else if (c == options_.quote) {
        inside = !inside;
        quoted = true;
        ++at;
      } else {
        unescaped_ += c;
        ++at;
      }
    }
    if (inside) return InThisRow(BadCopyFormat("unterminated CSV quoted field"));
    field.text = std::string_view(unescaped_).substr(start);
    field.null = !quoted && field.text == options_.null_text;
    fields_.push_back(field);
    if (at >= line.size()) return {};
    ++at;  // the delimiter
  }
}

Status CopyFromText::AddLine() {
  if (fields_.size() > columns()) {
    return InThisRow(BadCopyFormat("extra data after last expected column"));
  }
  for (size_t i = 0; i < columns(); ++i) {
    const ColumnInfo& info = column(i);
    if (i >= fields_.size()) {
      return InThisRow(BadCopyFormat(fmt::format("missing data for column \"{}\"", info.name)));
    }
    Field& field = fields_[i];
    if (field.null && force_not_null_[i]) field = {options_.null_text};
    if (force_null_[i] && field.text == options_.null_text) field.null = true;
    if (field.null) {
      value(i) = Value::Null();
      continue;
    }
    Status status = ParseText({info.type_oid, info.type_modifier}, field.text, io(), value(i));
    if (!status.ok()) {
      return InLine(std::move(status),
                    fmt::format(", column {}: \"{}\"", info.name, Shortened(field.text)));
    }
  }
  return AddRow();
}

}  // namespace

std::unique_ptr<CopyFrom> MakeCopyFromText(CopyTarget target, CopyOptions options,
                                           std::vector<bool> force_not_null,
                                           std::vector<bool> force_null, Transaction& transaction,
                                           EvalEnvironment& environment) {
  return std::make_unique<CopyFromText>(std::move(target), std::move(options),
                                        std::move(force_not_null), std::move(force_null),
                                        transaction, environment);
}

}  // namespace connbench::engine
