// How an attempt to connect ended. The list is outcome.def.
//
// Safety: pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace connbench::load {

enum class ConnectOutcome : uint8_t {
#define CONNECT_OUTCOME(enumerator, name, meaning) enumerator,
#include "harness/load/outcome.def"
#undef CONNECT_OUTCOME
};

inline constexpr std::array kConnectOutcomeNames = {
#define CONNECT_OUTCOME(enumerator, name, meaning) std::string_view(name),
#include "harness/load/outcome.def"
#undef CONNECT_OUTCOME
};
inline constexpr std::array kConnectOutcomeMeanings = {
#define CONNECT_OUTCOME(enumerator, name, meaning) std::string_view(meaning),
#include "harness/load/outcome.def"
#undef CONNECT_OUTCOME
};
inline constexpr size_t kConnectOutcomes = kConnectOutcomeNames.size();

inline std::string_view Name(ConnectOutcome outcome) {
  return kConnectOutcomeNames[static_cast<size_t>(outcome)];
}
std::optional<ConnectOutcome> ConnectOutcomeByName(std::string_view name);

// What a failed connect(), or a broken socket during startup, means.
ConnectOutcome OutcomeOfErrno(int error);
// What an ErrorResponse during startup means.
ConnectOutcome OutcomeOfSqlstate(std::string_view code);

}  // namespace connbench::load
