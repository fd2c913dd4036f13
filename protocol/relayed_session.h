// A client whose messages are run elsewhere: what a pooler gives a ServerSession in place of an
// engine's session. ServerSession does what belongs to the client's connection (startup,
// authentication, framing, deadlines, the end), and hands every message on instead of decoding it.
//
// Messages are handed on whole, so that the one who runs them never depends on where the client's
// bytes were cut. Only CopyData comes in pieces: a COPY is a stream of bytes, in which the ends of
// its messages mean nothing.
//
// Safety: as engine::Session. Each call may write answers and may block as the model blocks.
// Errors: a fatal Status when the connection must end; everything else is in the answers.
#pragma once

#include <memory>
#include <string_view>

#include "engine/session.h"
#include "protocol/answer_writer.h"

namespace connbench::protocol {

class RelayedSession : public engine::SessionStanding {
 public:
  // A whole message, any but Terminate and CopyData.
  virtual Status RelayMessage(char type, std::string_view body, AnswerWriter& answers) = 0;
  // Bytes of CopyData, without any header.
  virtual Status RelayCopyData(std::string_view bytes, AnswerWriter& answers) = 0;
  // Everything that was received has been relayed: waits for what is still to be answered. Also
  // called when nothing was received, to pass on what came unasked.
  virtual Status RelayFinish(AnswerWriter& answers) = 0;
};

// Who runs them: a pooler.
class RelayHost {
 public:
  virtual ~RelayHost() = default;
  // Errors as engine::Engine::StartSession().
  virtual Result<std::unique_ptr<RelayedSession>> StartRelay(engine::SessionOptions options) = 0;
  // A CancelRequest. Does nothing unless the id and the key belong together.
  virtual void CancelRelay(uint32_t connection_id, uint32_t cancel_key) = 0;
};

}  // namespace connbench::protocol
