// How a command says what is wrong.
#include "base/print_error.h"

#include <fmt/format.h>

#include <cstdio>

namespace connbench {

int PrintError(std::string_view who, const Status& status, ExitCode code) {
  const ErrorInfo& error = status.error();
  fmt::print(stderr, "{}: {}\n", who, error.message);
  if (!error.detail.empty()) fmt::print(stderr, "{}: detail: {}\n", who, error.detail);
  if (!error.context.empty()) fmt::print(stderr, "{}: context: {}\n", who, error.context);
  if (!error.hint.empty()) fmt::print(stderr, "{}: hint: {}\n", who, error.hint);
  return code;
}

std::string WithSqlstate(const Status& status) {
  return fmt::format("{} [{}]", status.ToString(), status.code());
}

}  // namespace connbench
