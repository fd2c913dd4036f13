// Checks names.
#include "harness/workload/name.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace connbench::load {

Status CheckName(std::string_view name, std::string_view what) {
  const bool is_path = name.find('/') != std::string_view::npos || name.starts_with('.');
  const std::string shown = Printable(name);
  if (!name.empty() && name.size() <= kMaxNameBytes && !is_path && shown == name) {
    return Status::Ok();
  }
  return Status::Error(sqlstate::kInvalidName,
                       fmt::format("\"{}\" cannot be the name of a {}", shown, what))
      .WithHint(fmt::format(
          "A name has 1 to {} bytes of text without \"/\" and does not begin with \".\".",
          kMaxNameBytes));
}

}  // namespace connbench::load
