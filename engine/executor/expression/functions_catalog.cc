// What asks the catalog: names and definitions of objects, visibility, sizes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreCatalogText(EvalContext& context, Result<std::string_view> text, Value& out) {
  if (!text.ok()) return context.Fail(text.TakeStatus());
  out = text->data() == nullptr ? Value::Null() : Value::Text(*text);
  return true;
}
bool StoreCopy(EvalContext& context, std::string_view text, Value& out) {
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(copy);
  return true;
}
Oid OidOf(const Value& value) { return static_cast<Oid>(value.integer); }

// ---- names and definitions ----

bool UserById(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreCatalogText(
      context,
      context.environment->DescribeObject(CatalogText::kRoleName, OidOf(a[0]), *context.arena),
      out);
}

bool IndexDefinition(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  EvalEnvironment& environment = *context.environment;
  const auto column = count > 1 ? static_cast<int>(a[1].integer) : 0;
  if (column != 0) {
    return StoreCatalogText(context, environment.IndexColumn(OidOf(a[0]), column, *context.arena),
                            out);
  }
  // "Pretty" leaves the schema out where the table is found without it.
  const bool pretty = count > 2 && a[2].integer != 0;
  const CatalogText what =
      pretty ? CatalogText::kIndexDefinition : CatalogText::kQualifiedIndexDefinition;
  return StoreCatalogText(context, environment.DescribeObject(what, OidOf(a[0]), *context.arena),
                          out);
}

bool ConstraintDefinition(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreCatalogText(context,
                          context.environment->DescribeObject(CatalogText::kConstraintDefinition,
                                                              OidOf(a[0]), *context.arena),
                          out);
}

bool StoreViewDefinition(EvalContext& context, Oid view, bool pretty, Value& out) {
  const CatalogText what =
      pretty ? CatalogText::kPrettyViewDefinition : CatalogText::kViewDefinition;
  return StoreCatalogText(context, context.environment->DescribeObject(what, view, *context.arena),
                          out);
}

bool ViewDefinition(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  return StoreViewDefinition(context, OidOf(a[0]), count > 1 && a[1].integer != 0, out);
}
// The same of a view that is named.
bool NamedViewDefinition(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const Result<Oid> view = context.environment->FindRelation(a[0].text());
  if (!view.ok()) return context.Fail(view.status());
  return StoreViewDefinition(context, *view, count > 1 && a[1].integer != 0, out);
}

bool RuleDefinition(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreCatalogText(context,
                          context.environment->DescribeObject(CatalogText::kRuleDefinition,
                                                              OidOf(a[0]), *context.arena),
                          out);
}

// There are no comments on objects.
bool NoDescription(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Null();
  return true;
}

bool IsVisible(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Result<std::optional<bool>> visible = context.environment->RelationIsVisible(OidOf(a[0]));
  if (!visible.ok()) return context.Fail(visible.TakeStatus());
  out = *visible ? Value::Bool(**visible) : Value::Null();
  return true;
}
// All types are in pg_catalog.
bool TypeIsVisible(EvalContext&, const Value* a, uint32_t, Value& out) {
  const bool known = GetType(OidOf(a[0])).oid != oid::kInvalid;
  out = known ? Value::Bool(true) : Value::Null();
  return true;
}

bool ToRegclass(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Result<Oid> relation = context.environment->FindRelation(a[0].text());
  if (relation.ok()) {
    out = Value::Integer(*relation);
    return true;
  }
  const std::string_view code = relation.status().code();
  const bool missing = code == sqlstate::kUndefinedTable || code == sqlstate::kInvalidSchemaName;
  if (!missing) return context.Fail(relation.TakeStatus());
  out = Value::Null();
  return true;
}

bool QuoteIdentifier(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return StoreCopy(context, QuoteIfNeeded(a[0].text()), out);
}

// ---- sequences by their oid ----

template <FunctionImplementation kByName>
bool OfSequence(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  constexpr uint32_t kMostArguments = 3;
  std::array<Value, kMostArguments> arguments;
  std::copy_n(a, count, arguments.begin());
  Result<std::string_view> name = context.environment->RelationName(OidOf(a[0]), *context.arena);
  if (!name.ok()) return context.Fail(name.TakeStatus());
  if (name->data() == nullptr) {
    return context.Fail(
        Status::Error(sqlstate::kUndefinedTable,
                      fmt::format("could not open relation with OID {}", OidOf(a[0]))));
  }
  arguments[0] = Value::Text(*name);
  return kByName(context, arguments.data(), count, out);
}

// ---- sizes ----

template <RelationPart kPart>
bool RelationSize(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Result<std::optional<int64_t>> bytes = context.environment->RelationBytes(OidOf(a[0]), kPart);
  if (!bytes.ok()) return context.Fail(bytes.TakeStatus());
  out = *bytes ? Value::Integer(**bytes) : Value::Null();
  return true;
}

// As PostgreSQL: from 10 units of a kind on in the next larger kind, halves rounded away from zero.
bool SizePretty(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr std::string_view kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  constexpr int64_t kMostInUnit = 10 * 1024;
  constexpr int64_t kMostInHalfUnits = 20 * 1024 - 1;
  int64_t size = a[0].integer;
  size_t unit = 0;
  const auto magnitude = [](int64_t n) {
    return n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
  };
  if (magnitude(size) >= kMostInUnit) {
    size /= 512;  // twice the kilobytes: the lowest bit is the half
    unit = 1;
    while (unit + 1 < std::size(kUnits) && magnitude(size) >= kMostInHalfUnits) {
      size /= 1024;
      ++unit;
    }
    size = (size + (size < 0 ? -1 : 1)) / 2;
  }
  return StoreCopy(context, fmt::format("{} {}", size, kUnits[unit]), out);
}

// ---- other ----

bool EncodingOfNumber(EvalContext&, const Value* a, uint32_t, Value& out) {
  constexpr int64_t kSqlAscii = 0;
  constexpr int64_t kUtf8 = 6;
  const int64_t encoding = a[0].integer;
  return StoreView(encoding == kSqlAscii ? "SQL_ASCII" : encoding == kUtf8 ? "UTF8" : "", out);
}

bool SearchedSchemas(EvalContext& context, const Value* a, uint32_t, Value& out) {
  ArrayWriter schemas(oid::kName, *context.arena);
  if (a[0].integer != 0) schemas.Add(Value::Text("pg_catalog"));
  schemas.Add(Value::Text("public"));
  return context.Check(schemas.Finish(out));
}
// There are no partitions.
bool NoAncestors(EvalContext& context, const Value*, uint32_t, Value& out) {
  return context.Check(ArrayWriter(oid::kRegclass, *context.arena).Finish(out));
}
// There are no publications.
bool NoPublication(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Bool(false);
  return true;
}
bool NotInRecovery(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Bool(false);
  return true;
}

template <bool kEqual>
bool SameXids(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool((a[0].integer == a[1].integer) == kEqual);
  return true;
}

constexpr std::array kCatalogRows = {
    OperatorRow("=", {oid::kXid, oid::kXid}, oid::kBool, SameXids<true>, OperatorMeaning::kEqual),
    OperatorRow("<>", {oid::kXid, oid::kXid}, oid::kBool, SameXids<false>,
                OperatorMeaning::kNotEqual),
    FunctionRow("pg_get_userbyid", {oid::kOid}, oid::kName, UserById, kStable),
    FunctionRow("pg_get_indexdef", {oid::kOid}, oid::kText, IndexDefinition, kStable),
    FunctionRow("pg_get_indexdef", {oid::kOid, oid::kInt4, oid::kBool}, oid::kText, IndexDefinition,
                kStable),
    FunctionRow("pg_get_viewdef", {oid::kOid}, oid::kText, ViewDefinition, kStable),
    FunctionRow("pg_get_viewdef", {oid::kOid, oid::kBool}, oid::kText, ViewDefinition, kStable),
    FunctionRow("pg_get_viewdef", {oid::kText}, oid::kText, NamedViewDefinition, kStable),
    FunctionRow("pg_get_viewdef", {oid::kText, oid::kBool}, oid::kText, NamedViewDefinition,
                kStable),
    FunctionRow("pg_get_ruledef", {oid::kOid}, oid::kText, RuleDefinition, kStable),
    FunctionRow("pg_get_ruledef", {oid::kOid, oid::kBool}, oid::kText, RuleDefinition, kStable),
    FunctionRow("pg_get_constraintdef", {oid::kOid}, oid::kText, ConstraintDefinition, kStable),
    FunctionRow("pg_get_constraintdef", {oid::kOid, oid::kBool}, oid::kText, ConstraintDefinition,
                kStable),
    // The catalog holds expressions as SQL text.
    FunctionRow("pg_get_expr", {oid::kPgNodeTree, oid::kOid}, oid::kText, SameValue, kStable),
    FunctionRow("pg_get_expr", {oid::kPgNodeTree, oid::kOid, oid::kBool}, oid::kText, SameValue,
                kStable),
    FunctionRow("obj_description", {oid::kOid}, oid::kText, NoDescription, kStable),
    FunctionRow("obj_description", {oid::kOid, oid::kName}, oid::kText, NoDescription, kStable),
    FunctionRow("shobj_description", {oid::kOid, oid::kName}, oid::kText, NoDescription, kStable),
    FunctionRow("col_description", {oid::kOid, oid::kInt4}, oid::kText, NoDescription, kStable),
    FunctionRow("pg_table_is_visible", {oid::kOid}, oid::kBool, IsVisible, kStable),
    FunctionRow("pg_type_is_visible", {oid::kOid}, oid::kBool, TypeIsVisible, kStable),
    FunctionRow("quote_ident", {oid::kText}, oid::kText, QuoteIdentifier),
    FunctionRow("to_regclass", {oid::kText}, oid::kRegclass, ToRegclass, kStable),
    FunctionRow("nextval", {oid::kRegclass}, oid::kInt8, OfSequence<NextSequenceValue>, kVolatile),
    FunctionRow("currval", {oid::kRegclass}, oid::kInt8, OfSequence<CurrentSequenceValue>,
                kVolatile),
    FunctionRow("setval", {oid::kRegclass, oid::kInt8}, oid::kInt8, OfSequence<SetSequenceValue>,
                kVolatile),
    FunctionRow("setval", {oid::kRegclass, oid::kInt8, oid::kBool}, oid::kInt8,
                OfSequence<SetSequenceValue>, kVolatile),
    FunctionRow("pg_relation_size", {oid::kRegclass}, oid::kInt8,
                RelationSize<RelationPart::kTable>, kVolatile),
    FunctionRow("pg_table_size", {oid::kRegclass}, oid::kInt8, RelationSize<RelationPart::kTable>,
                kVolatile),
    FunctionRow("pg_indexes_size", {oid::kRegclass}, oid::kInt8,
                RelationSize<RelationPart::kIndexes>, kVolatile),
    FunctionRow("pg_total_relation_size", {oid::kRegclass}, oid::kInt8,
                RelationSize<RelationPart::kAll>, kVolatile),
    FunctionRow("pg_size_pretty", {oid::kInt8}, oid::kText, SizePretty),
    FunctionRow("pg_encoding_to_char", {oid::kInt4}, oid::kName, EncodingOfNumber, kStable),
    FunctionRow("current_schemas", {oid::kBool}, oid::kNameArray, SearchedSchemas, kStable),
    FunctionRow("pg_get_statisticsobjdef_columns", {oid::kOid}, oid::kText, NoDescription, kStable),
    FunctionRow("pg_relation_is_publishable", {oid::kRegclass}, oid::kBool, NoPublication, kStable),
    ReturnsSet(FunctionRow("pg_partition_ancestors", {oid::kRegclass}, oid::kRegclassArray,
                           NoAncestors, kStable)),
    FunctionRow("pg_get_triggerdef", {oid::kOid}, oid::kText, NoDescription, kStable),
    FunctionRow("pg_get_triggerdef", {oid::kOid, oid::kBool}, oid::kText, NoDescription, kStable),
    FunctionRow("pg_is_in_recovery", {}, oid::kBool, NotInRecovery, kVolatile),
};

}  // namespace

std::span<const FunctionDescription> CatalogFunctions() { return kCatalogRows; }

}  // namespace connbench::engine
