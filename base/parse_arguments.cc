// Reading the command line, alike in all programs.
#include "base/parse_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>

#include "base/help_format.h"
#include "base/near_names.h"
#include "base/number.h"
#include "base/print_error.h"

namespace connbench::cli {
namespace {

std::vector<CLI::App*> Subcommands(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

// Makes every option of app, and of its subcommands, that is a number take decimal numbers alone:
// CLI11 itself reads 010 as eight, and lets nan pass every range.
void DemandDecimalNumbers(CLI::App& app) {
  for (CLI::Option* const option : app.get_options()) {
    const std::string type = option->get_type_name();
    const auto canonical = [](const auto& number, std::string& text) {
      if (!number.ok()) return number.status().error().message;
      text = fmt::format("{}", *number);
      return std::string();
    };
    std::function<std::string(std::string&)> read;
    if (type.starts_with("INT")) {
      read = [canonical](std::string& text) {
        return canonical(ParseWholeNumber(text, INT64_MIN, INT64_MAX), text);
      };
    } else if (type.starts_with("UINT")) {
      read = [canonical](std::string& text) { return canonical(ParseUnsigned(text), text); };
    } else if (type.starts_with("FLOAT")) {
      read = [canonical](std::string& text) {
        constexpr double kMax = std::numeric_limits<double>::max();
        return canonical(ParseReal(text, -kMax, kMax), text);
      };
    }
    if (read) option->transform(CLI::Validator(std::move(read), ""));
  }
  for (CLI::App* const sub : Subcommands(app)) DemandDecimalNumbers(*sub);
}

// -h is help where it is not pgbench's letter for the host.
void OfferHelp(CLI::App& app, const std::shared_ptr<HelpFormat>& format) {
  app.formatter(format);
  if (app.get_help_ptr() != nullptr) {
    app.set_help_flag();
    const bool taken = app.get_option_no_throw("-h") != nullptr;
    app.set_help_flag(taken ? "--help" : "-h,--help", "print this help");
  }
  for (CLI::App* const sub : Subcommands(app)) OfferHelp(*sub, format);
}

std::vector<std::string> LongFlags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// The subcommand that was asked for, or the program.
CLI::App& Asked(CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : *parsed.front();
}

std::string WhereToLook(CLI::App& app) {
  const CLI::App& asked = Asked(app);
  return fmt::format("Run \"{}{} --help\".", app.get_name(),
                     &asked == &app ? "" : " " + asked.get_name());
}

Status Bad(std::string message, std::string hint) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message))
      .WithHint(std::move(hint));
}

// The first word must be a command: CLI11 would complain of what follows instead.
Status CheckCommand(CLI::App& app, int argc, char** argv, const OtherCommands& others) {
  if (Subcommands(app).empty() || argc < 2 || argv[1][0] == '-') return Status::Ok();
  std::vector<std::string> names;
  for (const CLI::App* sub : Subcommands(app)) {
    if (sub->get_name() == argv[1]) return Status::Ok();
    if (!sub->get_group().empty()) names.push_back(sub->get_name());
  }
  for (const auto& [name, summary] : others) {
    if (name == argv[1]) {
      return Bad(fmt::format("\"{}\" is a command of the launcher", name),
                 fmt::format("Run \"./connbench {}\" in the source tree.", name));
    }
    names.push_back(name);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return Bad(fmt::format("there is no command \"{}\"", argv[1]), SuggestNames(argv[1], known));
}

Status NoSuchFlag(CLI::App& app, const std::string& word) {
  const std::string flag = word.substr(0, word.find('='));
  const std::vector<std::string> names = LongFlags(Asked(app));
  const std::vector<std::string_view> known(names.begin(), names.end());
  // -models is --models with a dash too few; -x is like every letter.
  const std::string wanted = flag.starts_with("--") || flag.size() <= 2 ? flag : "-" + flag;
  const bool near = wanted.size() > 2 && !NearNames(wanted, known).empty();
  return Bad(fmt::format("there is no flag \"{}\"", flag),
             near ? SuggestNames(wanted, known) : WhereToLook(app));
}

// "--format: jsn not in {plain,markdown}" of CLI11, with the names that are like it.
Status DescribeInvalid(CLI::App& app, const std::string& message) {
  constexpr std::string_view kNotIn = " not in {";
  const size_t name_end = message.find(": ");
  const size_t set = message.find(kNotIn);
  const size_t set_end = message.rfind('}');
  if (name_end == std::string::npos || set == std::string::npos || set_end == std::string::npos ||
      set < name_end + 2 || set_end < set) {
    return Bad(message, WhereToLook(app));
  }
  const std::string value = message.substr(name_end + 2, set - name_end - 2);
  const std::vector<std::string> choices =
      CLI::detail::split(message.substr(set + kNotIn.size(), set_end - set - kNotIn.size()), ',');
  const std::vector<std::string_view> known(choices.begin(), choices.end());
  return Bad(fmt::format("{}: \"{}\" is none of {}", message.substr(0, name_end), value,
                         fmt::join(choices, ", ")),
             NearNames(value, known).empty() ? WhereToLook(app) : SuggestNames(value, known));
}

// What CLI11 knows no option for.
Status DescribeExtra(CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
  if (extras.empty()) return Bad("too many arguments", WhereToLook(app));
  const auto dashed = std::find_if(extras.begin(), extras.end(), [](const std::string& word) {
    return word.starts_with('-') && word.size() > 1;
  });
  if (dashed == extras.end()) {
    return Bad(fmt::format("unexpected argument \"{}\"", extras.front()), WhereToLook(app));
  }
  return NoSuchFlag(app, *dashed);
}

}  // namespace

std::string RefuseEmpty(const std::string& name) { return name.empty() ? "names no folder" : ""; }

std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find(":{");
  const size_t end = type.find('}', begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  return CLI::detail::split(type.substr(begin + 2, end - begin - 2), ',');
}

std::string ValuesOf(const CLI::Option& option) {
  const std::vector<std::string> choices = ChoicesOf(option);
  if (!choices.empty()) return fmt::format("{}", fmt::join(choices, ", "));
  const std::string type = option.get_type_name();
  const size_t colon = type.find(':');
  if (colon == std::string::npos) return "";
  std::string rule = type.substr(colon + 1);
  if (rule.starts_with("POSITIVE")) return "above 0";
  if (rule.starts_with("NONNEGATIVE")) return "0 or more";
  const size_t begin = rule.find(" in [");
  const size_t dash = rule.find(" - ", begin);
  const size_t end = rule.find(']', begin);
  if (begin == std::string::npos || dash == std::string::npos || end == std::string::npos) {
    return rule;
  }
  const size_t low = begin + 5;
  return fmt::format("{} to {}", rule.substr(low, dash - low),
                     rule.substr(dash + 3, end - dash - 3));
}

std::optional<int> ParseArguments(CLI::App& app, int argc, char** argv,
                                  const OtherCommands& others) {
  const std::string who = app.get_name();
  OfferHelp(app, std::make_shared<HelpFormat>(others));
  if (const Status status = CheckCommand(app, argc, argv, others); !status.ok()) {
    return PrintError(who, status, kExitUsage);
  }
  try {
    DemandDecimalNumbers(app);
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ExtrasError&) {
    return PrintError(who, DescribeExtra(app), kExitUsage);
  } catch (const CLI::ValidationError& error) {
    return PrintError(who, DescribeInvalid(app, error.what()), kExitUsage);
  } catch (const CLI::RequiredError& error) {
    // Of a flag that it does not know CLI11 says only that the command is missing.
    const bool flag_first = argc > 1 && argv[1][0] == '-' && app.get_subcommands().empty();
    return PrintError(who,
                      flag_first && app.get_option_no_throw(argv[1]) == nullptr
                          ? NoSuchFlag(app, argv[1])
                          : Bad(error.what(), WhereToLook(app)),
                      kExitUsage);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error);
      return kExitOk;
    }
    return PrintError(who, Bad(error.what(), WhereToLook(app)), kExitUsage);
  }
}

}  // namespace connbench::cli
