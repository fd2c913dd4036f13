// The messages themselves: builders for what a client sends and for what a server answers, and
// readers for what a client must understand. Each is one function; the caller owns the buffer.
//
// Safety: pure functions; any thread. Readers take a Message's body and return false when it is
// malformed. Views they give point into that body.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "base/wire_value.h"
#include "engine/session.h"
#include "protocol/codec.h"

namespace connbench::protocol {

// --- client to server ---

using NameValue = std::pair<std::string_view, std::string_view>;

void AppendStartup(std::string& out, std::span<const NameValue> parameters,
                   uint32_t version = kProtocolVersion3);
void AppendSslRequest(std::string& out);
void AppendCancelRequest(std::string& out, uint32_t connection_id, uint32_t key);
void AppendQuery(std::string& out, std::string_view sql);
void AppendParse(std::string& out, std::string_view statement, std::string_view sql,
                 std::span<const Oid> parameter_types = {});
// Parameters in text form, results in one format.
void AppendBind(std::string& out, std::string_view portal, std::string_view statement,
                std::span<const WireValue> parameters,
                WireFormat result_format = WireFormat::kText);
void AppendDescribeStatement(std::string& out, std::string_view statement);
void AppendDescribePortal(std::string& out, std::string_view portal);
void AppendExecute(std::string& out, std::string_view portal, int32_t max_rows = 0);
void AppendCloseStatement(std::string& out, std::string_view statement);
void AppendClosePortal(std::string& out, std::string_view portal);
inline void AppendSync(std::string& out) { AppendEmptyMessage(out, frontend::kSync); }
inline void AppendFlush(std::string& out) { AppendEmptyMessage(out, frontend::kFlush); }
inline void AppendTerminate(std::string& out) { AppendEmptyMessage(out, frontend::kTerminate); }
void AppendCopyData(std::string& out, std::string_view bytes);  // either direction
inline void AppendCopyDone(std::string& out) { AppendEmptyMessage(out, frontend::kCopyDone); }
void AppendCopyFail(std::string& out, std::string_view reason);

void AppendPassword(std::string& out, std::string_view password);
void AppendSaslInitialResponse(std::string& out, std::string_view mechanism,
                               std::string_view response);
void AppendSaslResponse(std::string& out, std::string_view response);

// --- server to client ---

void AppendAuthenticationOk(std::string& out);
void AppendAuthenticationCleartextPassword(std::string& out);
void AppendAuthenticationSasl(std::string& out, std::span<const std::string_view> mechanisms);
// method: kAuthenticationSaslContinue or kAuthenticationSaslFinal.
void AppendAuthenticationSaslData(std::string& out, int32_t method, std::string_view data);
void AppendBackendKeyData(std::string& out, uint32_t connection_id, uint32_t key);
void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value);
void AppendReadyForQuery(std::string& out, engine::TransactionStatus status);
// severity is "ERROR", "FATAL" or "PANIC"; "WARNING", "NOTICE", ... for notices.
void AppendErrorResponse(std::string& out, std::string_view severity, const ErrorInfo& error);
void AppendNoticeResponse(std::string& out, std::string_view severity, const ErrorInfo& notice);
// newest is a whole version (kProtocolVersion3), as PostgreSQL sends it.
void AppendNegotiateProtocolVersion(std::string& out, uint32_t newest,
                                    std::span<const std::string_view> unknown_options);

// --- what a client reads ---

struct ErrorFields {
  std::string_view severity;
  std::string_view code;
  std::string_view message;
  std::string_view detail;
  std::string_view hint;
  std::string_view context;
  std::string_view position;
};
// ErrorResponse or NoticeResponse.
bool ReadErrorFields(std::string_view body, ErrorFields& fields);
bool ReadBackendKeyData(std::string_view body, uint32_t& connection_id, uint32_t& key);
bool ReadParameterStatus(std::string_view body, std::string_view& name, std::string_view& value);
bool ReadReadyForQuery(std::string_view body, engine::TransactionStatus& status);

}  // namespace connbench::protocol
