// Feeds arbitrary bytes to every type's text and binary input. What is accepted must survive a
// round trip: its text, read again, compares equal and prints the same; so does its binary form.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/executor/arena.h"
#include "engine/executor/types/type_io.h"

namespace connbench::engine {
namespace {

void Require(bool holds, Oid oid, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "type %u, text \"%.*s\"\n", oid, static_cast<int>(text.size()), text.data());
  std::abort();
}

void CheckRoundTrip(Oid oid, const Value& value, const IoContext& io) {
  const Type type{oid, -1};
  std::string_view text;
  Require(FormatText(oid, value, io, text).ok(), oid, "(formatting failed)");
  // PostgreSQL cannot read the shortest interval that it prints either.
  if (text.find("-2562047788:00:54.775808") != std::string_view::npos) return;
  Value again;
  Require(ParseText(type, text, io, again).ok(), oid, text);
  Require(CompareValues(oid, value, again) == 0, oid, text);
  Require(HashValue(oid, value) == HashValue(oid, again), oid, text);
  std::string_view text_again;
  Require(FormatText(oid, again, io, text_again).ok() && text == text_again, oid, text);
  std::string_view binary;
  Require(FormatBinary(oid, value, io, binary).ok(), oid, text);
  Require(ParseBinary(type, binary, io, again).ok(), oid, text);
  Require(CompareValues(oid, value, again) == 0, oid, text);
}

void Check(const TypeInfo& type, std::string_view bytes) {
  if (type.form == ValueForm::kNone || type.catalog_only) return;  // no client gives such values
  Arena arena(int64_t{16} << 20);
  const IoContext io{&arena, nullptr, 0};
  Value value;
  if (ValidateUtf8(bytes).ok() && ParseText({type.oid, -1}, bytes, io, value).ok()) {
    CheckRoundTrip(type.oid, value, io);
  }
  if (ParseBinary({type.oid, -1}, bytes, io, value).ok() && type.oid != type_oid::kRegtype) {
    CheckRoundTrip(type.oid, value, io);
  }
  if (ValidateUtf8(bytes).ok()) {
    // Modifiers cut, pad and round; they must not read beyond the value.
    for (const int32_t modifier : {5, 9, (10 << 16 | 2) + 4}) {
      (void)ParseText({type.oid, modifier}, bytes, io, value);
    }
  }
}

}  // namespace
}  // namespace connbench::engine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::engine;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const TypeInfo& type : AllTypes()) Check(type, bytes);
  return 0;
}
