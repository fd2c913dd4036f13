// What a parallel worker must know to run its part of the leader's plan: the statement, and all
// that planning and evaluating it depend on. The worker plans the statement itself, because a plan
// is made of pointers; fingerprint tells whether it made the same plan.
//
// Safety: a plain value in private memory; Write() and Read() turn it into bytes and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/transaction/types.h"

namespace connbench::engine {

struct ParallelJob {
  // The statement: its text, and which of the text's statements it is.
  std::string sql;
  uint32_t statement = 0;
  // Which Gather of its plan, and the fingerprint of what is below it.
  uint32_t gather = 0;
  uint64_t fingerprint = 0;

  bool takes_parameters = false;
  std::vector<uint32_t> parameter_types;
  std::string parameters;  // a row of those types

  // The leader's session.
  std::string user;
  std::string database;
  uint32_t role = 0;
  bool superuser = false;
  std::vector<std::pair<std::string, std::string>> startup;   // what RESET goes back to
  std::vector<std::pair<std::string, std::string>> settings;  // what differs from the defaults

  // Its transaction and statement.
  IsolationLevel isolation = IsolationLevel::kReadCommitted;
  bool read_only = false;
  int64_t transaction_start_us = 0;
  int64_t statement_start_us = 0;  // as SQL tells it
  Csn csn = kInvalidCsn;
  CommandId command = kFirstCommandId;
  BackendNumber backend = kNoBackend;

  std::string Write() const;
  // None: the bytes are not those of a job, which is a defect.
  static std::optional<ParallelJob> Read(std::string_view bytes);
};

}  // namespace connbench::engine
