// Portals: from a plan and its parameters to rows on the wire.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/row_codec.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

[[gnu::hot]] std::string_view CommandOf(PlanKind kind) {
  switch (kind) {
    case PlanKind::kSelect:
      return "SELECT";
    case PlanKind::kInsert:
      return "INSERT";
    case PlanKind::kUpdate:
      return "UPDATE";
    case PlanKind::kDelete:
      return "DELETE";
  }
  return "";
}

// "SELECT 1".
[[gnu::hot]] CommandTag MakeTag(PlanKind kind, int64_t rows) {
  CommandTag tag(CommandOf(kind));
  tag.Append(kind == PlanKind::kInsert ? " 0 " : " ");
  tag.Append(rows);
  return tag;
}

RowCodec ReturnedCodec(const Plan& plan) {
  std::vector<Oid> types;
  for (const ColumnDescription& column : plan.columns) types.push_back(column.type_oid);
  return RowCodec(types);
}

bool SameResult(const std::vector<ColumnDescription>& a, const std::vector<ColumnDescription>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].type_oid != b[i].type_oid || a[i].type_modifier != b[i].type_modifier ||
        a[i].name != b[i].name) {
      return false;
    }
  }
  return true;
}

[[gnu::cold]] Status UnknownFormatOf(std::span<const WireFormat> formats) {
  const auto unknown = std::find_if(formats.begin(), formats.end(), [](WireFormat format) {
    return format != WireFormat::kText && format != WireFormat::kBinary;
  });
  return UnsupportedFormat(unknown == formats.end() ? WireFormat::kText : *unknown);
}

}  // namespace

Status UnsupportedFormat(WireFormat format) {
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("unsupported format code: {}", static_cast<int16_t>(format)));
}

[[gnu::hot]] Portal* RealSession::FindPortal(std::string_view name) {
  if (name.empty()) return has_unnamed_portal_ ? &unnamed_portal_ : nullptr;
  const auto at = portals_.find(name);
  return at == portals_.end() ? nullptr : at->second.get();
}

[[gnu::hot]] Status RealSession::OpenPortal(Portal& portal) {
  if (portal.plan != nullptr || portal.state != Portal::State::kReady) return {};
  PreparedStatement& statement = *portal.statement;
  const PlanningContext planning = planning_context();
  CONNBENCH_ASSIGN_OR_RETURN(const bool current,
                             LockAndCheckPlan(planning, *statement.plan, catalog_changed_));
  if (!current) {
    CONNBENCH_ASSIGN_OR_RETURN(auto plan, MakePlan(statement));
    CONNBENCH_RETURN_IF_ERROR(plan->constant_error);
    if (!SameResult(plan->columns, statement.plan->columns)) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           "cached plan must not change result type");
    }
    if (statement.plan->in_use) {
      portal.own_plan = std::move(plan);
    } else {
      statement.plan = std::move(plan);
    }
  } else if (statement.plan->in_use) {
    // Another portal runs it: this one gets a copy.
    CONNBENCH_ASSIGN_OR_RETURN(portal.own_plan, MakePlan(statement));
  }
  portal.plan = portal.own_plan != nullptr ? portal.own_plan.get() : statement.plan.get();
  portal.plan->in_use = true;
  return {};
}

// Gives the plan back: OpenPortal() looks again.
[[gnu::hot]] void RealSession::UnopenPortal(Portal& portal) {
  portal.plan->in_use = false;
  portal.plan = nullptr;
  portal.own_plan.reset();
}

[[gnu::hot]] Status RealSession::CheckMayWrite(const Plan& plan) const {
  if (!plan.writes || !transaction_.read_only()) [[likely]]
    return {};
  return CheckReadOnly(plan.kind == PlanKind::kSelect
                           ? fmt::format("SELECT {}", RowLockModeName(plan.lock_mode))
                           : std::string(CommandOf(plan.kind)));
}

[[gnu::hot]] Status RealSession::TakePortalSnapshot(Portal& portal, const Plan& plan) {
  CONNBENCH_RETURN_IF_ERROR(CheckMayWrite(plan));
  portal.execution.snapshot = transaction_.TakeSnapshot();
  portal.has_snapshot = true;
  return {};
}

[[gnu::hot]] Status RealSession::StartPortal(Portal& portal) {
  if (!portal.has_snapshot) CONNBENCH_RETURN_IF_ERROR(TakePortalSnapshot(portal, *portal.plan));
  CONNBENCH_RETURN_IF_ERROR(CheckAccess(*portal.plan));
  ExecutionContext& execution = portal.execution;
  execution.eval = {nullptr, portal.parameters.data(), &scratch_, this, {}};
  execution.storage = &storage_;
  execution.transaction = &transaction_;
  execution.work_mem_bytes = settings_.current().work_mem_bytes;
  execution.rows_affected = 0;
  portal.state = Portal::State::kRunning;
  if (!portal.plan->root->Open(execution)) return std::move(execution.eval.status);
  return {};
}

[[gnu::hot]] Result<RealSession::Outcome> RealSession::RunPortalRows(Portal& portal,
                                                                     int64_t max_rows,
                                                                     ResultSink& sink) {
  if (portal.state == Portal::State::kDone) return Outcome{MakeTag(portal.plan->kind, 0)};
  if (portal.state == Portal::State::kReady) CONNBENCH_RETURN_IF_ERROR(StartPortal(portal));
  Plan& plan = *portal.plan;
  ExecutionContext& execution = portal.execution;
  int64_t sent = 0;
  while (true) {
    const Value* row = nullptr;
    const Step step = NextRow(portal, max_rows > 0, row);
    if (step == Step::kError) return std::move(execution.eval.status);
    if (step == Step::kDone) break;
    if (!portal.known_formats) [[unlikely]]
      return UnknownFormatOf(portal.formats);
    CONNBENCH_RETURN_IF_ERROR(SendRow(plan, portal.formats, row, sink));
    ++portal.position;
    if (++sent == max_rows) return Outcome{{}, false, true};
  }
  portal.state = Portal::State::kDone;
  plan.root->Close(execution);
  if (plan.writes) CONNBENCH_RETURN_IF_ERROR(EndWriting());
  // Of a portal that is fetched in pieces the last one tells its own rows.
  return Outcome{MakeTag(plan.kind, plan.returns_rows ? sent : execution.rows_affected)};
}

[[gnu::hot]] Step RealSession::NextRow(Portal& portal, bool limited, const Value*& row) {
  Plan& plan = *portal.plan;
  const bool stores = plan.kind != PlanKind::kSelect && limited;
  if (!stores && portal.returned == nullptr) [[likely]] {
    return plan.root->Next(portal.execution, row);
  }
  if (portal.returned == nullptr) {
    const Step stored = StoreReturned(portal);
    if (stored != Step::kRow) return stored;
  } else {
    portal.returned->pop_front();  // the row that was sent last
  }
  if (portal.returned->empty()) return Step::kDone;
  returned_row_.resize(plan.columns.size());
  ReturnedCodec(plan).DecodeAll(portal.returned->front(), returned_row_.data());
  row = returned_row_.data();
  return Step::kRow;
}

Step RealSession::StoreReturned(Portal& portal) {
  Plan& plan = *portal.plan;
  const RowCodec codec = ReturnedCodec(plan);
  auto rows = std::make_unique<std::deque<std::string>>();
  while (true) {
    const Value* row = nullptr;
    const Step step = plan.root->Next(portal.execution, row);
    if (step == Step::kError) return step;
    if (step == Step::kDone) {
      // Later statements see what was written, sent or not.
      if (Status ended = EndWriting(); !ended.ok()) {
        portal.execution.Fail(std::move(ended));
        return Step::kError;
      }
      if (rows->empty()) return Step::kDone;
      portal.returned = std::move(rows);
      return Step::kRow;
    }
    std::string& stored = rows->emplace_back(codec.EncodedSize(row), '\0');
    codec.Encode(row, stored.data());
  }
}

[[gnu::hot]] Status RealSession::SendRow(const Plan& plan, std::span<const WireFormat> formats,
                                         const Value* row, ResultSink& sink) {
  const size_t columns = plan.columns.size();
  if (wire_values_.size() < columns) wire_values_.resize(columns);
  const IoContext io = this->io(scratch_);
  for (size_t i = 0; i < columns; ++i) {
    const WireFormat format = formats.empty()       ? WireFormat::kText
                              : formats.size() == 1 ? formats[0]
                                                    : formats[i];
    CONNBENCH_RETURN_IF_ERROR(
        ToWire(plan.columns[i].type_oid, row[i], format, io, wire_values_[i]));
  }
  return sink.DataRow({wire_values_.data(), columns});
}

[[gnu::hot]] void RealSession::ClosePortalState(Portal& portal) {
  if (portal.plan != nullptr) {
    if (portal.state == Portal::State::kRunning) portal.plan->root->Close(portal.execution);
    portal.plan->in_use = false;
    portal.plan = nullptr;
  }
  if (portal.has_snapshot && transaction_.open()) {
    transaction_.ReleaseSnapshot(portal.execution.snapshot);
  }
  portal.has_snapshot = false;
  portal.own_plan.reset();
  portal.statement.reset();
  portal.returned.reset();
  portal.position = 0;
  portal.state = Portal::State::kReady;
}

[[gnu::hot]] void RealSession::CloseAllPortals() {
  if (has_unnamed_portal_) ClosePortalState(unnamed_portal_);
  has_unnamed_portal_ = false;
  if (portals_.empty()) return;
  for (const auto& [name, portal] : portals_) ClosePortalState(*portal);
  portals_.clear();
}

void RealSession::ClosePortalsFrom(int level) {
  if (has_unnamed_portal_ && unnamed_portal_.level >= level) {
    ClosePortalState(unnamed_portal_);
    has_unnamed_portal_ = false;
  }
  std::erase_if(portals_, [this, level](const auto& entry) {
    if (entry.second->level < level) return false;
    ClosePortalState(*entry.second);
    return true;
  });
}

void RealSession::GivePortalsToParent(int level) {
  unnamed_portal_.level = std::min(unnamed_portal_.level, level - 1);
  for (const auto& [name, portal] : portals_) portal->level = std::min(portal->level, level - 1);
}

void RealSession::OpenBoundPortals() {
  const auto open = [this](Portal& portal) {
    if (portal.statement == nullptr || portal.plan != nullptr ||
        portal.statement->kind != PreparedStatement::Kind::kPlanned) {
      return;
    }
    // If the table is gone, Execute will say so. As after Bind, what writes looks again: its tables
    // may have new indexes and keys by then.
    const Status opened = OpenPortal(portal);
    if (opened.ok() && portal.plan != nullptr && portal.plan->kind != PlanKind::kSelect) {
      UnopenPortal(portal);
    }
  };
  if (has_unnamed_portal_) open(unnamed_portal_);
  for (const auto& [name, portal] : portals_) open(*portal);
}

void RealSession::FailPortal(Portal& portal) {
  std::shared_ptr<PreparedStatement> statement = portal.statement;
  ClosePortalState(portal);
  portal.statement = std::move(statement);  // Describe may still ask
  portal.state = Portal::State::kFailed;
}

void RealSession::FailPortalsFrom(int level) {
  if (has_unnamed_portal_ && unnamed_portal_.level >= level) FailPortal(unnamed_portal_);
  for (const auto& [name, portal] : portals_) {
    if (portal->level >= level) FailPortal(*portal);
  }
}

}  // namespace connbench::engine
