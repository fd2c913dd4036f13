// Settings that concern the server's processes as such, not a model.
#include "models/process_settings.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/cpu_list.h"

namespace connbench::models {
namespace {

constexpr const char* kPreload = "LD_PRELOAD";

struct AllocatorLibrary {
  const char* file;
  const char* symbol;  // that only it has
  const char* package;
};

// In the order of Allocator, without glibc's.
constexpr AllocatorLibrary kLibraries[] = {
    {"libjemalloc.so.2", "mallctl", "libjemalloc2"},
    {"libtcmalloc_minimal.so.4", "tc_version", "libtcmalloc-minimal4"},
    {"libmimalloc.so.2.0", "mi_version", "libmimalloc2.0"},
};

}  // namespace

Status ExecWithAllocator(const ModelSettings& settings, char** argv) {
  if (settings.allocator == static_cast<int64_t>(Allocator::kGlibc)) return {};
  const AllocatorLibrary& library = kLibraries[settings.allocator - 1];
  if (dlsym(RTLD_DEFAULT, library.symbol) != nullptr) return {};
  const char* before = std::getenv(kPreload);
  const std::string preload = before == nullptr ? "" : before;
  if (preload.find(library.file) != std::string::npos) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("the allocator's library {} is not installed", library.file))
        .WithHint(
            fmt::format("Install the Debian package {}, or set allocator=glibc.", library.package));
  }
  const std::string libraries = preload.empty() ? library.file : library.file + (":" + preload);
  setenv(kPreload, libraries.c_str(), 1);
  execv("/proc/self/exe", argv);
  return Status::System("cannot start the server again with its allocator", errno);
}

Status ApplyProcessSettings(const ModelSettings& settings) {
  if (!settings.cpu_affinity.empty()) {
    CONNBENCH_RETURN_IF_ERROR(PinToCpus(settings.cpu_affinity));
  }
  if (settings.malloc_arenas == 0) return {};
  if (settings.allocator != static_cast<int64_t>(Allocator::kGlibc)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "malloc_arenas is a setting of glibc's allocator, and allocator names "
                         "another")
        .WithHint("Leave one of the two out.");
  }
  mallopt(M_ARENA_MAX, static_cast<int>(settings.malloc_arenas));
  // For programs that the server executes: fork-exec's backends.
  setenv("MALLOC_ARENA_MAX", std::to_string(settings.malloc_arenas).c_str(), 1);
  return {};
}

}  // namespace connbench::models
