// A small blocking SQL client for set-up work: fill tables, ask a question, check a sum. Never used
// for load. Simple query protocol over TCP or a Unix socket.
//
// Safety: one thread at a time. Errors: the server's own (with its SQLSTATE), or 08001/08006 for
// the connection; every wait ends at the timeout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/load/endpoint.h"

namespace connbench::load {

struct SqlResult {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::string tag;  // of the last statement: "INSERT 0 1"
};

// What a server says beside its answers: "NOTICE", "WARNING", ...
struct SqlNotice {
  std::string severity;
  std::string message;
};
// A server that says more is not listened to.
inline constexpr size_t kMaxNotices = 1000;

class SqlClient {
 public:
  static Result<std::unique_ptr<SqlClient>> Connect(const Endpoint& endpoint,
                                                    int64_t timeout_ns = 10 *
                                                                         kNanosecondsPerSecond);
  ~SqlClient();

  // One query string, which may hold several statements; rows are those of the last that has any.
  Result<SqlResult> Query(std::string_view sql, int64_t timeout_ns = 600 * kNanosecondsPerSecond);
  // First column of the first row.
  Result<std::string> QueryValue(std::string_view sql);

  // Those since the last call.
  std::vector<SqlNotice> TakeNotices();

  // From ParameterStatus; empty if it was not sent.
  std::string ServerParameter(std::string_view name) const;
  uint32_t connection_id() const;

 private:
  class Impl;
  explicit SqlClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace connbench::load
