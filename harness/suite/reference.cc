// docs/suite-reference.md, made from the rows by which the readers accept keys.
#include "harness/suite/reference.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "harness/suite/suite_file.h"
#include "harness/workload/file_key.h"
#include "harness/workload/parameter.h"
#include "harness/workload/pattern.h"

namespace connbench::suite {
namespace {

std::string KeyTable(std::span<const load::FileKey> keys, std::string_view table) {
  std::string text = "| key | value | default | what it is |\n|---|---|---|---|\n";
  for (const load::FileKey& key : keys) {
    if (key.table != table) continue;
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, key.form, key.preset, key.help);
  }
  return text;
}

std::string Patterns() {
  std::string text = "| pattern | what clients do | in groups |\n|---|---|---|\n";
  for (const load::PatternRow& row : load::kPatterns) {
    text += fmt::format("| `{}` | {} | {} |\n", row.name, row.summary,
                        row.Has(load::kInGroups) ? "yes" : "no");
  }
  return text;
}

std::string ParameterRows() {
  std::string text = "| parameter | what it is |\n|---|---|\n";
  for (const load::ParameterDescription& parameter : load::AllParameters()) {
    text += fmt::format("| `{}` | {} |\n", parameter.name, parameter.help);
  }
  return text;
}

constexpr std::string_view kOpening =
    R"(# Suite and workload files: every key

Made from the tables by which the program reads the files (`harness/suite/suite_keys.def`,
`harness/workload/workload_keys.def`); a test keeps this page equal. Any other key is refused with
its place and the nearest names.

A **workload** says what clients do; a **suite** says which workloads are run, with how many
connections, on which models and targets. Both are TOML. The files that come with the program are in
`workloads/` and `workloads/suites/`.

- A path in a file is relative to that file. A name without `/` and `.toml` is a workload that comes
  with the program.
- A duration is a text with a unit: `"500ms"`, `"10s"`, `"2min"`.
- The settings `hba_file`, `pwfile`, `ssl_cert_file` and `ssl_key_file` are paths, too; so is any of
  another server that ends in `_file` (`pgbouncer.auth_file`), and the PATH of a target `file:PATH`.
  A run's folder has copies in `inputs/`, with their permissions: look there for keys and passwords
  before you publish it.
- `connbench run` warns of a setting that concerns none of its contenders. `connbench doctor SUITE`
  starts each contender with its settings once, before a long run.

)";

constexpr std::string_view kSuiteExample = R"(```toml
name = "mine"
description = "does the pool pay off for short sessions?"
models = ["fork", "thread-pool"]
targets = ["pgbouncer+postgres"]

[set]
shared_buffers = "64MB"

[[experiment]]
workload = "churn"                   # one that comes with the program
connections = [8, 32]
[experiment.vary]
transactions_per_connection = [1, 10]

[[experiment]]
workload = "queries/mine.toml"       # beside this file
until = { interval = 0.05, max_repetitions = 20 }
```
)";

constexpr std::string_view kWorkloadExample = R"(```toml
description = "two of my statements, one of them rare"
pattern = "steady"
connections = 8
duration = "10s"
scripts = [{ file = "often.sql", weight = 9 }, { file = "rare.sql" }]
setup = "tables.sql"
tables = ["orders"]
[define]
customers = 1000
```
)";

}  // namespace

std::string SuiteReferenceMarkdown() {
  const auto suite_keys = SuiteFileKeys();
  const auto workload_keys = load::WorkloadFileKeys();
  std::string text(kOpening);
  text += fmt::format("## Suite\n\n{}\n{}", kSuiteExample, KeyTable(suite_keys, "suite"));
  text += fmt::format(
      "\n### `[[experiment]]`\n\nEach list is an axis; the axes multiply into cells.\n\n{}",
      KeyTable(suite_keys, "experiment"));
  text += fmt::format("\n### `vary`: parameters of a workload\n\n{}", ParameterRows());
  text += fmt::format("\n### `until`\n\n{}", KeyTable(suite_keys, "until"));
  text += fmt::format("\n### `[crossover]`\n\n{}", KeyTable(suite_keys, "crossover"));
  text +=
      fmt::format("\n## Workload\n\n{}\n{}", kWorkloadExample, KeyTable(workload_keys, "workload"));
  text += fmt::format("\n### `scripts`\n\n{}", KeyTable(workload_keys, "script"));
  text += fmt::format("\n### `backoff`\n\n{}", KeyTable(workload_keys, "backoff"));
  text += fmt::format("\n### `[[group]]`\n\n{}", KeyTable(workload_keys, "group"));
  text += fmt::format("\n### Patterns\n\n{}", Patterns());
  text +=
      "\n### Shapes of `rate` and `connect_rate`\n\n"
      "| shape | arrivals a second |\n|---|---|\n"
      "| `1000` | always |\n"
      "| `steps(500, 2s, 1000, 2s)` | each rate for its time, then the last one for ever |\n"
      "| `ramp(100, 2000, 10s)` | in a straight line from, to, within; then the last |\n"
      "| `spike(500, 5000, 3s, 1s)` | base, peak, when, how long; then the base again |\n"
      "| `sine(1000, 800, 10s)` | mean, amplitude, period; for ever |\n"
      "| `sawtooth(100, 2000, 10s)` | from, to, period; for ever |\n"
      "| `file(rates.txt)` | lines `TIME RATE`, the last one for ever; or lines `TIME`, each the "
      "instant of one arrival |\n";
  return text;
}

}  // namespace connbench::suite
