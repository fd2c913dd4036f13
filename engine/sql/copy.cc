#include "engine/sql/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Rows are written in batches: latches, visibility and page searches are paid once for many.
constexpr size_t kBatchRows = 512;
constexpr int64_t kBatchBytes = 64 * 1024;
// A line longer than any row could be is an error, not a reason to buffer without end.
constexpr size_t kMaxLineBytes = size_t{64} << 20;

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
  context_.environment = &environment;
}

Status CopyFrom::WithContext(Status error, int column) const {
  if (error.error().fatal) return error;
  std::string where = fmt::format("COPY {}, line {}", table_->info().name, line_number_);
  if (column >= 0) {
    where += ", column " + table_->info().columns[static_cast<size_t>(column)].name;
  }
  return std::move(error).WithContext(std::move(where));
}

// The position after the line's end in bytes, from begin on; npos if it is not there yet.
size_t CopyFrom::FindLineEnd(std::string_view bytes, size_t begin) {
  if (!options_.csv) {
    while (true) {
      const size_t newline = bytes.find('\n', begin);
      if (newline == std::string_view::npos) return newline;
      // A newline behind an odd number of backslashes is data.
      size_t backslashes = 0;
      while (backslashes < newline && bytes[newline - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return newline + 1;
      begin = newline + 1;
    }
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
    } else if (c == '\n' && !in_quotes_) {
      return i + 1;
    }
  }
  scanned_ = bytes.size();
  return std::string_view::npos;
}

Status CopyFrom::Take(std::string_view bytes) {
  if (!partial_.empty()) {
    const size_t from = options_.csv ? scanned_ : partial_.size();
    partial_ += bytes;
    bytes = {};
    std::string_view all = partial_;
    size_t begin = 0;
    size_t search = from;
    while (true) {
      const size_t end = FindLineEnd(all, search);
      if (end == std::string_view::npos) break;
      CONNBENCH_RETURN_IF_ERROR(TakeLine(all.substr(begin, end - begin)));
      begin = search = end;
      scanned_ = 0;
      in_quotes_ = false;
    }
    if (scanned_ >= begin) scanned_ -= begin;
    partial_.erase(0, begin);
  } else {
    size_t begin = 0;
    while (true) {
      scanned_ = 0;
      in_quotes_ = false;
      const size_t end = FindLineEnd(bytes, begin);
      if (end == std::string_view::npos) break;
      CONNBENCH_RETURN_IF_ERROR(TakeLine(bytes.substr(begin, end - begin)));
      begin = end;
    }
    partial_.assign(bytes.substr(begin));
    if (scanned_ >= begin) scanned_ -= begin;
  }
  if (partial_.size() > kMaxLineBytes) {
    return WithContext(Status::Error(sqlstate::kProgramLimitExceeded, "COPY line is too long"), -1);
  }
  return {};
}

Result<int64_t> CopyFrom::Finish() {
  if (!partial_.empty()) {
    const std::string last = std::move(partial_);
    partial_.clear();
    CONNBENCH_RETURN_IF_ERROR(TakeLine(last));
  }
  CONNBENCH_RETURN_IF_ERROR(Flush());
  return rows_;
}

Status CopyFrom::TakeLine(std::string_view line) {
  if (ended_) return {};
  ++line_number_;
  CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line == "\\.") {
    --line_number_;  // no line of data
    ended_ = true;
    return {};
  }
  if (options_.header && line_number_ == 1) return {};
  Status status = ValidateUtf8(line);
  if (!status.ok()) return WithContext(std::move(status), -1);
  fields_.clear();
  unescaped_.clear();
  unescaped_.reserve(line.size());  // views into it must stay
  row_arena_.Reset();
  if (columns_.empty()) {
    if (!line.empty()) {
      return WithContext(BadFormat("extra data after last expected column"), -1);
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
      if (!status.ok()) return WithContext(std::move(status), -1);
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
    if (inside) return WithContext(BadFormat("unterminated CSV quoted field"), -1);
    field.text = std::string_view(unescaped_).substr(start);
    field.null = !quoted && field.text == options_.null_text;
    fields_.push_back(field);
    if (at >= line.size()) return {};
    ++at;  // the delimiter
  }
}

Status CopyFrom::AddRow() {
  if (fields_.size() > columns_.size()) {
    return WithContext(BadFormat("extra data after last expected column"), -1);
  }
  const IoContext io = context_.io();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<size_t>(columns_[i]);
    const ColumnInfo& info = table_->info().columns[column];
    if (i >= fields_.size()) {
      return WithContext(BadFormat(fmt::format("missing data for column \"{}\"", info.name)), -1);
    }
    Value& value = row_values_[column];
    if (fields_[i].null) {
      value = Value::Null();
      continue;
    }
    Status status = ParseText({info.type_oid, info.type_modifier}, fields_[i].text, io, value);
    if (!status.ok()) return WithContext(std::move(status), columns_[i]);
  }
  for (size_t column = 0; column < given_.size(); ++column) {
    if (given_[column]) continue;
    if (!Evaluate(*defaults_[column], context_, row_values_[column])) {
      return WithContext(std::move(context_.status), -1);
    }
  }
  Status status = table_->CheckNotNull(row_values_.data(), context_);
  if (!status.ok()) return WithContext(std::move(status), -1);
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
  batch_tids_.resize(batch_rows_.size());
  CONNBENCH_RETURN_IF_ERROR(table_->heap().InsertMany(transaction_, batch_rows_, batch_tids_));
  if (!table_->indexes().empty()) {
    for (size_t i = 0; i < batch_rows_.size(); ++i) {
      table_->codec().DecodeAll(batch_rows_[i], row_values_.data());
      Status status =
          table_->AddToIndexes(transaction_, row_values_.data(), batch_tids_[i], context_);
      if (!status.ok()) {
        // Every line since the batch began has made one row.
        line_number_ -= static_cast<int64_t>(batch_rows_.size() - 1 - i);
        return WithContext(std::move(status), -1);
      }
    }
  }
  batch_rows_.clear();
  batch_bytes_ = 0;
  batch_arena_.Reset();
  return {};
}

}  // namespace connbench::engine
