// connbench verify: reads a data directory, all of it, and says what is wrong there.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "base/exit_code.h"
#include "base/parse_arguments.h"
#include "base/print_error.h"
#include "engine/verify_data.h"
#include "harness/cli/command.h"

namespace connbench::cli {
namespace {

// What is named cannot be looked at, or what is wrong lies elsewhere.
ExitCode CodeOf(const Status& status) {
  const bool unusable = status.code() == sqlstate::kObjectInUse ||
                        status.code() == sqlstate::kConfigFileError ||
                        status.code() == sqlstate::kIoError;
  return unusable ? kExitUsage : kExitErrors;
}

int Verify(const std::string& folder) {
  const Result<engine::VerifiedData> verified =
      engine::VerifyData(engine::KernelFiles(), folder,
                         [](const Status& damage) { fmt::print("{}\n", damage.error().message); });
  if (!verified.ok()) {
    return PrintError("connbench verify", verified.status(), CodeOf(verified.status()));
  }
  if (verified->damages > 0) {
    fmt::print(
        "{}: {} found damaged\n", folder,
        verified->damages == 1 ? "1 place was" : fmt::format("{} places were", verified->damages));
    return kExitErrors;
  }
  fmt::print(
      "{}: sound; {} pages in checkpoint {}, {} records in {} log files since, {} tables "
      "with {} indexes; {}\n",
      folder, verified->checkpoint_pages, verified->checkpoint_number, verified->log_records,
      verified->log_files, verified->tables, verified->indexes,
      verified->shut_down ? "the server was shut down"
                          : "the server was not shut down, the next start recovers");
  return kExitOk;
}

}  // namespace

CommandMain ConfigureVerify(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  app.add_option("--data", *folder, "the data directory of a server that does not run")
      ->required()
      ->check(RefuseEmpty)
      ->type_name("DIR");
  return [folder] { return Verify(*folder); };
}

}  // namespace connbench::cli
