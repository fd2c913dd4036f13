// What a workload needs in the server before it can run, its set-up SQL and its tables; and what is
// asked of it afterwards, its check.
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
// A check names at most this many rows; its queries better have a LIMIT.
inline constexpr size_t kMaxContradictions = 5;
// Asks the queries of the workload's check: what is in the rows that they return, with the place,
// "check.sql:3: 1, 300000.00". Empty: nothing contradicts itself.
Result<std::vector<std::string>> AskCheck(const Workload& workload, SqlClient& client,
                                          int64_t scale);
// Which of the workload's tables the server lacks.
Result<std::vector<std::string>> MissingTables(const Workload& workload, SqlClient& client);

}  // namespace connbench::load
