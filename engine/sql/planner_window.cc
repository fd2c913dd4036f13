// WINDOW and OVER: what the windows of a query mean.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/casts.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// PostgreSQL's FRAMEOPTION_..., which the parser gives.
enum FrameOption : int32_t {
  kFrameClause = 0x1,
  kRange = 0x2,
  kRows = 0x4,
  kGroups = 0x8,
  kEndUnboundedFollowing = 0x100,
  kStartCurrentRow = 0x200,
  kEndCurrentRow = 0x400,
  kStartOffsetPreceding = 0x800,
  kEndOffsetPreceding = 0x1000,
  kStartOffsetFollowing = 0x2000,
  kEndOffsetFollowing = 0x4000,
  kExcludeCurrentRow = 0x8000,
  kExcludeGroup = 0x10000,
  kExcludeTies = 0x20000,
};
constexpr int32_t kDefaultFrame = 0x422;

WindowFrame ReadFrame(int32_t options) {
  WindowFrame frame;
  const auto has = [options](int32_t option) { return (options & option) != 0; };
  frame.mode = has(kRows)     ? FrameMode::kRows
               : has(kGroups) ? FrameMode::kGroups
                              : FrameMode::kRange;
  frame.start = has(kStartCurrentRow)        ? FrameBound::kCurrentRow
                : has(kStartOffsetPreceding) ? FrameBound::kOffsetPreceding
                : has(kStartOffsetFollowing) ? FrameBound::kOffsetFollowing
                                             : FrameBound::kUnboundedPreceding;
  frame.end = has(kEndUnboundedFollowing) ? FrameBound::kUnboundedFollowing
              : has(kEndOffsetPreceding)  ? FrameBound::kOffsetPreceding
              : has(kEndOffsetFollowing)  ? FrameBound::kOffsetFollowing
                                          : FrameBound::kCurrentRow;
  frame.exclusion = has(kExcludeCurrentRow) ? FrameExclusion::kCurrentRow
                    : has(kExcludeGroup)    ? FrameExclusion::kGroup
                    : has(kExcludeTies)     ? FrameExclusion::kTies
                                            : FrameExclusion::kNone;
  return frame;
}

std::string_view ModeName(FrameMode mode) {
  switch (mode) {
    case FrameMode::kRows:
      return "ROWS";
    case FrameMode::kGroups:
      return "GROUPS";
    default:
      return "RANGE";
  }
}

// The types of offsets in RANGE over a column of the type; empty: there are none.
std::span<const Oid> RangeOffsetTypes(Oid ordered) {
  static constexpr Oid kIntegers[] = {type_oid::kInt8, type_oid::kInt4, type_oid::kInt2};
  static constexpr Oid kReal[] = {type_oid::kFloat8};
  static constexpr Oid kNumeric[] = {type_oid::kNumeric};
  switch (ordered) {
    case type_oid::kInt2:
    case type_oid::kInt4:
      return kIntegers;
    case type_oid::kInt8:
      return std::span(kIntegers).first(1);
    case type_oid::kFloat4:
    case type_oid::kFloat8:
      return kReal;
    case type_oid::kNumeric:
      return kNumeric;
    default:
      return {};
  }
}

}  // namespace

Status Planner::AnalyzeWindows(Query& query) {
  // Window definitions have no window functions, so their number stays.
  const auto definitions = query.analyzer->windows();
  query.windows.reserve(definitions.size());
  for (const PgQuery__WindowDef* definition : definitions) {
    Window window;
    CONNBENCH_RETURN_IF_ERROR(AnalyzeWindow(*definition, query, window));
    query.windows.push_back(std::move(window));
  }
  return {};
}

// In PostgreSQL's order, which decides which of several errors is reported.
Status Planner::AnalyzeWindow(const PgQuery__WindowDef& definition, Query& query, Window& window) {
  const auto error = [&](std::string_view code, std::string message) {
    return Status::Error(code, std::move(message), builder_.PositionOf(definition.location));
  };
  const auto find = [&query](std::string_view name) {
    return std::find_if(query.windows.begin(), query.windows.end(),
                        [name](const Window& each) { return each.name == name; });
  };
  window.name = definition.name;
  const std::string_view refers_to = definition.refname;
  if (!window.name.empty() && find(window.name) != query.windows.end()) {
    return error(sqlstate::kWindowingError,
                 fmt::format("window \"{}\" is already defined", window.name));
  }
  const auto referred = refers_to.empty() ? query.windows.end() : find(refers_to);
  if (!refers_to.empty() && referred == query.windows.end()) {
    return error(sqlstate::kUndefinedObject,
                 fmt::format("window \"{}\" does not exist", refers_to));
  }
  ExpressionAnalyzer& analyzer = *query.analyzer;
  CONNBENCH_ASSIGN_OR_RETURN(window.order, AnalyzeWindowOrder(definition, analyzer));
  CONNBENCH_ASSIGN_OR_RETURN(window.partition,
                             AnalyzePartition(definition, window.order, analyzer));
  if (referred != query.windows.end()) {
    CONNBENCH_RETURN_IF_ERROR(CopyWindow(definition, *referred, window));
  }
  return AnalyzeFrame(definition, analyzer, window);
}

Result<std::vector<Planner::WindowKey>> Planner::AnalyzeWindowOrder(
    const PgQuery__WindowDef& definition, ExpressionAnalyzer& analyzer) {
  std::vector<WindowKey> keys;
  for (const ast::Node* node : ast::List(definition.order_clause, definition.n_order_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
      return NotSupported("ORDER BY ... USING", ast::LocationOf(*node));
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * key,
                               analyzer.Analyze(*sort.node, "window ORDER BY", true));
    CONNBENCH_ASSIGN_OR_RETURN(key, builder_.ResolveUnknown(key));
    CONNBENCH_RETURN_IF_ERROR(builder_.RequireOrder(key->type, ast::LocationOf(*sort.node)));
    // What is in order already orders nothing further.
    if (FindKey(keys, *key) == nullptr) {
      keys.push_back({key, ast::IsDescending(sort), ast::PutsNullsFirst(sort)});
    }
  }
  return keys;
}

Result<std::vector<Planner::WindowKey>> Planner::AnalyzePartition(
    const PgQuery__WindowDef& definition, std::span<const WindowKey> order,
    ExpressionAnalyzer& analyzer) {
  std::vector<WindowKey> keys;
  for (const ast::Node* node :
       ast::List(definition.partition_clause, definition.n_partition_clause)) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * key,
                               analyzer.Analyze(*node, "window PARTITION BY", true));
    CONNBENCH_ASSIGN_OR_RETURN(key, builder_.ResolveUnknown(key));
    CONNBENCH_RETURN_IF_ERROR(builder_.RequireOrder(key->type, ast::LocationOf(*node)));
    if (FindKey(keys, *key) != nullptr) continue;
    const WindowKey* const ordered = FindKey(order, *key);
    keys.push_back(ordered != nullptr ? *ordered : WindowKey{key});
  }
  return keys;
}

Status Planner::CopyWindow(const PgQuery__WindowDef& definition, const Window& referred,
                           Window& window) {
  const auto error = [&](std::string_view what) {
    return Status::Error(sqlstate::kWindowingError,
                         fmt::format(fmt::runtime(what), definition.refname),
                         builder_.PositionOf(definition.location));
  };
  if (!window.partition.empty()) {
    return error("cannot override PARTITION BY clause of window \"{}\"");
  }
  window.partition = referred.partition;
  const bool has_order = !window.order.empty();
  if (has_order && !referred.order.empty()) {
    return error("cannot override ORDER BY clause of window \"{}\"");
  }
  if (!has_order) window.order = referred.order;
  if (!referred.has_frame_clause) return {};
  Status copied = error("cannot copy window \"{}\" because it has a frame clause");
  const bool says_more =
      !window.name.empty() || has_order || definition.frame_options != kDefaultFrame;
  return says_more ? std::move(copied)
                   : std::move(copied).WithHint("Omit the parentheses in this OVER clause.");
}

// ---- frames ----

Status Planner::AnalyzeFrame(const PgQuery__WindowDef& definition, ExpressionAnalyzer& analyzer,
                             Window& window) {
  window.frame = ReadFrame(definition.frame_options);
  window.has_frame_clause = definition.frame_options != kDefaultFrame;
  const bool has_offset = definition.start_offset != nullptr || definition.end_offset != nullptr;
  const auto error = [&](std::string message) {
    return Status::Error(sqlstate::kWindowingError, std::move(message),
                         builder_.PositionOf(definition.location));
  };
  if (window.frame.mode == FrameMode::kRange && has_offset && window.order.size() != 1) {
    return error("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column");
  }
  if (window.frame.mode == FrameMode::kGroups && window.order.empty()) {
    return error("GROUPS mode requires an ORDER BY clause");
  }
  if (definition.start_offset != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(window.frame.start_offset,
                               AnalyzeFrameOffset(*definition.start_offset, analyzer, window));
  }
  if (definition.end_offset != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(window.frame.end_offset,
                               AnalyzeFrameOffset(*definition.end_offset, analyzer, window));
  }
  return {};
}

Result<Expression*> Planner::AnalyzeFrameOffset(const ast::Node& node, ExpressionAnalyzer& analyzer,
                                                const Window& window) {
  const FrameMode mode = window.frame.mode;
  const std::string_view name = ModeName(mode);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * offset,
                             analyzer.Analyze(node, fmt::format("window {}", name)));
  if (mode == FrameMode::kRange) {
    CONNBENCH_ASSIGN_OR_RETURN(
        offset,
        CoerceRangeOffset(offset, window.order[0].expression->type.oid, ast::LocationOf(node)));
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(offset, builder_.CoerceToBigint(offset, name));
  }
  const Expression* column = nullptr;
  ForEachColumn(*offset, [&column](const Expression& each) {
    if (column == nullptr) column = &each;
  });
  if (column == nullptr) return offset;
  return Status::Error(sqlstate::kInvalidColumnReference,
                       fmt::format("argument of {} must not contain variables", name),
                       builder_.PositionOf(column->location));
}

Result<Expression*> Planner::CoerceRangeOffset(Expression* offset, Oid ordered, int location) {
  const Oid given = offset->type.oid;
  const auto refuse = [&](std::string_view what, std::string_view hint) {
    Status status = Status::Error(sqlstate::kFeatureNotSupported,
                                  fmt::format("RANGE with offset PRECEDING/FOLLOWING {}", what),
                                  builder_.PositionOf(location));
    return hint.empty() ? status : std::move(status).WithHint(std::string(hint));
  };
  // That of varchar is text's.
  const Oid column = ordered == type_oid::kVarchar ? type_oid::kText : ordered;
  const bool is_time = column == type_oid::kDate || column == type_oid::kTimestamp ||
                       column == type_oid::kTimestamptz;
  const std::span<const Oid> types = RangeOffsetTypes(column);
  const std::string column_type = FormatType({column, -1});
  if (types.empty() && (!is_time || given == type_oid::kUnknown)) {
    return refuse(fmt::format("is not supported for column type {}", column_type), "");
  }
  const Oid preferred = given == type_oid::kUnknown ? column : given;
  Oid selected = type_oid::kInvalid;
  size_t matches = 0;
  for (const Oid type : types) {
    if (!CanCoerce(given, type, CoercionContext::kImplicit)) continue;
    ++matches;
    if (selected != preferred) selected = type;
  }
  const std::string both =
      fmt::format("for column type {} and offset type {}", column_type, FormatType({given, -1}));
  if (matches == 0) {
    return refuse("is not supported " + both, "Cast the offset value to an appropriate type.");
  }
  if (matches != 1 && selected != preferred) {
    return refuse("has multiple interpretations " + both,
                  "Cast the offset value to the exact intended type.");
  }
  return builder_.CoerceImplicitly(offset, {selected, -1});
}

}  // namespace connbench::engine
