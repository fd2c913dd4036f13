// Turns a session's answers into messages, straight into the output buffer; when that holds more
// than kOutputFlushBytes it is sent on, so that an answer of any size needs bounded memory.
//
// Safety: private memory of one process; used by one thread at a time, like the ServerSession that
// owns it. Both references must outlive it.
//
// Errors: when the channel says that the client is gone, every further row is refused with that
// error; client_gone() tells the owner to close.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/session.h"
#include "protocol/server_session.h"

namespace connbench::protocol {

class AnswerWriter final : public engine::ResultSink {
 public:
  AnswerWriter(std::string& out, OutputChannel& channel) : out_(&out), channel_(&channel) {}

  // From now on to there: the connection has become an encrypted one.
  void Redirect(std::string& out, OutputChannel& channel) {
    out_ = &out;
    channel_ = &channel;
  }

  void ParameterDescription(std::span<const engine::Oid> types) override;
  void RowDescription(std::span<const engine::ColumnDescription> columns,
                      std::span<const engine::WireFormat> formats) override;
  void NoData() override;
  Status DataRow(std::span<const engine::WireValue> values) override;
  void CommandComplete(std::string_view tag) override;
  void EmptyQuery() override;
  void PortalSuspended() override;
  void CopyInResponse(engine::WireFormat format, int columns) override;
  void CopyOutResponse(engine::WireFormat format, int columns) override;
  Status CopyData(std::string_view bytes) override;
  void CopyDone() override;
  void Notice(std::string_view severity, const ErrorInfo& notice) override;
  void ParameterStatus(std::string_view name, std::string_view value) override;

  // Whole messages that somebody else has written.
  Status Relay(std::string_view messages);

  bool client_gone() const { return client_gone_; }

 private:
  void CopyResponse(char type, engine::WireFormat format, int columns);
  Status FlushIfLarge();

  std::string* out_;
  OutputChannel* channel_;
  bool client_gone_ = false;
};

}  // namespace connbench::protocol
