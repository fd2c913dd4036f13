// --help: what CLI11 knows of a command, in columns that fit the terminal.
#include "base/help_format.h"

#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

#include "base/columns.h"
#include "base/exit_code.h"

namespace connbench::cli {
namespace {

size_t Width() { return TerminalWidth(STDOUT_FILENO); }

std::string Section(const std::string& title, const std::vector<ColumnRow>& rows) {
  return rows.empty() ? "" : fmt::format("\n{}:\n{}", title, FormatColumns(rows, Width()));
}

// Lines that are short enough stay as they are, with their columns.
std::string FitLines(const std::string& lines) {
  std::istringstream in(lines);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    text += (line.size() > Width() ? WrapText(line, Width()) : line) + "\n";
  }
  return text;
}

// "TEXT" of "TEXT:{svg,png}".
std::string PlainType(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

ColumnRow RowOf(const CLI::Option& option, bool is_positional) {
  ColumnRow row{option.get_name(is_positional, !is_positional), option.get_description()};
  if (is_positional) {
    if (!option.get_required()) row.left = fmt::format("[{}]", row.left);
  } else if (option.get_type_size() != 0 && !PlainType(option).empty()) {
    row.left += " " + PlainType(option);
  }
  const std::string values = ValuesOf(option);
  if (!values.empty() && row.right.find(values) == std::string::npos) {
    row.right += fmt::format(" ({})", values);
  }
  const std::string given = option.get_default_str();
  if (option.get_type_size() != 0 && !given.empty() &&
      row.right.find("default") == std::string::npos) {
    row.right += fmt::format(" (default: {})", given);
  }
  return row;
}

std::vector<ColumnRow> ExitCodeRows() {
  std::vector<ColumnRow> rows;
  for (const ExitCodeRow& row : kExitCodes) {
    rows.push_back({fmt::format("{}", static_cast<int>(row.code)), std::string(row.meaning)});
  }
  return rows;
}

}  // namespace

std::string HelpFormat::make_group(std::string group, bool is_positional,
                                   std::vector<const CLI::Option*> options) const {
  std::vector<ColumnRow> rows;
  rows.reserve(options.size());
  for (const CLI::Option* option : options) rows.push_back(RowOf(*option, is_positional));
  return Section(is_positional ? "Arguments" : group, rows);
}

std::string HelpFormat::make_help(const CLI::App* app, std::string name,
                                  CLI::AppFormatMode mode) const {
  // Whoever asks a subcommand gets its name behind that of the program.
  if (app->get_parent() != nullptr) name = app->get_parent()->get_name() + " " + app->get_name();
  if (name.empty()) name = app->get_name();
  std::string text = WrapText(app->get_description(), Width()) + "\n" + make_usage(app, name);
  text += make_positionals(app) + make_groups(app, mode);
  std::vector<ColumnRow> commands;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) commands.push_back({sub->get_name(), sub->get_description()});
  }
  text += Section("Commands", commands);
  commands.clear();
  for (const auto& [command, summary] : others_) commands.push_back({command, summary});
  if (app->get_parent() == nullptr) {
    text += Section("Commands of the launcher, ./connbench", commands);
  }
  if (const std::string footer = app->get_footer(); !footer.empty()) {
    text += "\n" + FitLines(footer);
  }
  return text + Section("Exit codes", ExitCodeRows());
}

}  // namespace connbench::cli
