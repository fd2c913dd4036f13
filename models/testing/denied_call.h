// For tests: a process that the kernel refuses a system call, as an older kernel does, or the
// seccomp filter of a container.
//
// Safety: in the child that is to be confined; its children are, too, and nobody can undo it.
#pragma once

namespace connbench::models::testing {

// The call fails with this errno from now on.
void DenyCall(int call, int error);
// setsockopt() does, for this option.
void DenySocketOption(int level, int option, int error);

}  // namespace connbench::models::testing
