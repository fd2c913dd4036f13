// CONNBENCH_ASSERT(condition, why): a precondition that a header states, or what code is sure of.
//
// A breach is a mistake in this program, never in its input: it prints the place and aborts. On in
// the debug, sanitizer and fuzz builds; in the release build the condition is compiled, but not
// evaluated, so it may not have side effects.
//
// Safety: any thread of any process. Makes no allocation.
#pragma once

namespace connbench {

// Says what was expected and where, and aborts. why: what the caller should have seen to.
[[noreturn]] [[gnu::cold]] void AssertionFailed(const char* file, int line, const char* condition,
                                                const char* why);

#ifdef CONNBENCH_ASSERTIONS
inline constexpr bool kAssertionsOn = true;
#else
inline constexpr bool kAssertionsOn = false;
#endif

}  // namespace connbench

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): a function would not know the place and the text.
#define CONNBENCH_ASSERT(condition, why)                                     \
  do {                                                                       \
    if constexpr (::connbench::kAssertionsOn) {                              \
      if (!(condition)) [[unlikely]] {                                       \
        ::connbench::AssertionFailed(__FILE__, __LINE__, #condition, (why)); \
      }                                                                      \
    }                                                                        \
  } while (false)
