#include "plots/report.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <tuple>
#include <utility>

#include "plots/charts.h"
#include "plots/html.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;
using results::Run;
using results::TrialRow;

// The metrics of the report's overview: the rest stands in trials.csv.
constexpr double TrialRow::*kOverviewMetrics[] = {
    &TrialRow::throughput_tps,
    &TrialRow::latency_us_p50,
    &TrialRow::latency_us_p99,
    &TrialRow::connects_per_s,
    &TrialRow::connect_us_p50,
    &TrialRow::connect_us_p99,
    &TrialRow::server_cpu_us_per_connect,
    &TrialRow::server_cpu_us_per_transaction,
    &TrialRow::server_context_switches_per_transaction,
    &TrialRow::rss_kb_per_connection,
    &TrialRow::private_kb_per_connection,
    &TrialRow::page_tables_kb_per_connection,
    &TrialRow::client_cpu_fraction,
};

const results::Column& ColumnOf(double TrialRow::*member) {
  for (const auto& field : results::Fields<TrialRow>()) {
    if (const auto* real = std::get_if<results::Real TrialRow::*>(&field.member);
        real != nullptr && *real == member) {
      return field.column;
    }
  }
  static constexpr results::Column kUnknown{};
  return kUnknown;
}

std::string Number(double value) {
  if (value == 0) return "0";
  if (std::fabs(value) >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

HtmlTable Overview(const Run& run) {
  HtmlTable table;
  table.header = {"workload", "model", "connections"};
  table.text_columns = 2;
  for (double TrialRow::*const member : kOverviewMetrics) {
    const results::Column& column = ColumnOf(member);
    table.header.push_back(column.unit.empty() ? std::string(column.label)
                                               : fmt::format("{} ({})", column.label, column.unit));
  }
  std::set<std::tuple<std::string, int64_t, std::string>> cells;
  for (const TrialRow& row : run.trials) {
    cells.insert({row.workload, row.connections, SeriesName(row)});
  }
  for (const auto& [workload, connections, series] : cells) {
    std::vector<std::string> cells_of_row{workload, series, fmt::format("{}", connections)};
    for (double TrialRow::*const member : kOverviewMetrics) {
      const auto spread = CellSpread(run, workload, series, connections,
                                     [member](const TrialRow& row) { return row.*member; });
      if (!spread) {
        cells_of_row.emplace_back("no valid trial");
      } else if (spread->low == spread->high) {
        cells_of_row.push_back(Number(spread->median));
      } else {
        cells_of_row.push_back(fmt::format("{} [{} .. {}]", Number(spread->median),
                                           Number(spread->low), Number(spread->high)));
      }
    }
    table.rows.push_back(std::move(cells_of_row));
  }
  return table;
}

HtmlTable NotOkTrials(const Run& run) {
  HtmlTable table;
  table.header = {"cell", "repetition", "status", "reason"};
  table.text_columns = 4;
  for (const TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) continue;
    table.rows.push_back(
        {row.cell, fmt::format("{}", row.repetition), row.status, row.status_reason});
  }
  return table;
}

HtmlTable Environment(const Run& run) {
  HtmlTable table;
  table.header = {"field", "value"};
  table.text_columns = 2;
  for (const auto& [name, value] : run.InfoPairs()) {
    if (name != "order") table.rows.push_back({name, value});
  }
  return table;
}

std::string CommandLine(const Run& run) {
  std::string line;
  for (const std::string& word : run.info.argv) {
    if (!line.empty()) line += ' ';
    line += word.find_first_of(" '\"$") == std::string::npos ? word : fmt::format("'{}'", word);
  }
  return line;
}

Result<std::string> ReadWholeFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Status::System(fmt::format("cannot read {}", path.string()), errno);
  return std::move(text).str();
}

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Status::System(fmt::format("cannot make {}", folder.string()), error.value());
  return Status::Ok();
}

std::string ReportBody(const Run& run, const std::string& figures, const std::string& warning) {
  std::string body = fmt::format(
      "<p>Run <code>{}</code>, suite <code>{}</code>, started {}, {}: {} of {} trials.</p>\n"
      "<pre>{}</pre>\n",
      EscapeHtml(run.info.run_id), EscapeHtml(run.info.suite), EscapeHtml(run.info.started_at),
      EscapeHtml(run.info.outcome), run.info.trials_written, run.info.trials_planned,
      EscapeHtml(CommandLine(run)));
  if (!warning.empty()) body += fmt::format("<p><b>{}</b></p>\n", EscapeHtml(warning));
  body += "<h2>Charts</h2>\n" + figures;
  body +=
      "<h2>Figures</h2>\n<p>Medians over the valid repetitions, smallest and largest in brackets. "
      "A figure a workload does not measure is 0. Every column is explained in "
      "docs/csv-schema.md, every method in docs/method.md.</p>\n" +
      RenderTable(Overview(run));
  const HtmlTable not_ok = NotOkTrials(run);
  body += "<h2>Trials that take part in no figure</h2>\n";
  body += not_ok.rows.empty() ? "<p>None.</p>\n" : RenderTable(not_ok);
  body += "<h2>Environment</h2>\n" + RenderTable(Environment(run));
  return body;
}

}  // namespace

Result<ChartFiles> MakeCharts(const std::string& run_folder, const fs::path& output_folder,
                              const std::vector<ImageFormat>& formats) {
  CONNBENCH_ASSIGN_OR_RETURN(const Run run, Run::Load(run_folder));
  CONNBENCH_RETURN_IF_ERROR(MakeFolder(output_folder));
  ChartFiles files;
  for (const Chart& chart : BuildCharts(run)) {
    CONNBENCH_ASSIGN_OR_RETURN(const auto images, RenderChart(chart, output_folder, formats));
    files.images.insert(files.images.end(), images.begin(), images.end());
  }
  return files;
}

Result<ReportFiles> MakeChartsAndReport(const std::string& run_folder) {
  CONNBENCH_ASSIGN_OR_RETURN(const Run run, Run::Load(run_folder));
  const fs::path charts_folder = fs::path(run_folder) / "charts";
  CONNBENCH_RETURN_IF_ERROR(MakeFolder(charts_folder));
  ReportFiles files;
  std::string figures;
  for (const Chart& chart : BuildCharts(run)) {
    auto images = RenderChart(chart, charts_folder, {ImageFormat::kPng, ImageFormat::kSvg});
    if (!images.ok()) {
      // The tables are worth having without the charts.
      files.warning = images.status().ToString();
      break;
    }
    files.charts.insert(files.charts.end(), images->begin(), images->end());
    CONNBENCH_ASSIGN_OR_RETURN(const std::string svg, ReadWholeFile(images->back()));
    figures += fmt::format("<figure>\n{}\n<figcaption>{}</figcaption></figure>\n",
                           InlineSvg(svg, chart.name + "-"), EscapeHtml(chart.caption));
  }
  files.page = fs::path(run_folder) / "report.html";
  std::ofstream page(files.page, std::ios::trunc);
  page << RenderPage("connbench: " + run.info.suite, ReportBody(run, figures, files.warning));
  page.close();
  if (!page) {
    return Status::System(fmt::format("cannot write {}", files.page.string()), errno)
        .WithHint("Check that the folder is writable and the disk is not full.");
  }
  return files;
}

}  // namespace connbench::plots
