// A stack of its own on which a function runs until it suspends, on one thread.
#include "models/loop/fiber.h"

#include <boost/context/preallocated.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cxxabi.h>

#include <utility>

#include "base/assert.h"

// g++ defines a macro for a sanitizer, clang has a feature of its own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONNBENCH_TELL_ASAN
#elif __has_feature(thread_sanitizer)
#define CONNBENCH_TELL_TSAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CONNBENCH_TELL_ASAN
#endif  // of g++'s ThreadSanitizer models/CMakeLists.txt tells

#if defined(CONNBENCH_TELL_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(CONNBENCH_TELL_TSAN)
#include <sanitizer/tsan_interface.h>

#endif

namespace connbench::models {

Fiber::Fiber(size_t stack_bytes, std::function<void(Fiber&)> body) : body_(std::move(body)) {
  boost::context::protected_fixedsize_stack allocator(stack_bytes);
  stack_ = allocator.allocate();
  const boost::context::preallocated memory(stack_.sp, stack_.size, stack_);
  fiber_ = boost::context::fiber(
      std::allocator_arg, memory, allocator,
      [this](boost::context::fiber&& resumer) { return Enter(std::move(resumer)); });
#if defined(CONNBENCH_TELL_TSAN)
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(CONNBENCH_TELL_TSAN)
  __tsan_destroy_fiber(tsan_fiber_);
#endif
}

void Fiber::Resume() {
  CONNBENCH_ASSERT(static_cast<bool>(fiber_), "a fiber that has ended is not resumed");
  SwapExceptionState();
  BeforeResume();
  fiber_ = std::move(fiber_).resume();
  AfterResume();
  SwapExceptionState();
}

void Fiber::SwapExceptionState() {
  std::swap(exceptions_, *reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals()));
}

void Fiber::Suspend() {
  BeforeSuspend(false);
  resumer_ = std::move(resumer_).resume();
  AfterSuspend();
}

boost::context::fiber Fiber::Enter(boost::context::fiber&& resumer) {
  resumer_ = std::move(resumer);
  AfterSuspend();
  body_(*this);
  BeforeSuspend(true);
  return std::move(resumer_);
}

void Fiber::BeforeResume() {
#if defined(CONNBENCH_TELL_ASAN)
  const auto* top = static_cast<const char*>(stack_.sp);
  __sanitizer_start_switch_fiber(&resumer_fake_stack_, top - stack_.size, stack_.size);
#elif defined(CONNBENCH_TELL_TSAN)
  tsan_resumer_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_fiber_, 0);
#endif
}

void Fiber::AfterResume() {
#if defined(CONNBENCH_TELL_ASAN)
  __sanitizer_finish_switch_fiber(resumer_fake_stack_, nullptr, nullptr);
  // Its first frame was left by a jump, not by a return, and something else may lie there soon.
  if (finished()) {
    __asan_unpoison_memory_region(static_cast<char*>(stack_.sp) - stack_.size, stack_.size);
  }
#endif
}

void Fiber::BeforeSuspend([[maybe_unused]] bool for_good) {
#if defined(CONNBENCH_TELL_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &own_fake_stack_, resumer_stack_bottom_,
                                 resumer_stack_bytes_);
#elif defined(CONNBENCH_TELL_TSAN)
  __tsan_switch_to_fiber(tsan_resumer_, 0);
#endif
}

void Fiber::AfterSuspend() {
#if defined(CONNBENCH_TELL_ASAN)
  __sanitizer_finish_switch_fiber(own_fake_stack_, &resumer_stack_bottom_, &resumer_stack_bytes_);
#endif
}

}  // namespace connbench::models
