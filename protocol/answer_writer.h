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

  void ParameterDescription(std::span<const Oid> types) override;
  void RowDescription(std::span<const ColumnDescription> columns,
                      std::span<const WireFormat> formats) override;
  void NoData() override;
  Status DataRow(std::span<const WireValue> values) override;
  void CommandComplete(std::string_view tag) override;
  void EmptyQuery() override;
  void PortalSuspended() override;
  void CopyInResponse(WireFormat format, int columns) override;
  void CopyOutResponse(WireFormat format, int columns) override;
  Status CopyData(std::string_view bytes) override;
  void CopyDone() override;
  void Notice(std::string_view severity, const ErrorInfo& notice) override;
  void ParameterStatus(std::string_view name, std::string_view value) override;

  // Whole messages that somebody else has written. Waits for the client only while more than
  // kRelayedAnswerBytes are not sent, and for patience_ns at most while it takes none of them.
  Status Relay(std::string_view messages, int64_t patience_ns);
  // Sends what the client takes at once.
  Status FlushSome();

  bool client_gone() const { return client_gone_; }

 private:
  void CopyResponse(char type, WireFormat format, int columns);
  Status FlushIfLarge();
  Status FlushDownTo(size_t keep, int64_t patience_ns);

  std::string* out_;
  OutputChannel* channel_;
  size_t relay_flush_at_ = 0;  // Relay() tries to send when so much is there
  bool client_gone_ = false;
};

}  // namespace connbench::protocol
