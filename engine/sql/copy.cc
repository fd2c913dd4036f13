// COPY: rows as lines of text or CSV, both ways.
#include "engine/sql/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/executor/types/string_type.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Rows are written in batches: latches, visibility and page searches are paid once for many.
constexpr size_t kBatchRows = 512;
constexpr int64_t kBatchBytes = 64 * 1024;
// A line longer than any row could be is an error, not a reason to buffer without end.
constexpr size_t kMaxLineBytes = size_t{64} << 20;

// Ends the data, whatever follows.
constexpr std::string_view kMarker = "\\.";
constexpr size_t kNowhere = std::string_view::npos;

Status BadFormat(std::string message) {
  return Status::Error(sqlstate::kBadCopyFileFormat, std::move(message));
}

Result<char> OneCharacter(std::string_view name, const std::string& text) {
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return text[0];
  return Status::Error(sqlstate::kFeatureNotSupported,
                       fmt::format("COPY {} must be a single one-byte character", name));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

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
      if (at >= line.size() || HexDigit(line[at]) < 0) return c;
      int value = HexDigit(line[at++]);
      if (at < line.size() && HexDigit(line[at]) >= 0) value = value * 16 + HexDigit(line[at++]);
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

}  // namespace

Result<CopyOptions> ParseCopyOptions(std::string_view sql, const PgQuery__CopyStmt& statement) {
  CopyOptions options;
  std::optional<std::string> delimiter;
  std::optional<std::string> null_text;
  std::optional<std::string> quote;
  std::optional<std::string> escape;
  for (const ast::Node* node : ast::List(statement.options, statement.n_options)) {
    const PgQuery__DefElem& element = *node->def_elem;
    const std::string_view name = element.defname;
    const std::string value = ast::DefElemText(element);
    if (name == "format") {
      if (value == "binary")
        return ast::NotSupported(sql, "COPY in binary format", element.location);
      if (value != "csv" && value != "text") {
        return Status::Error(sqlstate::kInvalidParameterValue,
                             fmt::format("COPY format \"{}\" not recognized", value),
                             CharacterPosition(sql, element.location));
      }
      options.csv = value == "csv";
    } else if (name == "freeze") {
      CONNBENCH_RETURN_IF_ERROR(ast::DefElemBool(element).TakeStatus());  // nothing to freeze
    } else if (name == "delimiter") {
      delimiter = value;
    } else if (name == "null") {
      null_text = value;
    } else if (name == "header") {
      if (value == "match") return ast::NotSupported(sql, "HEADER MATCH", element.location);
      CONNBENCH_ASSIGN_OR_RETURN(options.header, ast::DefElemBool(element));
    } else if (name == "quote") {
      quote = value;
    } else if (name == "escape") {
      escape = value;
    } else if (name == "encoding") {
      if (value != "UTF8" && value != "utf8" && value != "UTF-8" && value != "utf-8") {
        return ast::NotSupported(sql, "COPY with ENCODING '" + value + "'", element.location);
      }
    } else if (name == "force_quote") {
      if (element.arg->node_case == PG_QUERY__NODE__NODE_LIST) {
        const PgQuery__List& list = *element.arg->list;
        for (const ast::Node* item : ast::List(list.items, list.n_items)) {
          options.force_quote.emplace_back(ast::StringOf(*item));
        }
      } else {
        options.force_quote_all = true;
      }
    } else {
      return ast::NotSupported(sql, fmt::format("COPY option \"{}\"", name), element.location);
    }
  }
  options.delimiter = options.csv ? ',' : '\t';
  options.null_text = null_text.value_or(options.csv ? "" : "\\N");
  if (delimiter) {
    CONNBENCH_ASSIGN_OR_RETURN(options.delimiter, OneCharacter("delimiter", *delimiter));
  }
  if ((quote || escape || !options.force_quote.empty() || options.force_quote_all) &&
      !options.csv) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "COPY quote, escape and force_quote are available only in CSV mode");
  }
  if (quote) {
    CONNBENCH_ASSIGN_OR_RETURN(options.quote, OneCharacter("quote", *quote));
  }
  options.escape = options.quote;
  if (escape) {
    CONNBENCH_ASSIGN_OR_RETURN(options.escape, OneCharacter("escape", *escape));
  }
  constexpr std::string_view kNoDelimiters = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
  if (!options.csv && kNoDelimiters.find(options.delimiter) != std::string_view::npos) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("COPY delimiter cannot be \"{}\"", options.delimiter));
  }
  if (options.delimiter == '\n' || options.delimiter == '\r' ||
      (options.csv && options.delimiter == options.quote)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "COPY delimiter cannot be newline, carriage return or the quote");
  }
  return options;
}

void AppendCopyField(const CopyOptions& options, std::optional<std::string_view> value,
                     bool force_quote, std::string& line) {
  if (!value) {
    line += options.null_text;
    return;
  }
  const std::string_view text = *value;
  if (!options.csv) {
    for (char c : text) {
      switch (c) {
        case '\b':
          line += "\\b";
          break;
        case '\f':
          line += "\\f";
          break;
        case '\n':
          line += "\\n";
          break;
        case '\r':
          line += "\\r";
          break;
        case '\t':
          line += options.delimiter == '\t' ? "\\t" : "\t";
          break;
        case '\v':
          line += "\\v";
          break;
        default:
          if (c == '\\' || c == options.delimiter) line += '\\';
          line += c;
      }
    }
    return;
  }
  const bool special = force_quote || text == options.null_text || text == "\\." ||
                       text.find_first_of(std::string{options.delimiter, options.quote, '\n',
                                                      '\r'}) != std::string_view::npos;
  if (!special) {
    line += text;
    return;
  }
  line += options.quote;
  for (char c : text) {
    if (c == options.quote || c == options.escape) line += options.escape;
    line += c;
  }
  line += options.quote;
}

CopyFrom::CopyFrom(std::shared_ptr<Table> table, std::vector<int> columns,
                   std::vector<const Expression*> defaults, CopyOptions options,
                   Transaction& transaction, EvalEnvironment& environment,
                   std::unique_ptr<Arena> expressions)
    : table_(std::move(table)),
      columns_(std::move(columns)),
      defaults_(std::move(defaults)),
      given_(static_cast<size_t>(table_->columns()), false),
      options_(std::move(options)),
      transaction_(transaction),
      expressions_(std::move(expressions)),
      row_values_(static_cast<size_t>(table_->columns())) {
  for (int column : columns_) given_[static_cast<size_t>(column)] = true;
  context_.arena = &row_arena_;
  row_arena_.set_interrupts(&environment);
  context_.environment = &environment;
}

Status CopyFrom::InLine(Status error, std::string_view rest) const {
  if (error.error().fatal) return error;
  return std::move(error).WithContext(
      fmt::format("COPY {}, line {}{}", table_->info().name, line_number_, rest));
}

Status CopyFrom::InThisLine(Status error) const {
  return InLine(std::move(error), fmt::format(": \"{}\"", Shortened(line_)));
}

std::string CopyFrom::NextLine() const {
  return fmt::format("COPY {}, line {}", table_->info().name, line_number_ + 1);
}

Status CopyFrom::BadMarker(std::string_view what) {
  ++line_number_;
  return InLine(BadFormat(fmt::format("end-of-copy marker {}", what)));
}

size_t CopyFrom::FindMarker(std::string_view line) const {
  if (options_.csv) return line.starts_with(kMarker) ? 0 : kNowhere;
  for (size_t at = line.find('\\'); at != kNowhere; at = line.find('\\', at + 2)) {
    if (line.substr(at).starts_with(kMarker)) return at;
  }
  return kNowhere;
}

// What follows the marker must be a line's end like those before. If it is not, that is an error in
// text; in CSV it is one only where another kind of line end follows, and data otherwise.
Result<std::optional<size_t>> CopyFrom::TakeMarker(std::string_view bytes, size_t marker, size_t at,
                                                   bool all_came) {
  const auto corrupt = [&]() -> Result<std::optional<size_t>> {
    if (options_.csv) return std::optional<size_t>();
    return BadMarker("corrupt");
  };
  const std::string_view kOtherStyle = "does not match previous newline style";
  if (marker + kMarker.size() != at) return corrupt();
  size_t end = at;
  if (ending_ == LineEnding::kBoth) {
    if (bytes[at] == '\n') {
      if (options_.csv) return std::optional<size_t>();
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
Result<size_t> CopyFrom::TakeLineEnd(std::string_view bytes, size_t line, size_t at,
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
    Status error =
        BadFormat(fmt::format("{} {} found in data", options_.csv ? "unquoted" : "literal", what));
    ++line_number_;
    return InLine(std::move(error).WithHint(
        options_.csv
            ? fmt::format("Use quoted CSV field to represent {}.", what)
            : fmt::format("Use \"{}\" to represent {}.", carriage_return ? "\\r" : "\\n", what)));
  }
  line_end_bytes_ = end - at;
  return end;
}

// The position behind the line's end in bytes, from begin on; npos if it is not there yet.
Result<size_t> CopyFrom::FindLineEnd(std::string_view bytes, size_t line, size_t begin,
                                     bool all_came) {
  if (!options_.csv) {
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

Status CopyFrom::Take(std::string_view bytes) {
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
  if (partial_.size() > kMaxLineBytes) {
    return InLine(Status::Error(sqlstate::kProgramLimitExceeded, "COPY line is too long"));
  }
  return {};
}

Result<int64_t> CopyFrom::Finish() {
  if (!partial_.empty()) {
    const std::string last = std::move(partial_);
    partial_.clear();
    // It may end with a carriage return that was waited with.
    CONNBENCH_ASSIGN_OR_RETURN(const size_t end, FindLineEnd(last, 0, scanned_, true));
    const bool whole = end != std::string_view::npos;
    if (!whole && !options_.csv && FindMarker(last) != kNowhere) return BadMarker("corrupt");
    CONNBENCH_RETURN_IF_ERROR(
        TakeLine(whole ? std::string_view(last).substr(0, end - line_end_bytes_) : last));
  }
  CONNBENCH_RETURN_IF_ERROR(Flush());
  return rows_;
}

// line: without its end.
Status CopyFrom::TakeLine(std::string_view line) {
  ++line_number_;
  CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
  ended_ = marked_;
  if (marked_ && line.empty()) {
    --line_number_;  // no line of data
    return {};
  }
  if (options_.header && line_number_ == 1) return {};
  Status status = ValidateUtf8(line);
  if (!status.ok()) return InLine(std::move(status));
  line_ = line;
  fields_.clear();
  unescaped_.clear();
  unescaped_.reserve(line.size());  // views into it must stay
  row_arena_.Reset();
  if (columns_.empty()) {
    if (!line.empty()) {
      return InThisLine(BadFormat("extra data after last expected column"));
    }
  } else {
    CONNBENCH_RETURN_IF_ERROR(options_.csv ? SplitCsv(line) : SplitText(line));
  }
  return AddRow();
}

Status CopyFrom::SplitText(std::string_view line) {
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
      if (!status.ok()) return InThisLine(std::move(status));
    }
    fields_.push_back(field);
    if (at >= line.size()) return {};
    ++at;  // the delimiter
  }
}

Status CopyFrom::SplitCsv(std::string_view line) {
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
    if (inside) return InThisLine(BadFormat("unterminated CSV quoted field"));
    field.text = std::string_view(unescaped_).substr(start);
    field.null = !quoted && field.text == options_.null_text;
    fields_.push_back(field);
    if (at >= line.size()) return {};
    ++at;  // the delimiter
  }
}

Status CopyFrom::AddRow() {
  if (fields_.size() > columns_.size()) {
    return InThisLine(BadFormat("extra data after last expected column"));
  }
  const IoContext io = context_.io();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<size_t>(columns_[i]);
    const ColumnInfo& info = table_->info().columns[column];
    if (i >= fields_.size()) {
      return InThisLine(BadFormat(fmt::format("missing data for column \"{}\"", info.name)));
    }
    Value& value = row_values_[column];
    if (fields_[i].null) {
      value = Value::Null();
      continue;
    }
    Status status = ParseText({info.type_oid, info.type_modifier}, fields_[i].text, io, value);
    if (!status.ok()) {
      return InLine(std::move(status),
                    fmt::format(", column {}: \"{}\"", info.name, Shortened(fields_[i].text)));
    }
  }
  for (size_t column = 0; column < given_.size(); ++column) {
    if (given_[column]) continue;
    if (!Evaluate(*defaults_[column], context_, row_values_[column])) {
      return InThisLine(std::move(context_.status));
    }
  }
  Status status = table_->CheckConstraints(row_values_.data(), context_);
  if (!status.ok()) return InThisLine(std::move(status));
  const size_t bytes = table_->codec().EncodedSize(row_values_.data());
  char* encoded = batch_arena_.AllocateBytes(bytes);
  if (encoded == nullptr) return batch_arena_.OutOfMemory();
  table_->codec().Encode(row_values_.data(), encoded);
  batch_rows_.emplace_back(encoded, bytes);
  batch_bytes_ += static_cast<int64_t>(bytes);
  ++rows_;
  if (batch_rows_.size() >= kBatchRows || batch_bytes_ >= kBatchBytes) return Flush();
  return {};
}

Status CopyFrom::Flush() {
  if (batch_rows_.empty()) return {};
  CONNBENCH_RETURN_IF_ERROR(table_->Tidy());
  const LatestSnapshot snapshot(transaction_);
  batch_tids_.resize(batch_rows_.size());
  CONNBENCH_RETURN_IF_ERROR(table_->heap().InsertMany(transaction_, batch_rows_, batch_tids_));
  if (!table_->indexes().empty() || table_->watcher() != nullptr) {
    for (size_t i = 0; i < batch_rows_.size(); ++i) {
      table_->codec().DecodeAll(batch_rows_[i], row_values_.data());
      Status status =
          table_->AddToIndexes(transaction_, row_values_.data(), batch_tids_[i], context_);
      if (!status.ok()) {
        // Every line since the batch began has made one row.
        line_number_ -= static_cast<int64_t>(batch_rows_.size() - 1 - i);
        return InLine(std::move(status));
      }
      if (table_->watcher() == nullptr) continue;
      CONNBENCH_RETURN_IF_ERROR(table_->watcher()->Inserted(row_values_.data(), batch_tids_[i]));
    }
  }
  batch_rows_.clear();
  batch_bytes_ = 0;
  batch_arena_.Reset();
  return {};
}

}  // namespace connbench::engine
