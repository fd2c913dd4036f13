// The fixture of the tests of a started session: a connection to the scripted engine of
// protocol/testing/fake_session.h. Used by the test programs of this folder only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"
#include "protocol/testing/fake_session.h"

namespace connbench::protocol {

inline constexpr const char* kRow = "T n 25 -1 -1 0";  // the description of the statement "row"

class ServerSessionTest : public testing::Test {
 protected:
  void SetUp() override { connection_.Start(); }

  std::vector<std::string> Query(std::string_view sql) {
    std::string bytes;
    AppendQuery(bytes, sql);
    return connection_.Send(bytes);
  }
  std::vector<std::string>& calls() { return connection_.engine.state.calls; }

  FakeConnection connection_;
};

}  // namespace connbench::protocol
