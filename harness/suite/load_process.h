// `connbench load` as a child that keeps step with the harness.
//
// Safety: one thread. Errors: what the child said on stderr.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/load/endpoint.h"
#include "harness/load/load_result.h"
#include "harness/load/workload.h"
#include "harness/suite/interruption.h"
#include "harness/targets/child_process.h"

namespace connbench::suite {

struct LoadEvent {
  std::string name;  // held, begin, end, closed; "" when the load has ended
  int64_t connections = 0;
  MonotonicNs at_ns = 0;
};

// Of the workload, as a suite varies them: name and value.
using Parameters = std::vector<std::pair<std::string, std::string>>;

class LoadProcess {
 public:
  LoadProcess();
  ~LoadProcess();  // kills it if it still runs
  LoadProcess(const LoadProcess&) = delete;
  LoadProcess& operator=(const LoadProcess&) = delete;

  Status Start(const std::string& program, const load::Workload& workload,
               const Parameters& parameters, const load::Endpoint& endpoint,
               const std::string& cpus, uint64_t seed);
  // Answers the previous event, if there was one, and waits for the next until the deadline (an
  // error). An interruption is passed on once, so that the load ends and still tells what it found.
  // When one of the server's descriptors becomes readable, the server has ended: an error, too, for a
  // load that waits for it may wait for long.
  Result<LoadEvent> NextEvent(MonotonicNs deadline, Interruption& interruption,
                              const std::vector<int>& server_exits);
  // After it has ended. An exit code other than 0 is no error if there is a result.
  Result<load::LoadResult> TakeResult();
  pid_t pid() const { return child_.pid(); }

 private:
  Status Failed(const std::string& what);

  targets::ChildProcess child_;
  std::string folder_;  // for the result; removed at the end
  int control_ = -1;
  int stderr_ = -1;
  std::string received_;
  bool owes_answer_ = false;
  bool passed_on_ = false;
};

// "EVENT held 200 123456789"; nullopt-like error 08P01 for anything else.
Result<LoadEvent> ParseLoadEvent(std::string_view line);

}  // namespace connbench::suite
