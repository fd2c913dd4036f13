// A history as text: for a terminal, a page, a spreadsheet, a program.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "base/exit_code.h"
#include "base/printable.h"
#include "harness/answers/history.h"
#include "harness/answers/json_values.h"
#include "harness/answers/outputs.h"
#include "harness/answers/text.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

// Of longer histories the table of runs shows the newest.
constexpr size_t kShownRuns = 20;
constexpr size_t kSeriesColumns = 28;
constexpr size_t kDayCharacters = 10;  // of "2026-11-20 04:00"

// Everything but the first and the last cell of a row is a figure.
using Row = std::vector<std::string>;

std::string DayAndTime(std::string_view started_at) {
  std::string text = Printable(started_at.substr(0, 16));
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string List(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string Change(const HistoryChange& change) {
  if (change.before == 0) return "from 0";
  return fmt::format("{:+.1f} %", 100 * (change.after / change.before - 1));
}

std::string_view Word(const HistoryChange& change) {
  if (!change.counts) return "small";
  return change.worse ? "worse" : "better";
}

// "-10.9 % since 2026-11-20 04:00 (abc123456), p 0.0001; worse"
std::string ChangeInWords(const HistoryGroup& group, const HistorySeries& series,
                          const HistoryChange& change) {
  const HistoryRun& run = group.runs[series.runs[change.value]];
  std::string text = fmt::format(
      "{}: {} to {} ({}) since {}", Word(change), stats::Quantity(change.before, series.unit),
      stats::Quantity(change.after, series.unit), Change(change), DayAndTime(run.started_at));
  const HistoryRun& before = group.runs[series.runs[change.value - 1]];
  if (!run.commit.empty()) {
    text += fmt::format(", commit {} (before: {})", run.commit,
                        before.commit.empty() ? "unknown" : before.commit);
  }
  text += fmt::format(", p {:.2g}", change.p);
  if (!run.differs.empty()) {
    text += fmt::format("; this run and the one before also differ in: {}", List(run.differs));
  }
  return text;
}

std::string ShortName(const HistorySeries& series) {
  return fmt::format("{}, {} with {} connections", series.contender, series.workload,
                     series.connections);
}

std::vector<std::string> Conclusions(const History& history) {
  std::vector<std::string> lines;
  for (const HistoryGroup& group : history.groups) {
    for (const HistorySeries& series : group.series) {
      if (!group.IsWorse(series)) continue;
      lines.push_back(fmt::format("{}: {}: {} {}.", group.suite, CellInWords(group, series),
                                  series.label,
                                  ChangeInWords(group, series, series.changes.back())));
    }
  }
  if (lines.size() > kMaxSentences) {
    const size_t more = lines.size() - kMaxSentences;
    lines.resize(kMaxSentences);
    lines.push_back(fmt::format("{} more changes for the worse stand in the tables.", more));
  }
  const HistoryGroup& newest = history.groups.front();
  if (lines.empty() && ExitCodeOf(history) == kExitInconclusive) {
    size_t needed = 0;
    for (const HistorySeries& series : newest.series) {
      if (newest.HasNewest(series)) needed = std::max(needed, series.runs_needed);
    }
    lines.push_back(
        needed == 0
            ? fmt::format("The newest run of {} has no valid trial to judge.", newest.suite)
            : fmt::format("Too few runs of {} on this machine: it has {}, and a change needs {} to "
                          "be told from chance.",
                          newest.suite, newest.runs.size(), needed));
  } else if (lines.empty()) {
    lines.emplace_back("The newest runs lie beyond no change for the worse.");
  }
  return lines;
}

Row SeriesHeader() { return {"metric", "runs", "oldest", "level now", "newest", "last change"}; }

Row SeriesCells(const HistoryGroup& group, const HistorySeries& series) {
  const auto quantity = [&](double value) { return stats::Quantity(value, series.unit); };
  std::string last = "none";
  if (series.runs_needed > 0) {
    last = fmt::format("needs {} runs", series.runs_needed);
  } else if (!series.changes.empty()) {
    const HistoryChange& change = series.changes.back();
    const HistoryRun& run = group.runs[series.runs[change.value]];
    last = fmt::format("{} {} {}", Change(change), Word(change),
                       DayAndTime(run.started_at).substr(0, kDayCharacters));
  }
  if (!group.HasNewest(series)) last += ", not in newest";
  return {Cut(Printable(series.label), kSeriesColumns),
          std::to_string(series.values.size()),
          quantity(series.values.front()),
          quantity(series.newest_level()),
          quantity(series.values.back()),
          last};
}

Row RunHeader() { return {"started", "commit", "run", "differs from the one before"}; }
Row RunCells(const HistoryRun& run) {
  return {DayAndTime(run.started_at), Printable(run.commit), Cut(Printable(run.run_id), 30),
          List(run.differs)};
}

std::string PlainTable(const std::vector<Row>& rows, bool figures, std::string_view indent) {
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line(indent);
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i]), ' ');
      const bool right = figures && i > 0 && i + 1 < row.size();
      line += (right ? padding + row[i] : row[i] + padding) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += Cut(line, kTableColumns) + "\n";
  }
  return text;
}

std::string MarkdownTable(const std::vector<Row>& rows) {
  std::string text;
  for (size_t at = 0; at < rows.size(); ++at) {
    text += "|";
    for (const std::string& cell : rows[at]) text += " " + MarkdownText(cell) + " |";
    text += "\n";
    if (at > 0) continue;
    text += "|";
    for (size_t i = 0; i < rows[at].size(); ++i) text += "---|";
    text += "\n";
  }
  return text;
}

std::vector<Row> RunRows(const HistoryGroup& group) {
  std::vector<Row> rows = {RunHeader()};
  for (size_t i = group.runs.size() - std::min(group.runs.size(), kShownRuns);
       i < group.runs.size(); ++i) {
    rows.push_back(RunCells(group.runs[i]));
  }
  return rows;
}

std::string GroupTitle(const HistoryGroup& group) {
  std::string text =
      fmt::format("{} on {}: {} runs", group.suite, group.machine, group.runs.size());
  if (group.runs.size() > kShownRuns) text += fmt::format(", the newest {}", kShownRuns);
  return text;
}

// Series of one cell stand together.
template <typename Begin, typename Add>
void ForEachCell(const HistoryGroup& group, Begin&& begin, Add&& add) {
  const std::string* cell = nullptr;
  for (const HistorySeries& series : group.series) {
    if (cell == nullptr || *cell != series.cell) begin(series.cell);
    cell = &series.cell;
    add(series);
  }
}

std::string HowToRead(const History& history) {
  return fmt::format(
      "A value is the median of a run's valid trials. A change is one of level (E-divisive), with "
      "p "
      "at most {:.2g}, so that all series together have a false one in 1 % of histories; one under "
      "{:.0f} % is called small, and fails nothing.",
      history.bound, 100 * kHistoryMargin);
}

std::string FormatPlainHistory(const History& history) {
  std::string text;
  for (const std::string& line : Conclusions(history))
    text += Wrapped(Printable(line), kTableColumns);
  for (const std::string& note : history.notes) text += Wrapped(Printable(note), kTableColumns);
  for (const HistoryGroup& group : history.groups) {
    text += "\n" + Wrapped(Printable(GroupTitle(group)), kTableColumns);
    text += PlainTable(RunRows(group), false, "  ");
    std::vector<Row> rows = {SeriesHeader()};
    std::vector<std::pair<size_t, std::string>> titles;  // before which row
    ForEachCell(
        group, [&](const std::string& cell) { titles.emplace_back(rows.size(), cell); },
        [&](const HistorySeries& series) { rows.push_back(SeriesCells(group, series)); });
    const std::string table = PlainTable(rows, true, "  ");
    size_t row = 0;
    size_t title = 0;
    text += "\n";
    for (size_t at = 0; at < table.size(); ++row) {
      if (title < titles.size() && titles[title].first == row) {
        text += Wrapped(Printable(titles[title++].second), kTableColumns);
      }
      const size_t end = table.find('\n', at) + 1;
      text += table.substr(at, end - at);
      at = end;
    }
  }
  return text + "\n" + Wrapped(HowToRead(history), kTableColumns);
}

std::string FormatMarkdownHistory(const History& history) {
  std::string text;
  for (const std::string& line : Conclusions(history)) text += "**" + MarkdownText(line) + "**\n\n";
  for (const std::string& note : history.notes) text += "- " + MarkdownText(note) + "\n";
  size_t left_out = 0;
  for (const HistoryGroup& group : history.groups) {
    std::string part = "\n### " + MarkdownText(GroupTitle(group)) + "\n\n";
    std::vector<Row> rows = {SeriesHeader()};
    rows.front().insert(rows.front().begin(), "cell");
    for (const HistorySeries& series : group.series) {
      Row row = SeriesCells(group, series);
      row.insert(row.begin(), series.cell);
      rows.push_back(std::move(row));
    }
    part += MarkdownTable(rows) + "\n<details><summary>Runs</summary>\n\n" +
            MarkdownTable(RunRows(group)) + "\n</details>\n";
    if (text.size() + part.size() > kMaxMarkdown) {
      ++left_out;
    } else {
      text += part;
    }
  }
  if (left_out > 0) {
    text += fmt::format("\n{} suites do not fit here; `--format json` has all.\n", left_out);
  }
  return text + "\n" + MarkdownText(HowToRead(history)) + "\n";
}

std::string FormatCsvHistory(const History& history) {
  std::string text =
      "machine,suite,cell,contender,metric,unit,run_id,started_at,commit,value,level_begins,p,"
      "verdict\n";
  for (const HistoryGroup& group : history.groups) {
    for (const HistorySeries& series : group.series) {
      for (size_t i = 0; i < series.values.size(); ++i) {
        const HistoryRun& run = group.runs[series.runs[i]];
        const auto change = std::find_if(series.changes.begin(), series.changes.end(),
                                         [&](const HistoryChange& one) { return one.value == i; });
        const bool begins = change != series.changes.end();
        text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", CsvText(group.machine),
                            CsvText(group.suite), CsvText(series.cell), CsvText(series.contender),
                            CsvText(series.metric), CsvText(series.unit), CsvText(run.run_id),
                            CsvText(run.started_at), CsvText(run.commit),
                            CsvNumber(series.values[i]), begins ? "true" : "false",
                            begins ? CsvNumber(change->p) : "", begins ? Word(*change) : "");
      }
    }
  }
  return text;
}

Object::Ptr SeriesObject(const HistoryGroup& group, const HistorySeries& series) {
  Object::Ptr object = MakeObject();
  object->set("cell", Printable(series.cell));
  object->set("contender", Printable(series.contender));
  object->set("metric", series.metric);
  object->set("unit", series.unit);
  object->set("better", series.direction == stats::Direction::kHigherIsBetter ? "higher" : "lower");
  Array::Ptr runs = new Array;
  for (const size_t run : series.runs) runs->add(run);
  object->set("runs", runs);
  Array::Ptr values = new Array;
  for (const double value : series.values) values->add(value);
  object->set("values", values);
  Array::Ptr changes = new Array;
  for (const HistoryChange& change : series.changes) {
    Object::Ptr one = MakeObject();
    one->set("run", series.runs[change.value]);
    one->set("before", change.before);
    one->set("after", change.after);
    one->set("p", change.p);
    one->set("verdict", std::string(Word(change)));
    changes->add(one);
  }
  object->set("changes", changes);
  if (series.runs_needed > 0) object->set("runs_needed", series.runs_needed);
  object->set("worse", group.IsWorse(series));
  return object;
}

std::string FormatJsonHistory(const History& history) {
  Object::Ptr root = MakeObject();
  root->set("schema_version", 1);
  root->set("exit_code", ExitCodeOf(history));
  root->set("conclusions", Texts(Conclusions(history)));
  root->set("notes", Texts(history.notes));
  root->set("bound_of_p", history.bound);
  Array::Ptr groups = new Array;
  for (const HistoryGroup& group : history.groups) {
    Object::Ptr object = MakeObject();
    object->set("machine", Printable(group.machine));
    object->set("suite", Printable(group.suite));
    Array::Ptr runs = new Array;
    for (const HistoryRun& run : group.runs) {
      Object::Ptr one = MakeObject();
      one->set("run_id", Printable(run.run_id));
      one->set("started_at", Printable(run.started_at));
      one->set("commit", Printable(run.commit));
      one->set("differs", Texts(run.differs));
      runs->add(one);
    }
    object->set("runs", runs);
    Array::Ptr all = new Array;
    for (const HistorySeries& series : group.series) all->add(SeriesObject(group, series));
    object->set("series", all);
    groups->add(object);
  }
  root->set("groups", groups);
  std::ostringstream out;
  root->stringify(out, 1);
  return out.str() + "\n";
}

struct HistoryOutput {
  std::string_view name;
  std::string (*print)(const History&);
};
constexpr std::array kHistoryOutputs = {
    HistoryOutput{"plain", FormatPlainHistory},
    HistoryOutput{"markdown", FormatMarkdownHistory},
    HistoryOutput{"json", FormatJsonHistory},
    HistoryOutput{"csv", FormatCsvHistory},
};

}  // namespace

std::string CellInWords(const HistoryGroup& group, const HistorySeries& series) {
  const std::string name = ShortName(series);
  const bool ambiguous =
      std::any_of(group.series.begin(), group.series.end(), [&](const HistorySeries& other) {
        return other.cell != series.cell && ShortName(other) == name;
      });
  return ambiguous ? series.cell : name;
}

std::vector<std::string> HistoryFormatNames() {
  std::vector<std::string> names;
  for (const HistoryOutput& output : kHistoryOutputs) names.emplace_back(output.name);
  return names;
}

std::string FormatHistory(const History& history, std::string_view format) {
  for (const HistoryOutput& output : kHistoryOutputs) {
    if (output.name == format) return output.print(history);
  }
  return "";
}

}  // namespace connbench::answers
