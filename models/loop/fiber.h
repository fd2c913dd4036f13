// A stack of its own on which a function runs until it suspends, on one thread: Boost.Context's
// fiber, with what AddressSanitizer and ThreadSanitizer must be told when the stack changes.
//
// Safety: made, resumed and destroyed by one thread, outside of any fiber. The body must have
// returned before the fiber is destroyed.
#pragma once

#include <boost/context/fiber.hpp>

#include <cstddef>
#include <functional>

namespace connbench::models {

class Fiber {
 public:
  // The stack is virtual memory with a guard page: what was never touched costs nothing.
  // Throws std::bad_alloc when there is no memory for it.
  Fiber(size_t stack_bytes, std::function<void(Fiber&)> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From the thread's own stack: runs the body until it suspends or returns.
  void Resume();
  // From within the body: back to whoever resumed.
  void Suspend();
  bool finished() const { return !fiber_; }

 private:
  boost::context::fiber Enter(boost::context::fiber&& resumer);
  void BeforeResume();
  void AfterResume();
  void BeforeSuspend(bool for_good);
  void AfterSuspend();

  // What the C++ runtime knows, by thread, of the exceptions that are being handled: a body may
  // suspend in the middle of that (Itanium C++ ABI, "__cxa_eh_globals").
  struct ExceptionState {
    void* caught = nullptr;
    unsigned uncaught = 0;
  };
  void SwapExceptionState();

  std::function<void(Fiber&)> body_;
  ExceptionState exceptions_;  // the fiber's while it is suspended, its resumer's while it runs
  boost::context::stack_context stack_;
  boost::context::fiber fiber_;
  boost::context::fiber resumer_;
  // Of the sanitizers, null without them.
  [[maybe_unused]] void* resumer_fake_stack_ = nullptr;
  [[maybe_unused]] void* own_fake_stack_ = nullptr;
  [[maybe_unused]] const void* resumer_stack_bottom_ = nullptr;
  [[maybe_unused]] size_t resumer_stack_bytes_ = 0;
  [[maybe_unused]] void* tsan_resumer_ = nullptr;
  [[maybe_unused]] void* tsan_fiber_ = nullptr;
};

}  // namespace connbench::models
