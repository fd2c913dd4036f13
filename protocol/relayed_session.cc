#include "protocol/relayed_session.h"

namespace connbench::protocol {
namespace {

Status TakesMessagesWhole() {
  return Status::Error(sqlstate::kInternalError, "a relayed session takes its messages whole");
}

}  // namespace

using engine::Progress;
using engine::ResultSink;

Result<Progress> RelayedSession::Query(std::string_view /*sql*/, ResultSink& /*sink*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::Parse(std::string_view /*statement*/, std::string_view /*sql*/,
                             std::span<const engine::Oid> /*types*/, ResultSink& /*sink*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::Bind(std::string_view /*portal*/, std::string_view /*statement*/,
                            std::span<const engine::WireFormat> /*parameter_formats*/,
                            std::span<const engine::WireValue> /*parameters*/,
                            std::span<const engine::WireFormat> /*result_formats*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::DescribeStatement(std::string_view /*statement*/, ResultSink& /*sink*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::DescribePortal(std::string_view /*portal*/, ResultSink& /*sink*/) {
  return TakesMessagesWhole();
}
Result<Progress> RelayedSession::Execute(std::string_view /*portal*/, int64_t /*max_rows*/,
                                         ResultSink& /*sink*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::CloseStatement(std::string_view /*statement*/) {
  return TakesMessagesWhole();
}
Status RelayedSession::ClosePortal(std::string_view /*portal*/) { return TakesMessagesWhole(); }
Status RelayedSession::Sync(ResultSink& /*sink*/) { return TakesMessagesWhole(); }
Status RelayedSession::CopyInData(std::string_view /*bytes*/) { return TakesMessagesWhole(); }
Result<Progress> RelayedSession::CopyInDone(ResultSink& /*sink*/) { return TakesMessagesWhole(); }
Status RelayedSession::CopyInFail(std::string_view /*reason*/) { return TakesMessagesWhole(); }

}  // namespace connbench::protocol
