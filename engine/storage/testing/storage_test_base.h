// What the storage tests share, beyond storage_world.h: matching of statuses.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "engine/storage/testing/storage_world.h"

namespace connbench::engine {

// A message for ASSERT_TRUE(Ok(status)).
inline ::testing::AssertionResult Ok(const Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << status.ToString();
}
template <typename T>
::testing::AssertionResult Ok(const Result<T>& result) {
  return Ok(result.status());
}

}  // namespace connbench::engine
