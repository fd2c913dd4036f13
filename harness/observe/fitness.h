// Is this machine fit to measure on? What would spoil the numbers, how badly, and what to do.
//
// Safety: CheckFitness is a pure function of what it is given; ReadActivity waits.
#pragma once

#include <string>
#include <vector>

#include "results/schema.h"

namespace connbench::observe {

enum class Fitness : uint8_t {
  kGood,
  kMind,    // read the numbers with this in mind
  kSpoils,  // the numbers would be about something else
};

struct Finding {
  Fitness fitness = Fitness::kGood;
  std::string subject;  // "other load"
  std::string found;    // "0.3 of 2 CPUs busy"
  std::string remedy;   // empty if good
};

// What the machine does while nothing is measured.
struct Activity {
  double busy_cpus = 0;
  double steal_fraction = 0;
  int64_t time_wait_sockets = 0;
  int64_t mem_available_kb = 0;
  int64_t swap_pages = 0;  // moved meanwhile
  int64_t dev_shm_free_kb = 0;
};
Activity ReadActivity(int64_t duration_ns);

std::vector<Finding> CheckFitness(const results::RunInfo& machine, const Activity& activity);

}  // namespace connbench::observe
