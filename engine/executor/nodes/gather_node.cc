// Gather.
#include "engine/executor/nodes/gather_node.h"

#include <utility>

#include "engine/executor/nodes/explain.h"
#include "engine/storage/heap.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

GatherNode::GatherNode(Part part, int workers)
    : part_(std::move(part)),
      codec_(part_.types),
      workers_planned_(workers),
      row_(part_.types.size()) {
  estimated_rows = part_.root->estimated_rows;
  estimated_cost = part_.root->estimated_cost;
}

GatherNode::~GatherNode() = default;

// Workers begin with the first row that is asked for: there may be none.
bool GatherNode::DoOpen(ExecutionContext& context) {
  End(context);
  return true;
}

bool GatherNode::OpenPart(ExecutionContext& context) {
  runs_part_ = has_run_ = true;
  SharedBlocks* const blocks = team_ == nullptr ? nullptr : &team_->blocks();
  SharedBlocks* const around = std::exchange(context.shared_blocks, blocks);
  const bool opened = part_.root->Open(context);
  context.shared_blocks = around;
  return opened;
}

bool GatherNode::Begin(ExecutionContext& context) {
  begun_ = true;
  if (context.leader != nullptr) {
    // The statement's snapshot is taken: what it sees stands in the blocks that there are now.
    team_ = context.leader->Launch(workers_planned_, part_.number, part_.fingerprint,
                                   part_.scan->table().heap().block_count());
  }
  workers_launched_ = team_ == nullptr ? 0 : team_->workers();
  if (team_ != nullptr && !context.leader->takes_part()) return true;
  return OpenPart(context);
}

// A row of a worker goes first: its queue must not fill up.
Step GatherNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (done_) return Step::kDone;
  if (!begun_ && !Begin(context)) return Step::kError;
  while (true) {
    context.eval.arena->Reset();
    if (team_ != nullptr) {
      Status interrupt = context.transaction->CheckForInterrupts();
      if (!interrupt.ok()) [[unlikely]]
        return Fail(context, std::move(interrupt));
      const uint32_t word = context.transaction->backend().WakeupWord();
      std::string_view bytes;
      Status error;
      const ParallelTeam::Outcome outcome = team_->Read(bytes, error);
      if (outcome == ParallelTeam::Outcome::kError) return Fail(context, std::move(error));
      if (outcome == ParallelTeam::Outcome::kRow) {
        codec_.DecodeAll(bytes, row_.data());
        row = row_.data();
        return Step::kRow;
      }
      workers_launched_ = team_->workers();
      if (outcome == ParallelTeam::Outcome::kNothingYet && !runs_part_) {
        Status waited = team_->Wait(word);
        if (!waited.ok()) return Fail(context, std::move(waited));
        continue;
      }
      // All have declined, and nobody has read the table.
      if (outcome == ParallelTeam::Outcome::kEnd && !has_run_ && team_->workers() == 0 &&
          !OpenPart(context)) {
        return Step::kError;
      }
    }
    if (runs_part_) {
      const Step step = part_.root->Next(context, row);
      if (step != Step::kDone) return step;
      runs_part_ = false;
      if (team_ != nullptr) continue;
    }
    // Workers are free for others now, however long this node stays open.
    End(context);
    done_ = true;
    return Step::kDone;
  }
}

void GatherNode::End(ExecutionContext& context) {
  if (has_run_) part_.root->Close(context);
  team_.reset();
  begun_ = runs_part_ = has_run_ = done_ = false;
}

void GatherNode::Close(ExecutionContext& context) { End(context); }

void GatherNode::Explain(ExplainWriter& writer) const {
  writer.Node("Gather", *this);
  writer.Property("Workers Planned", std::to_string(workers_planned_));
  if (writer.analyze()) writer.Property("Workers Launched", std::to_string(workers_launched_));
  writer.Child(*part_.root);
}

}  // namespace connbench::engine
