// A session whose messages are run by somebody else: what a pooler's Engine::StartSession() returns.
// ServerSession does for it what belongs to the client's connection (startup, authentication,
// framing, deadlines, the end), and hands every message on as it came instead of decoding it.
//
// Safety: as engine::Session. Errors: RelayFinish() returns a fatal Status when the connection must
// end; everything else is in the answers.
#pragma once

#include <string_view>

#include "engine/session.h"
#include "protocol/answer_writer.h"

namespace connbench::protocol {

class RelayedSession : public engine::Session {
 public:
  // A whole message, any but Terminate and CopyData.
  virtual void RelayMessage(char type, std::string_view body) = 0;
  // The bytes of a CopyData message as they come, its header first.
  virtual void RelayCopyData(std::string_view bytes) = 0;
  // Everything that was received has been relayed: has it run, and writes what is answered. May
  // block as the model blocks.
  virtual Status RelayFinish(AnswerWriter& answers) = 0;

  // What remains of engine::Session is never called for a session that takes messages whole; each
  // answers with an internal error (XX000).
  Result<engine::Progress> Query(std::string_view sql, engine::ResultSink& sink) final;
  Status Parse(std::string_view statement, std::string_view sql,
               std::span<const engine::Oid> parameter_types, engine::ResultSink& sink) final;
  Status Bind(std::string_view portal, std::string_view statement,
              std::span<const engine::WireFormat> parameter_formats,
              std::span<const engine::WireValue> parameters,
              std::span<const engine::WireFormat> result_formats) final;
  Status DescribeStatement(std::string_view statement, engine::ResultSink& sink) final;
  Status DescribePortal(std::string_view portal, engine::ResultSink& sink) final;
  Result<engine::Progress> Execute(std::string_view portal, int64_t max_rows,
                                   engine::ResultSink& sink) final;
  Status CloseStatement(std::string_view statement) final;
  Status ClosePortal(std::string_view portal) final;
  Status Sync(engine::ResultSink& sink) final;
  Status CopyInData(std::string_view bytes) final;
  Result<engine::Progress> CopyInDone(engine::ResultSink& sink) final;
  Status CopyInFail(std::string_view reason) final;
  void FailTransaction() final {}
};

}  // namespace connbench::protocol
