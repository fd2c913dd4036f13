// Tests: a stack of its own on which a function runs until it suspends, on one thread.
#include "models/loop/fiber.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace connbench::models {
namespace {

constexpr size_t kStackBytes = 256 << 10;

TEST(Fiber, RunsUntilItSuspendsOrReturns) {
  std::string order;
  Fiber fiber(kStackBytes, [&](Fiber& self) {
    order += "b";
    self.Suspend();
    order += "d";
  });
  order += "a";
  fiber.Resume();
  order += "c";
  EXPECT_FALSE(fiber.finished());
  fiber.Resume();
  order += "e";
  EXPECT_TRUE(fiber.finished());
  EXPECT_EQ(order, "abcde");
}

TEST(Fiber, ManyKeepTheirStacksApart) {
  constexpr int kFibers = 50;
  constexpr int kRounds = 20;
  std::vector<int> sums(kFibers);
  std::vector<std::unique_ptr<Fiber>> fibers;
  for (int i = 0; i < kFibers; ++i) {
    fibers.push_back(std::make_unique<Fiber>(kStackBytes, [i, &sums](Fiber& self) {
      volatile int on_stack[1000];  // pages of its own
      for (int& value : const_cast<int(&)[1000]>(on_stack)) value = i;
      for (int round = 0; round < kRounds; ++round) {
        self.Suspend();
        sums[i] += on_stack[(round * 47) % 1000];
      }
    }));
  }
  for (int round = 0; round <= kRounds; ++round) {
    for (const auto& fiber : fibers) fiber->Resume();
  }
  for (int i = 0; i < kFibers; ++i) {
    EXPECT_TRUE(fibers[i]->finished());
    EXPECT_EQ(sums[i], i * kRounds);
  }
}

// Each stack has exceptions of its own, also in the middle of handling one.
TEST(Fiber, ExceptionsStayOnTheirStack) {
  std::string caught;
  const auto body = [&caught](const char* name) {
    return [&caught, name](Fiber& self) {
      try {
        self.Suspend();
        throw std::runtime_error(name);
      } catch (const std::runtime_error& error) {
        self.Suspend();
        caught += error.what();
      }
    };
  };
  Fiber first(kStackBytes, body("first "));
  Fiber second(kStackBytes, body("second "));
  for (int i = 0; i < 3; ++i) {
    first.Resume();
    second.Resume();
  }
  EXPECT_TRUE(first.finished() && second.finished());
  EXPECT_EQ(caught, "first second ");
}

}  // namespace
}  // namespace connbench::models
