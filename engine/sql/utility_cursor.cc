// Cursors: a portal that SQL makes and reads, forward only.

#include <fmt/format.h>

#include <cstdint>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

// Of PostgreSQL's DECLARE CURSOR; the parse tree has them as one number.
constexpr int32_t kBinaryCursor = 0x01;
constexpr int32_t kScrollCursor = 0x02;
constexpr int32_t kNoScrollCursor = 0x04;
constexpr int32_t kInsensitiveCursor = 0x08;
constexpr int32_t kAsensitiveCursor = 0x10;
constexpr int32_t kHoldCursor = 0x20;

Status NoSuchCursor(std::string_view cursor) {
  return Status::Error(sqlstate::kInvalidCursorName,
                       fmt::format("cursor \"{}\" does not exist", cursor));
}

Status CheckCursorOptions(int32_t options) {
  const auto refuse = [](std::string_view one, std::string_view other) {
    return Status::Error(sqlstate::kInvalidCursorDefinition,
                         fmt::format("cannot specify both {} and {}", one, other));
  };
  const auto has = [options](int32_t both) { return (options & both) == both; };
  if (has(kScrollCursor | kNoScrollCursor)) return refuse("SCROLL", "NO SCROLL");
  if (has(kInsensitiveCursor | kAsensitiveCursor)) return refuse("ASENSITIVE", "INSENSITIVE");
  return {};
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunDeclareCursor(
    const std::shared_ptr<const ParseTree>& tree, const PgQuery__Node& statement,
    const UtilityInput& input) {
  const PgQuery__DeclareCursorStmt& declare = *statement.declare_cursor_stmt;
  const std::string& sql = tree->sql();
  const int location = ast::LocationOf(*declare.query);
  CONNBENCH_RETURN_IF_ERROR(CheckCursorOptions(declare.options));
  if ((declare.options & kScrollCursor) != 0) {
    return ast::NotSupported(sql, "a cursor that scrolls", location);
  }
  if ((declare.options & kHoldCursor) != 0) {
    return ast::NotSupported(sql, "a cursor WITH HOLD", location);
  }
  if ((declare.options & kBinaryCursor) != 0) {
    return ast::NotSupported(sql, "a BINARY cursor", location);
  }
  const std::string_view name = declare.portalname;
  if (name.empty()) {
    return Status::Error(sqlstate::kInvalidCursorName, "invalid cursor name: must not be empty");
  }
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("DECLARE CURSOR"));
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->kind = PreparedStatement::Kind::kPlanned;
  prepared->sql_level = true;
  prepared->sql = sql;
  while (&tree->statement(prepared->index) != &statement) ++prepared->index;
  prepared->parameters =
      input.parameter_types == nullptr ? ParameterTypes::None() : *input.parameter_types;
  CONNBENCH_ASSIGN_OR_RETURN(
      prepared->plan, PlanStatement(planning_context(), sql, *declare.query, prepared->parameters));
  CONNBENCH_RETURN_IF_ERROR(prepared->plan->constant_error);
  const bool locks = declare.query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                     declare.query->select_stmt->n_locking_clause > 0;
  if (locks && (declare.options & kInsensitiveCursor) != 0) {
    return Status::Error(sqlstate::kInvalidCursorDefinition,
                         "DECLARE INSENSITIVE CURSOR ... FOR UPDATE is not valid")
        .WithDetail("Insensitive cursors must be READ ONLY.");
  }
  const auto [at, inserted] = portals_.try_emplace(std::string(name), std::make_unique<Portal>());
  if (!inserted) {
    return Status::Error(sqlstate::kDuplicateCursor,
                         fmt::format("cursor \"{}\" already exists", name));
  }
  Portal& portal = *at->second;
  portal.parameter_arena.set_interrupts(this);
  portal.level = transaction_.savepoint_level();
  portal.no_scroll = (declare.options & kNoScrollCursor) != 0;
  portal.statement = std::move(prepared);
  const std::span<const Oid> types = portal.statement->parameters.types();
  for (size_t i = 0; i < input.parameters.size(); ++i) {
    Value value = input.parameters[i];
    if (!value.null && GetType(types[i]).form == ValueForm::kBytes) {
      const std::string_view copy = portal.parameter_arena.Copy(value.text());
      if (copy.data() == nullptr) return portal.parameter_arena.OutOfMemory();
      value = Value::Text(copy);
    }
    portal.parameters.push_back(value);
  }
  CONNBENCH_RETURN_IF_ERROR(OpenPortal(portal));
  CONNBENCH_RETURN_IF_ERROR(TakePortalSnapshot(portal, *portal.plan));
  CONNBENCH_RETURN_IF_ERROR(CheckAccess(*portal.plan));
  return Outcome{"DECLARE CURSOR"};
}

Result<int64_t> RealSession::MoveForward(Portal& portal, int64_t rows,
                                         std::span<const WireFormat> formats, ResultSink* sink) {
  if (portal.state == Portal::State::kDone || rows == 0) return 0;
  if (portal.state == Portal::State::kReady) {
    CONNBENCH_RETURN_IF_ERROR(OpenPortal(portal));
    CONNBENCH_RETURN_IF_ERROR(StartPortal(portal));
  }
  int64_t moved = 0;
  while (moved < rows) {
    const Value* row = nullptr;
    const Step step = NextRow(portal, /*limited=*/true, row);
    if (step == Step::kError) return std::move(portal.execution.eval.status);
    if (step == Step::kDone) {
      portal.state = Portal::State::kDone;
      portal.plan->root->Close(portal.execution);
      if (portal.plan->writes) transaction_.AdvanceCommand();
      return moved;
    }
    ++portal.position;
    ++moved;
    if (sink != nullptr) CONNBENCH_RETURN_IF_ERROR(SendRow(*portal.plan, formats, row, *sink));
  }
  return moved;
}

Result<RealSession::Outcome> RealSession::RunFetch(const PgQuery__Node& statement,
                                                   std::string_view sql, const UtilityInput& input,
                                                   ResultSink& sink) {
  const PgQuery__FetchStmt& fetch = *statement.fetch_stmt;
  const std::string_view name = fetch.portalname;
  Portal* portal = FindPortal(name);
  if (portal == nullptr) return NoSuchCursor(name);
  const bool runs = portal->statement != nullptr && portal->statement->returns_rows() &&
                    portal->statement->kind == PreparedStatement::Kind::kPlanned &&
                    portal->state != Portal::State::kFailed;
  if (!runs) {
    return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                         fmt::format("portal \"{}\" cannot be run", name));
  }
  const bool describes = input.describe && !fetch.ismove;
  if (describes) sink.RowDescription(portal->statement->columns(), input.formats);

  // Rows to leave out, then rows to give.
  int64_t leave_out = 0;
  int64_t rows = fetch.how_many;
  bool backward = false;
  const bool on_row = portal->state == Portal::State::kRunning && portal->position > 0;
  const bool stays =
      fetch.how_many == 0 && fetch.direction != PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE;
  if (stays) {
    // The row where it is: sending it once more would be a step back.
    if (fetch.ismove) return Outcome{fmt::format("MOVE {}", on_row ? 1 : 0)};
    backward = on_row || fetch.direction == PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD;
  } else if (fetch.direction == PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE) {
    // PostgreSQL begins again if that is the shorter way.
    const bool at_end = portal->state == Portal::State::kDone;
    int64_t from = 0;
    if (rows - 1 <= portal->position / 2) {
      backward = rows < 0 || portal->position > 0 || at_end;
    } else {
      from = portal->position + (at_end ? 1 : 0);
      backward = rows <= from;
    }
    leave_out = rows - from - 1;
    rows = rows == 0 ? 0 : 1;
  } else {
    backward = (fetch.direction == PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD) != (rows < 0);
    if (fetch.direction == PG_QUERY__FETCH_DIRECTION__FETCH_RELATIVE) {
      leave_out = rows - 1;
      rows = 1;
    }
    if (rows < 0) rows = -rows;
  }
  if (backward && portal->no_scroll) {
    return Status::Error(sqlstate::kObjectNotInPrerequisiteState, "cursor can only scan forward")
        .WithHint("Declare it with SCROLL option to enable backward scan.");
  }
  if (backward) return ast::NotSupported(sql, "a cursor that goes back", -1);
  if (leave_out > 0) {
    Result<int64_t> left_out = MoveForward(*portal, leave_out, {}, nullptr);
    if (!left_out.ok()) {
      FailPortal(*portal);
      return left_out.TakeStatus();
    }
  }
  Result<int64_t> moved = MoveForward(*portal, rows, input.formats, fetch.ismove ? nullptr : &sink);
  if (!moved.ok()) {
    FailPortal(*portal);
    return moved.TakeStatus();
  }
  return Outcome{fmt::format("{} {}", fetch.ismove ? "MOVE" : "FETCH", *moved)};
}

Result<RealSession::Outcome> RealSession::RunClose(std::string_view cursor) {
  if (!cursor.empty()) {
    const auto at = portals_.find(cursor);
    if (at == portals_.end()) return NoSuchCursor(cursor);
    ClosePortalState(*at->second);
    portals_.erase(at);
    return Outcome{"CLOSE CURSOR"};
  }
  // The portal that runs this very statement has no rows, and stays.
  std::erase_if(portals_, [this](auto& entry) {
    Portal& portal = *entry.second;
    const bool has_rows =
        portal.statement != nullptr && portal.statement->kind == PreparedStatement::Kind::kPlanned;
    if (has_rows) ClosePortalState(portal);
    return has_rows;
  });
  return Outcome{"CLOSE CURSOR ALL"};
}

}  // namespace connbench::engine
