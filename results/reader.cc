// Reads a run's folder back as typed rows.
#include "results/reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <type_traits>
#include <unordered_set>

#include "base/read_file.h"
#include "results/version1.h"

namespace connbench::results {
namespace {

// Splits a CSV text as RFC 4180 says, and knows where in the text it stands.
class CsvScanner {
 public:
  struct Cell {
    std::string text;
    int64_t column = 0;  // of its first character, from 1
  };

  CsvScanner(std::string_view text, const std::string& file_name)
      : text_(text), file_name_(file_name) {}

  Status Bad(int64_t column, const std::string& what) const {
    return Status::Error(sqlstate::kBadCopyFileFormat,
                         fmt::format("{}:{}:{}: {}", file_name_, line_, column, what));
  }

  // False at the end, also before a last line that has no line end.
  Result<bool> NextLine(std::vector<Cell>& cells) {
    line_ += lines_in_last_;
    lines_in_last_ = 1;
    cells.clear();
    line_begin_ = position_;
    while (true) {
      cells.push_back({"", Column()});
      if (Peek() == '"') {
        CONNBENCH_ASSIGN_OR_RETURN(const bool complete, QuotedCell(cells.back()));
        if (!complete) return false;
      } else {
        while (!AtEnd() && Peek() != ',' && Peek() != '\n' && Peek() != '\r') {
          if (Peek() == '"') return Bad(Column(), "a quote inside an unquoted value");
          cells.back().text += text_[position_++];
        }
      }
      if (AtEnd()) return false;
      const char end = text_[position_++];
      if (end == ',') continue;
      if (end == '\r' && Peek() == '\n') ++position_;
      return true;
    }
  }

 private:
  bool AtEnd() const { return position_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  int64_t Column() const { return static_cast<int64_t>(position_ - line_begin_) + 1; }

  // False if the text ends within the cell.
  Result<bool> QuotedCell(Cell& cell) {
    ++position_;
    while (!AtEnd()) {
      const char c = text_[position_++];
      if (c == '\n') ++lines_in_last_;
      if (c != '"') {
        cell.text += c;
      } else if (Peek() == '"') {
        cell.text += text_[position_++];
      } else if (AtEnd() || Peek() == ',' || Peek() == '\n' || Peek() == '\r') {
        return true;
      } else {
        return Bad(Column(), "text after a closing quote");
      }
    }
    return false;
  }

  std::string_view text_;
  const std::string& file_name_;
  size_t position_ = 0;
  size_t line_begin_ = 0;
  int64_t line_ = 0;
  int64_t lines_in_last_ = 1;
};

#define CONNBENCH_COLUMN(...) +1
constexpr size_t kKeyColumns =
#include "results/keys.def"
    ;
#undef CONNBENCH_COLUMN

// A file of version 1 lacks the keys from `pattern` on.
bool IsVersion1(const std::vector<CsvScanner::Cell>& header) {
  return header.size() <= kVersion1KeyColumns || header[kVersion1KeyColumns].text != "pattern";
}

template <typename Number>
bool ParseNumber(const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) return false;  // the writer never writes them
  }
  return error == std::errc() && stop == end;
}

template <typename Row>
Status StoreCell(const CsvScanner& scanner, const Field<Row>& field, CsvScanner::Cell& cell,
                 Row& row) {
  const bool stored = std::visit(
      [&](auto pointer) {
        auto& value = row.*pointer;
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Text>) {
          value = std::move(cell.text);
          return true;
        } else if constexpr (std::is_arithmetic_v<T>) {
          return ParseNumber(cell.text, value);
        } else {
          value.reset();  // what was not measured
          return cell.text.empty() || ParseNumber(cell.text, value.emplace());
        }
      },
      field.member);
  if (stored) return Status::Ok();
  return scanner.Bad(
      cell.column,
      fmt::format("{} is \"{}\", expected {}", field.column.name, cell.text,
                  field.column.type == ColumnType::kInteger ? "an integer" : "a number"));
}

// The column that each cell of a line belongs to. Columns keep their order for ever and new ones
// are added, so a file of an older program may lack some, which then read as empty; the keys, which
// say what a row belongs to, must all be there.
template <typename Row>
Result<std::vector<const Field<Row>*>> MatchHeader(const CsvScanner& scanner,
                                                   const std::vector<CsvScanner::Cell>& header,
                                                   std::span<const Field<Row>> fields) {
  const size_t keys = IsVersion1(header) ? kVersion1KeyColumns : kKeyColumns;
  std::vector<const Field<Row>*> present;
  size_t next = 0;  // the first field that has not been passed
  for (const CsvScanner::Cell& cell : header) {
    size_t at = next;
    while (at < fields.size() && fields[at].column.name != cell.text) ++at;
    if (next == fields.size()) {
      return scanner.Bad(cell.column, fmt::format("unknown column {}", cell.text));
    }
    if (at == fields.size() || next < keys) {
      if (fields[next].column.name != cell.text) {
        return scanner.Bad(cell.column,
                           fmt::format("found {}, expected the column {} (schema version {})",
                                       cell.text, fields[next].column.name, kSchemaVersion));
      }
    }
    present.push_back(&fields[at]);
    next = at + 1;
  }
  if (next < keys) {
    return scanner.Bad(header.back().column,
                       fmt::format("found the end of the line, expected the column {} (schema "
                                   "version {})",
                                   fields[next].column.name, kSchemaVersion));
  }
  return present;
}

template <typename Row>
Status LoadFile(const std::string& folder, std::vector<Row>& rows) {
  const std::string path = folder + "/" + std::string(FileName<Row>());
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text,
                             ReadNamedFile("file of a run", path, kMaxMeasuredFileBytes));
  CONNBENCH_ASSIGN_OR_RETURN(rows, ParseCsv<Row>(text, path));
  return Status::Ok();
}

}  // namespace

template <typename Row>
Result<std::vector<Row>> ParseCsv(std::string_view text, const std::string& file_name) {
  const std::span<const Field<Row>> fields = Fields<Row>();
  CsvScanner scanner(text, file_name);
  std::vector<CsvScanner::Cell> cells;
  CONNBENCH_ASSIGN_OR_RETURN(const bool has_header, scanner.NextLine(cells));
  if (!has_header) return scanner.Bad(1, "the header line is missing");
  CONNBENCH_ASSIGN_OR_RETURN(const auto present, MatchHeader(scanner, cells, fields));

  const bool version1 = IsVersion1(cells);
  std::vector<Row> rows;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scanner.NextLine(cells));
    if (!more) return rows;
    if (cells.size() != present.size()) {
      return scanner.Bad(cells.back().column, fmt::format("the line has {} values, expected {}",
                                                          cells.size(), present.size()));
    }
    Row row;
    for (size_t i = 0; i < present.size(); ++i) {
      CONNBENCH_RETURN_IF_ERROR(StoreCell(scanner, *present[i], cells[i], row));
    }
    if (version1 && !UpgradeFromVersion1(row)) continue;
    rows.push_back(std::move(row));
  }
}

template Result<std::vector<TrialRow>> ParseCsv(std::string_view, const std::string&);
template Result<std::vector<LatencyRow>> ParseCsv(std::string_view, const std::string&);
template Result<std::vector<PhaseRow>> ParseCsv(std::string_view, const std::string&);
template Result<std::vector<TimeseriesRow>> ParseCsv(std::string_view, const std::string&);
template Result<std::vector<MemoryRow>> ParseCsv(std::string_view, const std::string&);
template Result<std::vector<ErrorRow>> ParseCsv(std::string_view, const std::string&);

Result<Run> Run::Load(const std::string& folder) {
  Run run;
  run.folder = folder;
  const std::string info_path = folder + "/run.json";
  if (!std::filesystem::exists(info_path)) {
    return Status::Error(sqlstate::kIoError,
                         fmt::format("{} is not a run: it has no run.json", folder))
        .WithHint("Give the folder that \"connbench run\" printed, or results/latest.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string json,
                             ReadNamedFile("file of a run", info_path, kMaxMeasuredFileBytes));
  CONNBENCH_ASSIGN_OR_RETURN(run.info, ParseRunInfo(json, info_path));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.trials));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.latency));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.phases));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.timeseries));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.memory));
  CONNBENCH_RETURN_IF_ERROR(LoadFile(folder, run.errors));

  std::unordered_set<int64_t> complete;
  for (const TrialRow& trial : run.trials) complete.insert(trial.trial);
  const auto keep_complete = [&](auto& rows) {
    run.rows_left_out += static_cast<int64_t>(
        std::erase_if(rows, [&](const auto& row) { return !complete.contains(row.trial); }));
  };
  keep_complete(run.latency);
  keep_complete(run.phases);
  keep_complete(run.timeseries);
  keep_complete(run.memory);
  keep_complete(run.errors);
  return run;
}

}  // namespace connbench::results
