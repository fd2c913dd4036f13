// What the page opens with: the question of its runs, the answer in words, and which chart carries
// it. The sentences are those of the terminal (harness/stats/words.h, harness/answers).
//
// Safety: pure functions; any thread. Errors: none; what gives no comparison says why.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/stats/verdict_row.h"
#include "results/reader.h"

namespace connbench::plots {

// More sentences than this nobody reads before the first chart.
inline constexpr size_t kMaxOpeningSentences = 6;

struct Comparison {
  std::string title;                  // "Everything against fork"
  const results::Run* run = nullptr;  // that it describes, or the candidate
  std::string command;                // what prints it in a terminal
  stats::VerdictTable table;
  std::string why_none;  // not empty: there is no comparison, and why
};

// One run: its contenders against one of them, described. Several: each against the first, judged.
std::vector<Comparison> CompareAll(std::span<const results::Run> runs);

struct Answer {
  std::string question;
  std::vector<std::string> sentences;  // at most kMaxOpeningSentences
  std::vector<std::string> more;       // the others, which are folded
  std::string note;                    // what the sentences rest on
  // Of the chart that carries the answer: a metric of trials.csv and a workload.
  std::string metric;
  std::string workload;
};
Answer AnswerOf(std::span<const results::Run> runs, std::span<const Comparison> comparisons);

// In the order of first appearance by name: the contenders of a run, with or without valid trials.
std::vector<std::string> ContendersOf(const results::Run& run);
// That the page starts with: postgres where it was measured, else fork, else the first.
std::string DefaultBase(const std::vector<std::string>& contenders);

}  // namespace connbench::plots
