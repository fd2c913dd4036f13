// For tests of sessions: an engine in this process, sessions on it, and answers as strings.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"

namespace connbench::engine {

// Remembers all that a session says, one line each.
class CollectingSink : public ResultSink {
 public:
  void ParameterDescription(std::span<const Oid> types) override;
  void RowDescription(std::span<const ColumnDescription> columns,
                      std::span<const WireFormat> formats) override;
  void NoData() override { Say("no data"); }
  Status DataRow(std::span<const WireValue> values) override;
  void CommandComplete(std::string_view tag) override { Say(std::string(tag)); }
  void EmptyQuery() override { Say("empty query"); }
  void PortalSuspended() override { Say("suspended"); }
  void CopyInResponse(WireFormat format, int columns) override;
  void CopyOutResponse(WireFormat format, int columns) override;
  Status CopyData(std::string_view bytes) override;
  void CopyDone() override { Say("copy done"); }
  void Notice(std::string_view severity, const ErrorInfo& notice) override;
  void ParameterStatus(std::string_view name, std::string_view value) override;

  std::vector<std::string> lines;    // everything, in order
  std::vector<std::string> rows;     // of DataRow: fields joined by '|', SQL NULL as <null>
  std::vector<std::string> columns;  // of the last RowDescription: "name:type oid"
  std::string copied;

 private:
  void Say(std::string line) { lines.push_back(std::move(line)); }
};

// A client: one session and the answers to its last request.
class TestSession {
 public:
  // Only "postgres" is a superuser.
  explicit TestSession(Engine& engine, std::vector<StartupParameter> parameters = {},
                       std::string user = "tester");

  // Runs sql by the simple protocol. What it answered, errors included, as lines joined by '\n';
  // rows without their description. COPY FROM STDIN takes copy_data.
  std::string Run(std::string_view sql, std::string_view copy_data = {});
  // Only the rows, joined by ' '; a failed statement gives "ERROR ...".
  std::string Rows(std::string_view sql);
  // The error's "SQLSTATE position message", or "ok".
  std::string Error(std::string_view sql);
  // Parse, Bind, Execute, Sync of the unnamed statement with text parameters.
  std::string Extended(std::string_view sql, const std::vector<std::string>& parameters);

  Session& session() { return *session_; }
  const CollectingSink& last() const { return sink_; }
  CollectingSink& sink() { return sink_; }
  static std::string ErrorText(const Status& status);

 private:
  BlockingWaiter waiter_;
  std::unique_ptr<Session> session_;
  CollectingSink sink_;
};

class SqlTest : public ::testing::Test {
 protected:
  SqlTest();
  static EngineConfig SmallConfig();
  // What a_ is told about sql: code and message, detail, hint, as lines; "ok" if nothing is wrong.
  std::string FullError(std::string_view sql);

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TestSession> a_;  // two clients
  std::unique_ptr<TestSession> b_;
};

}  // namespace connbench::engine
