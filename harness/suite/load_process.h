// `connbench load` as a child that keeps step with the harness.
//
// Safety: one thread. Errors: what the child said on stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/status.h"
#include "harness/load/control.h"
#include "harness/load/endpoint.h"
#include "harness/load/load_result.h"
#include "harness/suite/interruption.h"
#include "harness/workload/workload.h"

namespace connbench::suite {

class LoadProcess {
 public:
  LoadProcess();
  ~LoadProcess();  // kills it if it still runs
  LoadProcess(const LoadProcess&) = delete;
  LoadProcess& operator=(const LoadProcess&) = delete;

  // The child runs this very workload: it is said over the control socket.
  Status Start(const std::string& program, const load::Workload& workload,
               const load::Endpoint& endpoint, const std::string& cpus, uint64_t seed);
  // Answers the previous event, if there was one, and waits for the next until the deadline (an
  // error). None: the load has ended. An interruption is passed on once, so that the load ends and
  // still tells what it found. When one of the server's descriptors becomes readable, the server
  // has ended: an error, too, for a load that waits for it may wait for long.
  Result<std::optional<load::LoadEvent>> NextEvent(MonotonicNs deadline, Interruption& interruption,
                                                   const std::vector<int>& server_exits);
  // After it has ended. An exit code other than 0 is no error if there is a result.
  Result<load::LoadResult> TakeResult();
  pid_t pid() const { return child_.pid(); }

 private:
  Status Failed(const std::string& what);

  ChildProcess child_;
  std::string folder_;  // for the result; removed at the end
  int control_ = -1;
  int stderr_ = -1;
  std::string received_;
  bool owes_answer_ = false;
  bool passed_on_ = false;
};

}  // namespace connbench::suite
