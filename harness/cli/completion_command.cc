// connbench completion: what makes a shell complete commands, flags and their values, printed from
// the commands that there are.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "base/parse_arguments.h"
#include "harness/cli/command.h"
#include "harness/cli/completion_words.h"

namespace connbench::cli {
namespace {

// Text within single quotes, for all three shells: a quote is left out, for it has no form that
// all of them read.
std::string Quoted(std::string text) {
  std::erase(text, '\'');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "'" + text + "'";
}

std::string Words(const std::vector<std::string>& words) {
  return Quoted(fmt::format("{}", fmt::join(words, " ")));
}

std::vector<std::string> FlagNames(const CompletedCommand& command) {
  std::vector<std::string> names;
  for (const CompletedFlag& flag : command.flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

std::string Bash(const std::vector<CompletedCommand>& commands) {
  std::string text = R"sh(# eval "$(connbench completion bash)"
_connbench() {
  local current=${COMP_WORDS[COMP_CWORD]} flags='' values='' takes=''
  local command=${COMP_WORDS[1]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
)sh";
  std::vector<std::string> names;
  for (const CompletedCommand& command : commands) names.push_back(command.name);
  names.insert(names.end(), {"--help", "--version"});
  text +=
      fmt::format("    mapfile -t COMPREPLY < <(compgen -W {} -- \"$current\")\n", Words(names));
  text += "    return\n  fi\n  case \"$command\" in\n";
  for (const CompletedCommand& command : commands) {
    text += fmt::format("    {})\n      flags={}\n      values={}\n", command.name,
                        Words(FlagNames(command)), Words(command.values));
    text += "      case \"$previous\" in\n";
    for (const CompletedFlag& flag : command.flags) {
      if (!flag.takes_value) continue;
      text += fmt::format("        {}) takes=yes values={} ;;\n", fmt::join(flag.names, " | "),
                          Words(flag.values));
    }
    text += "      esac ;;\n";
  }
  text += R"sh(  esac
  if [ -z "$takes" ] && [ "${current:0:1}" = - ]; then values=$flags; fi
  mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
  # Where no name fits, it may be a file.
  [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _connbench connbench
)sh";
  return text;
}

// A colon ends the name that is described, a bracket the description.
std::string ForZsh(std::string about) {
  std::replace(about.begin(), about.end(), ':', ';');
  std::replace(about.begin(), about.end(), '[', '(');
  std::replace(about.begin(), about.end(), ']', ')');
  return about;
}

std::string Zsh(const std::vector<CompletedCommand>& commands) {
  std::string text = R"sh(#compdef connbench
# eval "$(connbench completion zsh)", after compinit
_connbench() {
  local -a commands
  commands=(
)sh";
  for (const CompletedCommand& command : commands) {
    text += fmt::format("    {}\n", Quoted(command.name + ":" + ForZsh(command.summary)));
  }
  text += R"sh(  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
)sh";
  const auto values = [](const std::vector<std::string>& words) {
    return words.empty() ? std::string("_files")
                         : fmt::format("{{compadd -- {} ; _files}}", fmt::join(words, " "));
  };
  for (const CompletedCommand& command : commands) {
    text += fmt::format("    {})\n      _arguments", command.name);
    for (const CompletedFlag& flag : command.flags) {
      const std::string value = flag.takes_value ? ":value:" + values(flag.values) : "";
      for (const std::string& name : flag.names) {
        text += fmt::format(" \\\n        {}",
                            Quoted(fmt::format("*{}[{}]{}", name, ForZsh(flag.about), value)));
      }
    }
    text += fmt::format(" \\\n        {} ;;\n", Quoted("*:value:" + values(command.values)));
  }
  text += "  esac\n}\ncompdef _connbench connbench\n";
  return text;
}

std::string Fish(const std::vector<CompletedCommand>& commands) {
  std::string text = "# connbench completion fish | source\n";
  for (const CompletedCommand& command : commands) {
    text += fmt::format("complete -c connbench -n __fish_use_subcommand -f -a {} -d {}\n",
                        command.name, Quoted(command.summary));
    const std::string when =
        fmt::format("-n {}", Quoted("__fish_seen_subcommand_from " + command.name));
    if (!command.values.empty()) {
      text += fmt::format("complete -c connbench {} -a {}\n", when, Words(command.values));
    }
    for (const CompletedFlag& flag : command.flags) {
      text += fmt::format("complete -c connbench {}", when);
      for (const std::string& name : flag.names) {
        const bool is_long = name.starts_with("--");
        text += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
      }
      if (flag.takes_value) text += " -r";
      if (!flag.values.empty()) text += fmt::format(" -a {}", Words(flag.values));
      text += fmt::format(" -d {}\n", Quoted(flag.about));
    }
  }
  return text;
}

}  // namespace

CommandMain ConfigureCompletion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "the shell that is to complete")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.footer(
      "bash, in ~/.bashrc: eval \"$(./connbench completion bash)\"\n"
      "zsh, in ~/.zshrc after compinit: eval \"$(./connbench completion zsh)\"\n"
      "fish, in ~/.config/fish/config.fish: ./connbench completion fish | source");
  return [shell]() -> int {
    const std::vector<CompletedCommand> commands = CompletedCommands();
    const std::string text = *shell == "bash"  ? Bash(commands)
                             : *shell == "zsh" ? Zsh(commands)
                                               : Fish(commands);
    std::fputs(text.c_str(), stdout);
    return kExitOk;
  };
}

}  // namespace connbench::cli
