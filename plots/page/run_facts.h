// What a page says of its runs beside figures: environment and where environments differ, how each
// contender was really configured, suite, workloads and SQL as run, and what warns of the figures.
//
// Reads contenders.json and inputs/ of a run's folder (harness/suite writes them). Older runs have
// neither: the page says so.
// Safety: one thread per folder. Errors: none; what cannot be read is said in its place.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "results/reader.h"

namespace connbench::plots {

// Of a run's inputs at most this many files, each up to this size, are shown.
inline constexpr size_t kMaxInputFiles = 200;
inline constexpr int64_t kMaxInputBytes = 100'000;

// What a page calls a run: its id, or the folder of one that has none.
std::string NameOf(const results::Run& run);

// Each function below returns HTML.

// Fields of run.json that are not the same in all runs, a column for each run.
std::string Differences(std::span<const results::Run> runs);
std::string Environment(std::span<const results::Run> runs);
std::string EffectiveSettings(const results::Run& run);
std::string Inputs(const results::Run& run);
std::string TrialsLeftOut(const results::Run& run);

// A sentence each, plain text: what makes the run's figures less than they seem.
std::vector<std::string> Warnings(const results::Run& run);

}  // namespace connbench::plots
