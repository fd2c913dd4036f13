// What expressions may ask of the session they run in.
#include "engine/executor/expression/environment.h"

#include <fmt/format.h>

namespace connbench::engine {
namespace {

Status NotOffered(std::string_view what) {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       fmt::format("{} is not supported here", what));
}

}  // namespace

Status EvalEnvironment::Sleep(int64_t) { return NotOffered("pg_sleep"); }
Result<int64_t> EvalEnvironment::NextSequenceValue(std::string_view) {
  return NotOffered("nextval");
}
Result<int64_t> EvalEnvironment::NextIdentityValue(Oid) { return NotOffered("identity"); }
Result<std::string_view> EvalEnvironment::SerialSequence(std::string_view, std::string_view,
                                                         Arena&) {
  return NotOffered("pg_get_serial_sequence");
}
Result<int64_t> EvalEnvironment::CurrentSequenceValue(std::string_view) {
  return NotOffered("currval");
}
Result<int64_t> EvalEnvironment::LastSequenceValue() { return NotOffered("lastval"); }
Status EvalEnvironment::SetSequenceValue(std::string_view, int64_t, bool) {
  return NotOffered("setval");
}
Result<std::string_view> EvalEnvironment::DescribeObject(CatalogText, Oid, Arena&) {
  return NotOffered("a function of the catalog");
}
Result<std::string_view> EvalEnvironment::IndexColumn(Oid, int, Arena&) {
  return NotOffered("pg_get_indexdef");
}
Result<std::optional<bool>> EvalEnvironment::RelationIsVisible(Oid) {
  return NotOffered("pg_table_is_visible");
}
Result<std::optional<int64_t>> EvalEnvironment::RelationBytes(Oid, RelationPart) {
  return NotOffered("the size of a relation");
}
Result<std::string_view> EvalEnvironment::CurrentSetting(std::string_view, bool, Arena&) {
  return NotOffered("current_setting");
}
Status EvalEnvironment::SetSetting(std::string_view, std::string_view, bool) {
  return NotOffered("set_config");
}
Result<bool> EvalEnvironment::CancelBackend(int32_t) { return NotOffered("pg_cancel_backend"); }
Result<bool> EvalEnvironment::TerminateBackend(int32_t) {
  return NotOffered("pg_terminate_backend");
}
Result<int64_t> EvalEnvironment::TransactionId() { return NotOffered("txid_current"); }

}  // namespace connbench::engine
