// Fuzzes what reads a run's files. The first byte chooses the kind of file, the rest is the file.
// Beyond the sanitizers: a refusal names the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "results/reader.h"

namespace connbench::results {
namespace {

constexpr const char* kFile = "fuzz.csv";

void Check(const Status& status) {
  if (!status.ok() && !status.error().message.starts_with(kFile)) std::abort();
}

template <typename Row>
void Read(std::string_view text) {
  Check(ParseCsv<Row>(text, kFile).status());
}

}  // namespace
}  // namespace connbench::results

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::results;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      Read<TrialRow>(text);
      break;
    case 'l':
      Read<LatencyRow>(text);
      break;
    case 'p':
      Read<PhaseRow>(text);
      break;
    case 's':
      Read<TimeseriesRow>(text);
      break;
    case 'm':
      Read<MemoryRow>(text);
      break;
    case 'e':
      Read<ErrorRow>(text);
      break;
    default:
      Check(ParseRunInfo(std::string(text), kFile).status());
  }
  return 0;
}
