// The page as a whole.
#include "plots/page/page.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "harness/stats/words.h"
#include "plots/other_scale.h"
#include "plots/page/answer.h"
#include "plots/page/cells.h"
#include "plots/page/commands.h"
#include "plots/page/html.h"
#include "plots/page/page_svg.h"
#include "plots/page/run_facts.h"
#include "plots/page/tables.h"
#include "plots/palette.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

// Headings that the contents lead to.
class Contents {
 public:
  // The heading, and its line in the contents.
  std::string Heading(int level, std::string_view title, std::string_view id) {
    entries_ +=
        fmt::format("<li class=\"level{}\"><a href=\"#{}\">{}</a></li>\n", level, id, Text(title));
    return fmt::format("<h{0} id=\"{1}\">{2}</h{0}>\n", level, id, Text(title));
  }
  std::string Render() const {
    return fmt::format("<nav id=\"contents\"><h2>Contents</h2>\n<ul>\n{}</ul></nav>\n", entries_);
  }

 private:
  std::string entries_;
};

// The colours of charts are the page's, too.
std::string ColoursOfTheme(Theme theme) {
  const ThemeColours colours = ColoursOf(theme);
  std::string css = fmt::format(
      ":root {{ --chart-background: {}; --chart-text: {}; --chart-faint: {}; --chart-grid: {};",
      HexOf(colours.background), HexOf(colours.text), HexOf(colours.faint), HexOf(colours.grid));
  for (const Family family : kFamilies) {
    css += fmt::format(" --chart-{}: {};", FamilyName(family), HexOf(HueOf(family)));
  }
  return css + " }\n";
}

std::string Colours() {
  return fmt::format("{}@media screen and (prefers-color-scheme: dark) {{ {}}}\n",
                     ColoursOfTheme(Theme::kLight), ColoursOfTheme(Theme::kDark));
}

// What a page can do without, the least needed first; each leaves out what those before it do.
enum class LeftOut : uint8_t {
  kNothing,
  kOtherScales,
  kRawRows,
  kCounterCharts,
  kFurtherCharts,
  kComparisons
};

class Page {
 public:
  Page(const PageParts& parts, const std::vector<Comparison>& comparisons, LeftOut left_out)
      : parts_(parts),
        left_out_(left_out),
        comparisons_(comparisons),
        answer_(AnswerOf(parts.runs, comparisons_)) {
    for (const auto& charts : parts.charts) {
      for (const PageChart& drawn : charts) {
        if (marks_.empty()) marks_ = MarksOf(drawn.svg);
      }
    }
  }

  std::string Make() {
    const std::string opening = Opening();
    std::string rest;
    for (size_t i = 0; i < parts_.runs.size(); ++i) rest += RunSections(i);
    rest += Background();
    const std::string marks =
        marks_.empty() ? ""
                       : fmt::format("<svg id=\"marks\" aria-hidden=\"true\">{}</svg>\n", marks_);
    return RenderPage("connbench: " + TitleOfRuns(), Colours(),
                      marks + opening + contents_.Render() + rest, Data());
  }

 private:
  bool several() const { return parts_.runs.size() > 1; }

  std::string TitleOfRuns() const {
    std::string title;
    for (const Run& run : parts_.runs) title += (title.empty() ? "" : ", ") + NameOf(run);
    return title;
  }

  std::string ChartId(size_t run, const Chart& chart) const {
    return fmt::format("chart{}-{}", run + 1, chart.name);
  }

  bool LeavesOut(LeftOut what) const { return left_out_ >= what; }

  // Charts of counters answer no pattern's question; they stand behind those that do. Then come
  // those of no single metric: distributions, progress, power.
  bool IsShown(const PageChart& drawn) const {
    const Chart& chart = drawn.chart;
    if (drawn.svg.empty()) return false;
    if (chart.metric.empty()) return !LeavesOut(LeftOut::kFurtherCharts);
    return !LeavesOut(LeftOut::kCounterCharts) ||
           results::RoleOf(chart.pattern, chart.metric) == results::MetricRole::kHeadline;
  }

  std::string Figure(size_t run, const PageChart& drawn) {
    const Chart& chart = drawn.chart;
    const std::string id = EscapedId(ChartId(run, chart));
    std::string scale;
    if (!drawn.other_scale.empty() && !LeavesOut(LeftOut::kOtherScales)) {
      scale = ScaleName(chart);
      scales_.set(id, Packed(PageSvg(drawn.other_scale, id + "-other-", chart.title, marks_)));
    }
    std::string notes;
    for (const std::string& note : chart.notes) notes += " " + note;
    return fmt::format(
        "<figure id=\"{}\"{}{}{}>\n<div class=\"chart\">{}</div>\n<figcaption><b>{}</b> {}{}"
        "</figcaption></figure>\n",
        id, Attribute("data-workload", chart.workload),
        Attribute("data-run", several() ? NameOf(parts_.runs[run]) : ""),
        Attribute("data-scale", scale), PageSvg(drawn.svg, id + "-", chart.title, marks_),
        Text(chart.question.empty() ? chart.title : chart.question),
        chart.caption.empty() ? "" : "What to look for: " + Text(chart.caption), Text(notes));
  }

  // Names of charts are file names; ids take no blanks.
  static std::string EscapedId(std::string id) {
    std::replace_if(
        id.begin(), id.end(),
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; },
        '_');
    return id;
  }

  // The run and the number of the chart that carries the answer; none if there is no chart.
  const PageChart* Hero() const {
    const PageChart* best = nullptr;
    int best_fit = -1;
    if (parts_.charts.empty()) return nullptr;
    for (const PageChart& drawn : parts_.charts.back()) {
      if (!IsShown(drawn)) continue;
      const bool workload = drawn.chart.workload == answer_.workload;
      const bool metric = drawn.chart.metric == answer_.metric;
      const int fit = (workload ? 2 : 0) + (metric ? 1 : 0);
      if (fit > best_fit) best = &drawn;
      best_fit = std::max(best_fit, fit);
    }
    return best;
  }

  std::string Opening() {
    std::string html = fmt::format("<header>\n<p class=\"kicker\">connbench, {}</p>\n<h1>{}</h1>\n",
                                   Text(TitleOfRuns()), Text(answer_.question));
    if (!answer_.sentences.empty()) {
      html += "<ul id=\"answer\">\n";
      for (const std::string& sentence : answer_.sentences) {
        html += fmt::format("<li>{}</li>\n", Text(sentence));
      }
      html += "</ul>\n";
    }
    if (!answer_.note.empty())
      html += fmt::format("<p class=\"note\">{}</p>\n", Text(answer_.note));
    if (!answer_.more.empty()) {
      std::string more = "<ul>\n";
      for (const std::string& sentence : answer_.more) {
        more += fmt::format("<li>{}</li>\n", Text(sentence));
      }
      html += Folded(fmt::format("All {} sentences", answer_.more.size()), more + "</ul>\n");
    }
    html += "</header>\n";
    if (!parts_.warning.empty()) {
      html += fmt::format("<p class=\"warning\"><b>{}</b></p>\n", Text(parts_.warning));
    }
    if (const PageChart* hero = Hero()) html += Figure(parts_.runs.size() - 1, *hero);
    return html + Cautions();
  }

  std::string Cautions() {
    std::string list = WhatIsLeftOut();
    for (const Run& run : parts_.runs) {
      for (const std::string& warning : Warnings(run)) {
        list += fmt::format("<li>{}{}</li>\n", several() ? Text(NameOf(run) + ": ") : "",
                            Text(warning));
      }
    }
    std::string html;
    if (!list.empty()) {
      html += contents_.Heading(2, "Warnings", "warnings") +
              fmt::format("<ul class=\"warnings\">\n{}</ul>\n", list);
    }
    if (several()) {
      html += contents_.Heading(2, "What differs between the runs", "differences") +
              Differences(parts_.runs);
    }
    return html;
  }

  // As the first of the warnings.
  std::string WhatIsLeftOut() const {
    if (left_out_ == LeftOut::kNothing) return "";
    std::string text = "charts on their other scale";
    if (LeavesOut(LeftOut::kRawRows)) text += "; raw rows, which are in trials.csv";
    if (LeavesOut(LeftOut::kFurtherCharts)) {
      text += "; charts but those of headlines, which are in the folder charts";
    } else if (LeavesOut(LeftOut::kCounterCharts)) {
      text += "; charts of counters, which are in the folder charts";
    }
    if (LeavesOut(LeftOut::kComparisons)) {
      text += "; comparisons, which \"connbench compare --by contender\" prints";
    }
    return fmt::format("<li>Left out, so that the page stays below {:.0f} MB: {}.</li>\n",
                       static_cast<double>(kMaxPageBytes) / 1e6, text);
  }

  // Links to the charts of a workload that are elsewhere on the page.
  std::string ChartLinks(size_t run, const std::string& workload) const {
    std::string links;
    for (const PageChart& drawn : parts_.charts[run]) {
      if (drawn.chart.workload != workload || !IsShown(drawn)) continue;
      links += fmt::format("{}<a href=\"#{}\">{}</a>", links.empty() ? "Charts: " : ", ",
                           EscapedId(ChartId(run, drawn.chart)), Text(drawn.chart.title));
    }
    return links;
  }

  std::string Figures(size_t run, const std::string& workload) {
    std::string html;
    const PageChart* hero = Hero();
    for (const PageChart& drawn : parts_.charts[run]) {
      if (drawn.chart.workload == workload && IsShown(drawn) && &drawn != hero) {
        html += Figure(run, drawn);
      }
    }
    return html;
  }

  std::string RunSections(size_t index) {
    const Run& run = parts_.runs[index];
    std::string html;
    if (several()) {
      html += contents_.Heading(2, "Run " + NameOf(run), fmt::format("run{}", index + 1));
    }
    const std::vector<FigureTable> tables = BuildTables(run);
    std::vector<std::string> workloads;
    for (const FigureTable& table : tables) {
      if (std::find(workloads.begin(), workloads.end(), table.workload) == workloads.end()) {
        workloads.push_back(table.workload);
      }
    }
    const std::string general = Figures(index, "");
    if (!general.empty()) {
      html += contents_.Heading(several() ? 3 : 2, "Charts of the whole run",
                                fmt::format("charts{}", index + 1)) +
              general;
    }
    for (size_t i = 0; i < workloads.size(); ++i) {
      html += WorkloadSection(index, workloads[i], fmt::format("w{}-{}", index + 1, i + 1), tables);
    }
    return html;
  }

  std::string WorkloadSection(size_t index, const std::string& workload, const std::string& id,
                              const std::vector<FigureTable>& tables) {
    const Run& run = parts_.runs[index];
    const int level = several() ? 3 : 2;
    std::string html =
        fmt::format("<section class=\"workload\"{}{}>\n", Attribute("data-workload", workload),
                    Attribute("data-run", several() ? NameOf(run) : ""));
    html += contents_.Heading(level, fmt::format("Workload {}", workload), id);
    html += Figures(index, workload);
    for (const Comparison& comparison : comparisons_) {
      if (comparison.run != &run || LeavesOut(LeftOut::kComparisons)) continue;
      const std::string compared = RenderComparison(comparison.table, workload);
      if (!compared.empty()) {
        html += Folded(comparison.title, compared + Code(comparison.command));
      }
    }
    const std::string links = ChartLinks(index, workload);
    for (const FigureTable& table : tables) {
      if (table.workload != workload) continue;
      html += table.cell.empty()
                  ? RenderSweep(table)
                  : RenderCombination(run, table, links, !LeavesOut(LeftOut::kRawRows));
    }
    return html + "</section>\n";
  }

  // What figures rest on; read once, or never.
  std::string Background() {
    std::string html = contents_.Heading(2, "Trials that take part in no figure", "left-out");
    for (const Run& run : parts_.runs) html += RunTitle(run) + TrialsLeftOut(run);
    html += contents_.Heading(2, "Environment", "environment") + Environment(parts_.runs);
    html += contents_.Heading(2, "Effective settings", "settings");
    for (const Run& run : parts_.runs) html += RunTitle(run) + EffectiveSettings(run);
    html += contents_.Heading(2, "Suite, workloads and SQL", "inputs");
    for (const Run& run : parts_.runs) html += RunTitle(run) + Inputs(run);
    html += contents_.Heading(2, "Method", "method") + Method();
    html += contents_.Heading(2, "Commands", "commands");
    for (const Run& run : parts_.runs) {
      html += RunTitle(run) +
              Paragraph("Measures all of it again, from the top of connbench's source tree:") +
              Code(RunCommand(run)) + Paragraph("Makes this page and its charts again:") +
              Code(CommandLine({"./connbench", "report", run.folder})) +
              Paragraph("Draws its charts in another size, theme or format:") +
              Code(CommandLine({"./connbench", "plot", run.folder}));
    }
    return html;
  }

  std::string RunTitle(const Run& run) const {
    return several() ? fmt::format("<h3>{}</h3>\n", Text(NameOf(run))) : "";
  }

  std::string Method() const {
    std::string html = Paragraph(
        "Each repetition starts a fresh server. Repetitions are made in interleaved blocks, in an "
        "order that the seed gives. Figures are medians over the valid repetitions, with the "
        "smallest and the largest behind them. An empty figure was not measured, or its sample "
        "cannot carry it. \"Ahead\" names the best contender if it leads by more than the noise "
        "and "
        "at least 5 %; otherwise it says how many repetitions would tell. docs/method.md says how "
        "each figure is taken, docs/method/statistics.md how verdicts are made.");
    if (!comparisons_.empty() && comparisons_.front().why_none.empty()) {
      for (const std::string& line : stats::HowToRead(comparisons_.front().table)) {
        html += Paragraph(line);
      }
    }
    return html + Folded("What each metric means", RenderTable(Glossary()));
  }

  HtmlTable Glossary() const {
    std::set<std::string_view> patterns;
    for (const Run& run : parts_.runs) {
      for (const TrialRow& row : run.trials) patterns.insert(row.pattern);
    }
    HtmlTable table;
    table.header = {"metric", "column of trials.csv", "meaning"};
    table.text_columns = 3;
    table.style_class = "words";
    std::set<std::string_view> seen;
    for (const std::string_view pattern : patterns) {
      for (const auto metric : results::MetricsWith(pattern, results::MetricRole::kDescribed)) {
        if (!seen.insert(metric).second) continue;
        const results::Column& column = results::FindField<TrialRow>(metric)->column;
        table.rows.push_back(
            {{{std::string(column.label)}, {std::string(metric)}, {std::string(column.help)}}});
      }
    }
    return table;
  }

  // For the script: what there are chips for.
  std::string Data() const {
    Poco::JSON::Object data(Poco::JSON_PRESERVE_KEY_ORDER);
    Poco::JSON::Array contenders;
    Poco::JSON::Array workloads;
    Poco::JSON::Array runs;
    std::set<std::string> names;
    std::set<std::string> workload_names;
    for (const Run& run : parts_.runs) {
      for (const std::string& name : ContendersOf(run)) names.insert(name);
      for (const TrialRow& row : run.trials) workload_names.insert(row.workload);
      if (several()) runs.add(NameOf(run));
    }
    for (const std::string& name : names) {
      Poco::JSON::Object contender(Poco::JSON_PRESERVE_KEY_ORDER);
      contender.set("name", name);
      contender.set("family", std::string(FamilyName(FamilyOf(name))));
      contenders.add(contender);
    }
    for (const std::string& name : workload_names) workloads.add(name);
    data.set("contenders", contenders);
    data.set("workloads", workloads);
    data.set("runs", runs);
    data.set("scales", scales_);
    std::ostringstream text;
    data.stringify(text);
    return text.str();
  }

  const PageParts& parts_;
  const LeftOut left_out_;
  const std::vector<Comparison>& comparisons_;
  const Answer answer_;
  std::string marks_;  // which all charts share
  Poco::JSON::Object scales_;
  Contents contents_;
};

}  // namespace

std::string MakePage(const PageParts& parts) {
  const std::vector<Comparison> comparisons = CompareAll(parts.runs);
  std::string page;
  for (const LeftOut left_out :
       {LeftOut::kNothing, LeftOut::kOtherScales, LeftOut::kRawRows, LeftOut::kCounterCharts,
        LeftOut::kFurtherCharts, LeftOut::kComparisons}) {
    page = Page(parts, comparisons, left_out).Make();
    if (page.size() <= kMaxPageBytes) break;
  }
  return page;
}

}  // namespace connbench::plots
