// Fuzzes scripts: splitting, compiling, and running what compiles without a server. Beyond the
// sanitizers: a script that compiles once compiles again to the same statements, and running it
// ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/script/script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using connbench::load::ScriptRunner;
  using connbench::load::ScriptSet;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::map<std::string, std::string> define = {{"scale", "1"}, {"x", "abc"}};
  const auto set = ScriptSet::Compile({{"fuzz.sql", text, 1}}, define);
  if (!set.ok()) {
    if (set.status().error().message.empty()) std::abort();
    return 0;
  }
  const auto again = ScriptSet::Compile({{"fuzz.sql", text, 1}}, define);
  if (!again.ok() || again->statement_count() != set->statement_count()) std::abort();
  ScriptRunner runner(*set, 0, 1);
  runner.Begin();
  std::string sql;
  // Jumps go forward only: a script has no more steps than commands.
  for (size_t steps = 0;; ++steps) {
    if (steps > set->scripts()[0].commands.size()) std::abort();
    const ScriptRunner::Step step = runner.Next();
    if (step == ScriptRunner::Step::kDone || step == ScriptRunner::Step::kError) break;
    if (step != ScriptRunner::Step::kQuery) continue;
    sql.clear();
    runner.AppendSql(sql);
    for (size_t i = 0; i < runner.command().variables.size(); ++i) runner.AppendParameter(i, sql);
    if (runner.command().capture != connbench::load::Capture::kNone) {
      runner.SetVariable(runner.command().capture_prefix + "x", "1");
    }
  }
  return 0;
}
