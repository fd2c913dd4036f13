// Command lines that repeat what a page shows.
#include "plots/page/commands.h"

#include <algorithm>
#include <cctype>

namespace connbench::plots {
namespace {

constexpr std::string_view kLauncher = "./connbench";

// Options of `connbench run` that say where files go, or that go on with a run.
bool NamesAFile(const std::string& word) {
  return word == "-o" || word == "--output" || word == "--benchmark_out";
}
bool IsDropped(const std::string& word) {
  return word == "--resume" || word.starts_with("--output=") ||
         word.starts_with("--benchmark_out=") || (word.starts_with("-o") && word.size() > 2);
}

// The run's words without those that name its files: it shall not be written over.
std::vector<std::string> WordsOf(const results::Run& run) {
  std::vector<std::string> words = {std::string(kLauncher)};
  for (size_t i = 1; i < run.info.argv.size(); ++i) {
    if (NamesAFile(run.info.argv[i])) {
      ++i;
    } else if (!IsDropped(run.info.argv[i])) {
      words.push_back(run.info.argv[i]);
    }
  }
  return words;
}

// Matches the text itself.
std::string RegexOf(const std::string& text) {
  std::string regex;
  for (const char c : text) {
    if (std::string_view(R"(\^$.|?*+()[]{})").find(c) != std::string_view::npos) regex += '\\';
    regex += c;
  }
  return regex;
}

bool MadeByRun(const results::Run& run) {
  return run.info.argv.size() > 1 && run.info.argv[1] == "run";
}

}  // namespace

std::string ShellWord(std::string_view word) {
  const bool harmless = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./:=,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (harmless && !word.empty()) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string CommandLine(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + ShellWord(word);
  return line;
}

std::string RunCommand(const results::Run& run) {
  if (!MadeByRun(run)) return CommandLine({std::string(kLauncher), "rerun", run.folder});
  return CommandLine(WordsOf(run));
}

std::string RepeatCommand(const results::Run& run, const std::string& cell) {
  const auto is_filter = [](const std::string& word) { return word.starts_with("--filter"); };
  const auto& argv = run.info.argv;
  // Only one filter can be given.
  if (!MadeByRun(run) || std::any_of(argv.begin(), argv.end(), is_filter)) return RunCommand(run);
  std::vector<std::string> words = WordsOf(run);
  words.insert(words.end(), {"--filter", RegexOf(cell) + "$"});
  return CommandLine(words);
}

std::string CompareCommand(const results::Run& run, const std::string& base) {
  return CommandLine(
      {std::string(kLauncher), "compare", "--by", "contender", "--base", base, run.folder});
}

}  // namespace connbench::plots
