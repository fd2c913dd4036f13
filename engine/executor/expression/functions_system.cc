// What asks the session: names, settings, sequences, other backends.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreText(EvalContext& context, std::string_view text, Value& out) {
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(copy);
  return true;
}
bool StoreInteger(EvalContext& context, Result<int64_t> result, Value& out) {
  if (!result.ok()) return context.Fail(result.TakeStatus());
  out = Value::Integer(*result);
  return true;
}
bool StoreBool(EvalContext& context, Result<bool> result, Value& out) {
  if (!result.ok()) return context.Fail(result.TakeStatus());
  out = Value::Bool(*result);
  return true;
}

bool Version(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreText(context, context.environment->version(), out);
}
bool CurrentUser(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreText(context, context.environment->user(), out);
}
bool CurrentDatabase(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreText(context, context.environment->database(), out);
}
bool CurrentSchema(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreText(context, context.environment->schema(), out);
}
bool BackendPid(EvalContext& context, const Value*, uint32_t, Value& out) {
  out = Value::Integer(static_cast<int32_t>(context.environment->connection_id()));
  return true;
}
bool CancelBackend(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreBool(context, context.environment->CancelBackend(static_cast<int32_t>(a[0].integer)),
                   out);
}
bool TerminateBackend(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreBool(context,
                   context.environment->TerminateBackend(static_cast<int32_t>(a[0].integer)), out);
}
// There are no advisory locks that could be held; poolers give them back by habit.
bool UnlockAdvisory(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Integer(0);
  return true;
}
bool TransactionId(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreInteger(context, context.environment->TransactionId(), out);
}

bool CurrentSetting(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const bool missing_ok = count == 2 && a[1].integer != 0;
  auto setting = context.environment->CurrentSetting(a[0].text(), missing_ok, *context.arena);
  if (!setting.ok()) return context.Fail(setting.TakeStatus());
  out = setting->data() == nullptr ? Value::Null() : Value::Text(*setting);
  return true;
}
bool SetConfig(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].null) {
    return context.Fail(
        Status::Error(sqlstate::kNullValueNotAllowed, "SET requires parameter name"));
  }
  // No text at all resets; an empty one is a value.
  std::string_view value;
  if (!a[1].null) value = a[1].length == 0 ? std::string_view("") : a[1].text();
  const bool local = !a[2].null && a[2].integer != 0;
  if (!context.Check(context.environment->SetSetting(a[0].text(), value, local))) return false;
  auto setting = context.environment->CurrentSetting(a[0].text(), false, *context.arena);
  if (!setting.ok()) return context.Fail(setting.TakeStatus());
  out = Value::Text(*setting);
  return true;
}

bool LastValue(EvalContext& context, const Value*, uint32_t, Value& out) {
  return StoreInteger(context, context.environment->LastSequenceValue(), out);
}

bool IdentityValue(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreInteger(context,
                      context.environment->NextIdentityValue(static_cast<Oid>(a[0].integer)), out);
}
bool SerialSequence(EvalContext& context, const Value* a, uint32_t, Value& out) {
  auto name = context.environment->SerialSequence(a[0].text(), a[1].text(), *context.arena);
  if (!name.ok()) return context.Fail(name.TakeStatus());
  out = name->data() == nullptr ? Value::Null() : Value::Text(*name);
  return true;
}

bool Sleep(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr double kLongestSeconds = 86400.0 * 365 * 100;  // also in nanoseconds, with the clock
  const double seconds = std::isnan(a[0].real) ? 0 : std::fmin(a[0].real, kLongestSeconds);
  const auto us = static_cast<int64_t>(std::ceil(std::fmax(seconds, 0) * 1e6));
  if (!context.Check(context.environment->Sleep(us))) return false;
  out = Value::Integer(0);
  return true;
}

// There are no advisory locks, so that none is held; drivers call this when they reset a
// connection.
bool ReleaseAdvisoryLocks(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Integer(0);
  return true;
}

bool FormatTypeOf(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].null) {
    out = Value::Null();
    return true;
  }
  Type type{static_cast<Oid>(a[0].integer), -1};
  if (!a[1].null) type.modifier = static_cast<int32_t>(a[1].integer);
  if (a[0].integer == 0) return StoreText(context, "-", out);
  // "character" would mean character(1) to whoever reads the modifier, too.
  const bool any_length = type.oid == oid::kBpchar && !a[1].null && type.modifier < 0;
  return StoreText(context, any_length ? "bpchar" : FormatType(type), out);
}

constexpr std::array kSystemRows = {
    FunctionRow("version", {}, oid::kText, Version, kStable),
    FunctionRow("current_user", {}, oid::kName, CurrentUser, kStable),
    FunctionRow("current_role", {}, oid::kName, CurrentUser, kStable),
    FunctionRow("user", {}, oid::kName, CurrentUser, kStable),
    FunctionRow("session_user", {}, oid::kName, CurrentUser, kStable),
    FunctionRow("current_database", {}, oid::kName, CurrentDatabase, kStable),
    FunctionRow("current_catalog", {}, oid::kName, CurrentDatabase, kStable),
    FunctionRow("current_schema", {}, oid::kName, CurrentSchema, kStable),
    FunctionRow("pg_backend_pid", {}, oid::kInt4, BackendPid, kStable),
    FunctionRow("pg_cancel_backend", {oid::kInt4}, oid::kBool, CancelBackend, kVolatile),
    FunctionRow("pg_terminate_backend", {oid::kInt4}, oid::kBool, TerminateBackend, kVolatile),
    FunctionRow("pg_advisory_unlock_all", {}, oid::kVoid, UnlockAdvisory, kVolatile),
    FunctionRow("txid_current", {}, oid::kInt8, TransactionId, kStable),
    FunctionRow("current_setting", {oid::kText}, oid::kText, CurrentSetting, kStable),
    FunctionRow("current_setting", {oid::kText, oid::kBool}, oid::kText, CurrentSetting, kStable),
    CalledOnNull(FunctionRow("set_config", {oid::kText, oid::kText, oid::kBool}, oid::kText,
                             SetConfig, kVolatile)),
    FunctionRow("nextval", {oid::kText}, oid::kInt8, NextSequenceValue, kVolatile),
    FunctionRow("currval", {oid::kText}, oid::kInt8, CurrentSequenceValue, kVolatile),
    FunctionRow("lastval", {}, oid::kInt8, LastValue, kVolatile),
    FunctionRow("setval", {oid::kText, oid::kInt8}, oid::kInt8, SetSequenceValue, kVolatile),
    FunctionRow("setval", {oid::kText, oid::kInt8, oid::kBool}, oid::kInt8, SetSequenceValue,
                kVolatile),
    FunctionRow("pg_get_serial_sequence", {oid::kText, oid::kText}, oid::kText, SerialSequence,
                kStable),
    FunctionRow("pg_sleep", {oid::kFloat8}, oid::kVoid, Sleep, kVolatile),
    FunctionRow("pg_advisory_unlock_all", {}, oid::kVoid, ReleaseAdvisoryLocks, kVolatile),
    CalledOnNull(
        FunctionRow("format_type", {oid::kOid, oid::kInt4}, oid::kText, FormatTypeOf, kStable)),
};

// In no table: a client cannot call it by any name.
constexpr FunctionDescription kIdentityValue =
    FunctionRow("nextval", {oid::kOid}, oid::kInt8, IdentityValue, kVolatile);

}  // namespace

bool NextSequenceValue(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreInteger(context, context.environment->NextSequenceValue(a[0].text()), out);
}
bool CurrentSequenceValue(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreInteger(context, context.environment->CurrentSequenceValue(a[0].text()), out);
}
bool SetSequenceValue(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const bool is_called = count < 3 || a[2].integer != 0;
  if (!context.Check(context.environment->SetSequenceValue(a[0].text(), a[1].integer, is_called))) {
    return false;
  }
  out = a[1];
  return true;
}

std::span<const FunctionDescription> SystemFunctions() { return kSystemRows; }
const FunctionDescription& IdentityValueFunction() { return kIdentityValue; }

}  // namespace connbench::engine
