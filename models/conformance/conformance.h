// What the conformance tests have in common: every test runs once for each row of models.def,
// against a real server (supervisor, processes, sockets) of that model.
//
// A file is a theme and has a fixture of its own, which it instantiates with
// INSTANTIATE_TEST_SUITE_P(Models, Theme, EveryModel(), ModelName).
//
// Safety: a test's main thread; the program has no other threads, because servers are forked from
// it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "models/model_list.h"
#include "models/testing/test_client.h"
#include "models/testing/test_server.h"

namespace connbench::models {

void PrintTo(const ModelDescription& model, std::ostream* out);

namespace testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Every process carries the sanitizer's shadow memory, and everything takes several times longer.
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Two of whatever a model has to serve sessions with, if that is less than one for each of them.
extern const std::vector<std::string> kFewWorkers;

// Runs until it is interrupted.
inline constexpr std::string_view kLongQuery =
    "select count(*) from generate_series(1, 2000000000)";

class Conformance : public ::testing::TestWithParam<ModelDescription> {
 protected:
  // Skips what this machine's kernel cannot run; that the model says so at its start is held to it
  // by missing_features_test.cc.
  void SetUp() override;
  // The canned engine answers every query with a row "1": what the model alone can be held to.
  static ServerOptions Options(std::vector<std::string> settings = {});
  // The query engine: what needs statements, locks or transactions.
  static ServerOptions RealOptions(std::vector<std::string> settings = {});
  // A server that cannot serve a new client is broken, whatever else it did.
  static void ExpectServes(const TestServer& server);
};

// Creates the table "counter" with one row, (1, 0).
void MakeCounter(int port);
// One statement that takes that row's lock.
inline constexpr std::string_view kIncrement = "update counter set value = value + 1 where id = 1";
// The table, and its row locked by a transaction of this client's, which has not started yet.
void MakeAndLockCounter(int port, TestClient& holder);

// The number by which others know the session that serves this client now. In the poolers it is not
// the client's own, and stays the same only within a transaction.
std::string BackendId(TestClient& client);
// Waits until so many sessions wait for a lock.
void WaitForLockWaits(const TestServer& server, int sessions);

inline auto EveryModel() { return ::testing::ValuesIn(AllModels().begin(), AllModels().end()); }
std::string ModelName(const ::testing::TestParamInfo<ModelDescription>& tested);

}  // namespace testing
}  // namespace connbench::models
