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

// What the suite to be run asks of the machine; zeros: nothing in particular.
struct Demand {
  int64_t connections = 0;  // at once, at most
  int64_t storm = 0;        // released at the same instant, at most
};

// What the machine does while nothing is measured.
struct Activity {
  double busy_cpus = 0;
  double steal_fraction = 0;
  int64_t time_wait_sockets = 0;
  int64_t mem_available_kb = 0;  // MemAvailable, or what the cgroup's limit leaves if that is less
  bool cgroup_limits_memory = false;  // whether the limit is the lower of the two
  int64_t swap_pages = 0;             // moved meanwhile
  int64_t dev_shm_free_kb = 0;
};
Activity ReadActivity(int64_t duration_ns);

std::vector<Finding> CheckFitness(const results::RunInfo& machine, const Activity& activity,
                                  const Demand& demand = {});

// What a limit on memory leaves: limit and usage as the cgroup's files give them, "max" for no
// limit. -1: there is no limit.
int64_t CgroupHeadroomKb(const std::string& limit_bytes, const std::string& used_bytes);

}  // namespace connbench::observe
