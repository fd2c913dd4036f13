// A process that the kernel refuses a system call, as an older kernel does.
#include "models/testing/denied_call.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace connbench::models::testing {
namespace {

struct Expectation {
  size_t offset;  // in seccomp_data
  uint32_t value;
};

constexpr size_t ArgumentOffset(int argument) {
  // The lower half of a 64-bit number, on a machine with the lower half first.
  return offsetof(seccomp_data, args) + static_cast<size_t>(argument) * sizeof(uint64_t);
}

void DenyIfAll(std::span<const Expectation> expectations, int error) {
  std::vector<sock_filter> filter;
  for (size_t i = 0; i < expectations.size(); ++i) {
    // Over the rest, and over the denial.
    const auto to_end = static_cast<uint8_t>(2 * (expectations.size() - i) - 1);
    filter.push_back(
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(expectations[i].offset)));
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, expectations[i].value, 0, to_end));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog program = {static_cast<uint16_t>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::abort();
  }
}

}  // namespace

void DenyCall(int call, int error) {
  const Expectation expectations[] = {{offsetof(seccomp_data, nr), static_cast<uint32_t>(call)}};
  DenyIfAll(expectations, error);
}

void DenySocketOption(int level, int option, int error) {
  const Expectation expectations[] = {{offsetof(seccomp_data, nr), SYS_setsockopt},
                                      {ArgumentOffset(1), static_cast<uint32_t>(level)},
                                      {ArgumentOffset(2), static_cast<uint32_t>(option)}};
  DenyIfAll(expectations, error);
}

}  // namespace connbench::models::testing
