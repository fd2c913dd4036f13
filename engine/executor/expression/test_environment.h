// A session's facts for tests: fixed clocks, a chosen time zone, sequences in a map.
//
// Safety: tests only, one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/executor/expression/environment.h"

namespace connbench::engine {

class TestEnvironment : public EvalEnvironment {
 public:
  int64_t TransactionTimestamp() const override { return transaction_timestamp; }
  int64_t StatementTimestamp() const override { return statement_timestamp; }
  const TimeZone& time_zone() const override { return zone ? *zone : TimeZone::Utc(); }
  std::string_view user() const override { return "alice"; }
  std::string_view database() const override { return "bench"; }
  std::string_view version() const override { return "PostgreSQL 15 (test)"; }
  uint32_t connection_id() const override { return 77; }
  Status Sleep(int64_t microseconds) override {
    slept_us += microseconds;
    return interrupt;
  }
  double Random() override { return 0.25; }
  void SetRandomSeed(double value) override { seed = value; }
  Result<int64_t> NextSequenceValue(std::string_view sequence) override {
    return ++sequences[std::string(sequence)];
  }
  Status SetSequenceValue(std::string_view sequence, int64_t value, bool is_called) override {
    sequences[std::string(sequence)] = is_called ? value : value - 1;
    return Status::Ok();
  }
  Result<std::string_view> CurrentSetting(std::string_view name, bool missing_ok,
                                          Arena& arena) override {
    const auto at = settings.find(std::string(name));
    if (at != settings.end()) return arena.Copy(at->second);
    if (missing_ok) return std::string_view();
    return Status::Error(sqlstate::kUndefinedObject,
                         "unrecognized configuration parameter \"" + std::string(name) + "\"");
  }
  Status SetSetting(std::string_view name, std::string_view value, bool) override {
    settings[std::string(name)] = value;
    return Status::Ok();
  }

  std::shared_ptr<const TimeZone> zone;
  int64_t transaction_timestamp = 0;
  int64_t statement_timestamp = 0;
  int64_t slept_us = 0;
  double seed = 0;
  Status interrupt;
  std::map<std::string, int64_t> sequences;
  std::map<std::string, std::string> settings;
};

}  // namespace connbench::engine
