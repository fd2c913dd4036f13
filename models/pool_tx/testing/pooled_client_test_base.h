// For tests: a pool with real backends, and clients that are written message by message.
//
// Safety: one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/testing/pool_rig.h"
#include "models/testing/raw_client.h"

namespace connbench::models::testing {

class PooledClientTest : public ::testing::Test {
 protected:
  void Open(PoolMode mode, int backends) { Open(PoolLimits{.mode = mode}, backends); }
  void Open(const PoolLimits& limits, int backends, int reserve = 0) {
    rig_.reset();
    rig_ = std::make_unique<PoolRig>(limits, backends, reserve);
  }
  void OpenWith(PoolRig::Backend backend) {
    rig_.reset();
    rig_ = std::make_unique<PoolRig>(PoolLimits{}, 1, 0, std::move(backend));
  }
  std::unique_ptr<RawClient> Client(std::string_view user = "somebody",
                                    std::vector<protocol::NameValue> parameters = {}) {
    auto client = std::make_unique<RawClient>(rig_->path());
    EXPECT_TRUE(client->Start(user, std::move(parameters)));
    return client;
  }
  // Runs a simple query; the types of what is answered.
  static std::string Run(RawClient& client, std::string_view sql) {
    client.Send(Query(sql));
    return client.Until('Z');
  }
  static std::string Value(RawClient& client, std::string_view sql) {
    EXPECT_EQ(Run(client, sql), "TDCZ") << client.error_code();
    return client.first_value();
  }
  // Executes a statement that the client has prepared.
  static std::string Use(RawClient& client, std::string_view statement) {
    client.Send(Bind("", statement) + Execute("") + Sync());
    return client.Until('Z');
  }

  std::unique_ptr<PoolRig> rig_;
};

}  // namespace connbench::models::testing
