// Comparisons for people: a terminal's tables and a pull request's markdown.
#include "harness/answers/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/printable.h"
#include "harness/answers/outputs.h"
#include "harness/answers/text.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using stats::Verdict;
using stats::VerdictRow;
using stats::VerdictTable;

std::string RatioDigits(double ratio) {
  if (!std::isfinite(ratio) || ratio >= 1'000'000) return "huge";
  if (ratio >= 99.95) return fmt::format("{:.0f}", ratio);
  if (ratio >= 9.995) return fmt::format("{:.1f}", ratio);
  return ratio >= 0.0995 ? fmt::format("{:.3f}", ratio) : fmt::format("{:.2g}", ratio);
}

// Rows under one title, in their order.
struct Section {
  std::string title;
  std::vector<const VerdictRow*> rows;
};

std::vector<Section> Sections(const VerdictTable& comparison,
                              const std::function<bool(const VerdictRow&)>& wanted) {
  std::vector<Section> sections;
  for (const VerdictRow& row : comparison.rows) {
    if (!wanted(row)) continue;
    std::string title = GroupTitle(comparison, row);
    if (sections.empty() || sections.back().title != title) sections.push_back({title, {}});
    sections.back().rows.push_back(&row);
  }
  return sections;
}

bool Changed(const VerdictRow& row) {
  return !row.invalid.empty() || row.answer.verdict == Verdict::kBetter ||
         row.answer.verdict == Verdict::kWorse;
}

// A line that ends in the verdict and is too long: the verdict's last words go on in the next line,
// under its first ones if they fit there. "better, needs 3" is not torn within its parts.
std::string FoldVerdict(const std::string& line, const std::string& verdict) {
  const size_t before = line.size() - std::min(line.size(), verdict.size());
  const size_t begin = DisplayWidth(line.substr(0, before));
  const size_t room = kTableColumns - std::min(kTableColumns, begin);
  size_t at = room == 0 ? std::string::npos : verdict.rfind(", ", room - 1);
  if (at != std::string::npos) {
    ++at;
  } else {
    at = std::min(verdict.rfind(' ', room), verdict.find(' ', room));
  }
  if (at == std::string::npos) return line;
  const std::string rest = verdict.substr(at + 1);
  constexpr size_t kIndent = 6;
  std::string folded =
      line.substr(0, before + at) + "\n" +
      Wrapped(rest, kTableColumns, std::string(DisplayWidth(rest) <= room ? begin : kIndent, ' '));
  folded.pop_back();
  return folded;
}

std::string PlainTable(const std::vector<Section>& sections) {
  std::vector<size_t> widths;
  const auto measure = [&](const std::vector<std::string>& cells) {
    widths.resize(std::max(widths.size(), cells.size()), 0);
    for (size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(cells[i]));
    }
  };
  measure(TableHeader());
  for (const Section& section : sections) {
    for (const VerdictRow* row : section.rows) {
      if (row->invalid.empty()) measure(TableCells(*row));
    }
  }
  constexpr size_t kGap = 2;
  const size_t last = widths.size() - 1;
  const auto print = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - std::min(widths[i], DisplayWidth(cells[i])), ' ');
      // Names to the left, figures to the right.
      line += i == 0 || i == last ? cells[i] + padding : padding + cells[i];
      if (i != last) line += std::string(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return (DisplayWidth(line) > kTableColumns ? FoldVerdict(line, cells[last]) : line) + "\n";
  };
  std::string text = "\n" + print(TableHeader());
  for (const Section& section : sections) {
    text += "\n" + Wrapped(Printable(section.title), kTableColumns);
    for (const VerdictRow* row : section.rows) {
      text += row->invalid.empty()
                  ? print(TableCells(*row))
                  : Wrapped("INVALID: " + Printable(row->invalid), kTableColumns, "  ");
    }
  }
  return text;
}

std::string MarkdownLine(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + MarkdownText(cell) + " |";
  return line + "\n";
}

// The rows that fit; left_out counts the others.
std::string MarkdownTables(const std::vector<Section>& sections, size_t room, size_t& left_out) {
  std::string text;
  for (const Section& section : sections) {
    std::string head = "\n**" + MarkdownText(section.title) + "**\n\n" +
                       MarkdownLine(TableHeader()) + "|---|--:|--:|--:|--:|--:|---|\n";
    for (const VerdictRow* row : section.rows) {
      std::vector<std::string> cells = TableCells(*row);
      if (!row->invalid.empty()) cells = {"INVALID", "", "", "", "", "", row->invalid};
      const std::string line = MarkdownLine(cells);
      if (text.size() + head.size() + line.size() > room) {
        ++left_out;
        continue;
      }
      text += head + line;
      head.clear();
    }
  }
  return text;
}

}  // namespace

std::string GroupTitle(const VerdictTable& comparison, const VerdictRow& row) {
  if (comparison.kind == stats::ComparisonKind::kRuns ||
      comparison.kind == stats::ComparisonKind::kHalves) {
    return row.cell;
  }
  return fmt::format("{}: {} against {}", row.cell, row.candidate, row.base);
}

std::vector<std::string> TableHeader() {
  return {"metric", "base", "candidate", "ratio", "95 % interval", "n", "verdict"};
}

std::vector<std::string> TableCells(const VerdictRow& row) {
  const stats::Answer& answer = row.answer;
  const auto median = [&](const std::optional<double>& value, const std::vector<double>& values) {
    // Values of which one is no number have no median.
    if (!value) return std::string(values.empty() ? "" : "not finite");
    return stats::Quantity(*value, row.unit);
  };
  std::string verdict = answer.verdict == Verdict::kDescribed
                            ? std::string()
                            : std::string(stats::VerdictName(answer.verdict));
  // The column n says how many there are.
  if (answer.blocks_needed) {
    verdict += fmt::format("{}needs {}", verdict.empty() ? "" : ", ", *answer.blocks_needed);
  } else if (!answer.ratio && !answer.reason.empty()) {
    verdict += (verdict.empty() ? "" : ", ") + answer.reason;
  }
  const size_t a = row.question.base.size();
  const size_t b = row.question.candidate.size();
  constexpr size_t kMetricColumns = 24;
  return {Cut(Printable(row.label), kMetricColumns),
          median(answer.base_median, row.question.base),
          median(answer.candidate_median, row.question.candidate),
          answer.ratio ? RatioDigits(answer.ratio->estimate) : "",
          answer.ratio ? fmt::format("{} to {}", RatioDigits(answer.ratio->low),
                                     RatioDigits(answer.ratio->high))
                       : "",
          a == b ? fmt::format("{}", a) : fmt::format("{}, {}", a, b),
          verdict};
}

std::string FormatPlain(const VerdictTable& comparison) {
  std::string text;
  if (comparison.kind == stats::ComparisonKind::kAxis ||
      comparison.kind == stats::ComparisonKind::kGate) {
    const std::vector<std::string> sentences = stats::HeadlineSentences(comparison);
    for (size_t i = 0; i < std::min(sentences.size(), kMaxSentences); ++i) {
      text += Wrapped(Printable(sentences[i]), kTableColumns);
    }
    if (sentences.size() > kMaxSentences) {
      text += fmt::format("{} more sentences: --format json.\n", sentences.size() - kMaxSentences);
    }
  }
  if (!text.empty()) text += "\n";
  text += Wrapped(Printable(stats::Conclusion(comparison)), kTableColumns);
  for (const std::string& note : comparison.notes) {
    text += Wrapped(Printable(note), kTableColumns);
  }
  const auto sections = Sections(comparison, [](const VerdictRow&) { return true; });
  if (!sections.empty()) {
    text += PlainTable(sections) + "\n";
    for (const std::string& line : stats::HowToRead(comparison)) {
      text += Wrapped(line, kTableColumns);
    }
  }
  return text;
}

std::string FormatMarkdown(const VerdictTable& comparison) {
  // Sentences and notes have a share, what changed most of the rest, all other rows what is left.
  constexpr size_t kForSentences = kMaxMarkdown / 4;
  constexpr size_t kForEnd = 2'000;
  std::string text = "**" + MarkdownText(stats::Conclusion(comparison)) + "**\n\n";
  std::vector<std::string> sentences;
  if (comparison.kind == stats::ComparisonKind::kAxis ||
      comparison.kind == stats::ComparisonKind::kGate) {
    sentences = stats::HeadlineSentences(comparison);
  } else {
    for (const VerdictRow& row : comparison.rows) {
      if (row.invalid.empty() && Changed(row)) {
        sentences.push_back(fmt::format("{}: {}: {}.", stats::VerdictName(row.answer.verdict),
                                        stats::Circumstances(row), stats::ChangeInWords(row)));
      }
    }
  }
  sentences.insert(sentences.end(), comparison.notes.begin(), comparison.notes.end());
  size_t unsaid = 0;
  for (const std::string& sentence : sentences) {
    const std::string line = "- " + MarkdownText(sentence) + "\n";
    if (text.size() + line.size() > kForSentences) {
      ++unsaid;
      continue;
    }
    text += line;
  }
  if (unsaid > 0) text += fmt::format("- {} more sentences do not fit here.\n", unsaid);
  size_t left_out = 0;
  const auto changed = Sections(comparison, Changed);
  if (!changed.empty()) {
    text += "\n### What changed\n";
    text += MarkdownTables(changed, kMaxMarkdown - kForEnd - text.size(), left_out);
  }
  const auto others = Sections(comparison, [](const VerdictRow& row) { return !Changed(row); });
  if (!others.empty()) {
    size_t count = 0;
    for (const Section& section : others) count += section.rows.size();
    text += fmt::format("\n<details><summary>{} more rows</summary>\n", count);
    const size_t room = kMaxMarkdown - kForEnd - std::min(text.size(), kMaxMarkdown - kForEnd);
    text += MarkdownTables(others, room, left_out);
    text += "\n</details>\n";
  }
  if (left_out > 0) {
    text += fmt::format("\n{} rows do not fit here; `--format json` has all.\n", left_out);
  }
  text += "\n";
  for (const std::string& line : stats::HowToRead(comparison)) text += MarkdownText(line) + "\n";
  return text;
}

}  // namespace connbench::answers
