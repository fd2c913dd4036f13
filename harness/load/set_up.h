// What a workload needs in the server before it can run: its set-up SQL and its tables.
//
// Safety: one thread at a time per SqlClient; control plane. Errors: the server's own, with the
// file and line of the statement that failed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/workload/workload.h"

namespace connbench::load {

class SqlClient;
enum class ExistingTables : uint8_t {
  kReplace,
  kKeep,  // no DROP statement is sent, so that a table that exists is an error instead of lost
};
// What the server said of a statement of the set-up, with its place: "tables.sql:3".
struct SetUpNotice {
  std::string where;
  std::string severity;
  std::string message;
};
// Runs the setup SQL, statement by statement. scale replaces the workload's if it is above 0.
// notices, if there is somebody to read them, are added to it.
Status SetUp(const Workload& workload, SqlClient& client, int64_t scale,
             ExistingTables existing = ExistingTables::kReplace,
             std::vector<SetUpNotice>* notices = nullptr);
// Which of the workload's tables the server lacks.
Result<std::vector<std::string>> MissingTables(const Workload& workload, SqlClient& client);

}  // namespace connbench::load
