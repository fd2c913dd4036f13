// The fields of Bind, the one message with arrays in it, read into buffers that are used again.
//
// Safety: private memory; one thread at a time. Values and names are views of the message.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/session.h"
#include "protocol/codec.h"

namespace connbench::protocol {

struct BindMessage {
  std::string_view portal;
  std::string_view statement;
  std::vector<WireFormat> parameter_formats;
  std::vector<WireValue> parameters;
  std::vector<WireFormat> result_formats;
  bool has_names = false;  // portal and statement could be read, whatever stands behind them

  // 08P01 for a malformed body. Formats are as the client wrote them: what is neither text nor
  // binary is for the session to refuse, once a value needs it. Allocates only what a message holds
  // more of than all before it.
  Status Read(std::string_view body);
  // Gives arrays back that one large message has blown up.
  void Trim();
  size_t retained_bytes() const;
};

// 08P01 as PostgreSQL words it, for a reader that did not end where its message ends.
Status MalformedMessage(const MessageReader& reader);

}  // namespace connbench::protocol
