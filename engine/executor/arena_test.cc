// Tests: a bump arena: memory that is given back all at once, with a limit.
#include "engine/executor/arena.h"

#include <gtest/gtest.h>

namespace connbench::engine {
namespace {

TEST(Arena, HoldsNothingUntilItIsUsed) {
  Arena arena;
  EXPECT_EQ(arena.bytes_held(), 0);
  arena.Reset();
  EXPECT_EQ(arena.bytes_held(), 0);
}

TEST(Arena, KeepsOneSmallChunkAcrossResets) {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) ASSERT_NE(arena.Allocate(100), nullptr);
    EXPECT_GE(arena.bytes_held(), 100'000);
    arena.Reset();
    EXPECT_EQ(arena.bytes_held(), static_cast<int64_t>(Arena::kFirstChunkBytes));
  }
  arena.Release();
  EXPECT_EQ(arena.bytes_held(), 0);
}

TEST(Arena, AlignsAndSeparates) {
  Arena arena;
  char* byte = arena.AllocateBytes(1);
  auto* number = arena.New<int64_t>(42);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(number) % alignof(int64_t), 0u);
  *byte = 'x';
  EXPECT_EQ(*number, 42);
  const std::string_view copy = arena.Copy("text");
  EXPECT_EQ(copy, "text");
  void* wide = arena.Allocate(16, 256);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide) % 256, 0u);
}

TEST(Arena, RefusesWhatExceedsItsLimit) {
  Arena arena(64 * 1024);
  int64_t given = 0;
  while (arena.Allocate(1000) != nullptr) given += 1000;
  EXPECT_GT(given, 50'000);
  EXPECT_LE(arena.bytes_held(), 64 * 1024);
  const Status status = arena.OutOfMemory();
  EXPECT_EQ(status.code(), sqlstate::kOutOfMemory);
  EXPECT_EQ(status.error().message, "out of memory");
  EXPECT_NE(status.error().detail.find("65536"), std::string::npos);
  EXPECT_EQ(arena.Allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(arena.NewArray<int64_t>(SIZE_MAX / 4).data(), nullptr);
  arena.Reset();
  EXPECT_NE(arena.Allocate(1000), nullptr);
}

TEST(Arena, MovesItsMemory) {
  Arena arena;
  const std::string_view text = arena.Copy("kept");
  Arena other = std::move(arena);
  EXPECT_EQ(text, "kept");
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is what is tested
  EXPECT_EQ(arena.bytes_held(), 0);
  EXPECT_GT(other.bytes_held(), 0);
}

}  // namespace
}  // namespace connbench::engine
