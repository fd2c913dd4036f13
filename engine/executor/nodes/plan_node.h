// A node of a running plan, and what it runs in. Rows are pulled from the root, one at a time, so
// that a portal can stop after any row and go on in a later message.
//
// Life of a node: made once by the planner; then any number of times Open(), Next() until kDone or
// enough, Close(). In between, Rescan() begins again, as a join does with its inner side for each
// outer row. Open() must find the state of the last run gone, however that ended. A node does
// not allocate between Open() and Close() what it could keep, nor keep what is large: page-sized
// buffers come from the session's Workspaces.
//
// Rows: an array of values that is valid until the node's next Next() or Close(). What its values
// point to lives in the node, in a page copy, or in the scratch arena (EvalContext::arena), which
// is reset by the node at the lower end of a pipeline (a scan, or one that has stored its input)
// whenever it is asked for the next row. So scratch never grows with the number of rows.
//
// Safety: private memory of one session, one thread at a time. Blocking: in storage (row locks).
// Errors: false or kError, and the Status in context.eval.status.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/executor/expression/expression.h"
#include "engine/executor/value.h"
#include "engine/transaction/snapshot.h"

namespace connbench::engine {

class ExplainWriter;
class ParallelLeader;  // engine/parallel/team.h
class Storage;
class Transaction;
struct SharedBlocks;  // engine/storage/shared_blocks.h

struct ExecutionContext {
  EvalContext eval;
  Storage* storage = nullptr;
  Transaction* transaction = nullptr;
  Snapshot snapshot;
  int64_t work_mem_bytes = 0;
  int64_t rows_affected = 0;         // by INSERT, UPDATE, DELETE
  bool instrument = false;           // EXPLAIN ANALYZE
  ParallelLeader* leader = nullptr;  // whom a Gather asks for workers; null: it gets none
  // What a parallel scan that is opened now reads; null: the whole table.
  SharedBlocks* shared_blocks = nullptr;

  bool Fail(Status error) {
    eval.status = std::move(error);
    return false;
  }
};

enum class Step : uint8_t { kRow, kDone, kError };

class PlanNode {
 public:
  PlanNode() = default;
  virtual ~PlanNode() = default;
  PlanNode(const PlanNode&) = delete;
  PlanNode& operator=(const PlanNode&) = delete;

  bool Open(ExecutionContext& context) {
    if (context.instrument) ++actual_.loops;
    return DoOpen(context);
  }
  // From the first row again, with the outer row as it now is. Only after Open(), without Close()
  // in between.
  bool Rescan(ExecutionContext& context) {
    if (context.instrument) ++actual_.loops;
    return DoRescan(context);
  }
  Step Next(ExecutionContext& context, const Value*& row) {
    return context.instrument ? TimedNext(context, row) : DoNext(context, row);
  }
  // Gives back what Open() took. May be called twice, and after an error.
  virtual void Close(ExecutionContext& context) = 0;
  virtual void Explain(ExplainWriter& writer) const = 0;
  // What EXPLAIN calls the columns of this node's rows.
  virtual std::vector<std::string> OutputNames() const = 0;

  // The planner's guess.
  double estimated_rows = 1;
  double estimated_cost = 0;

  // EXPLAIN ANALYZE runs a plan of its own, once: nothing resets these.
  struct Actual {
    int64_t loops = 0;
    int64_t rows = 0;  // of all loops
    int64_t time_ns = 0;
    int64_t first_row_ns = 0;
  };
  const Actual& actual() const { return actual_; }

 protected:
  virtual bool DoOpen(ExecutionContext& context) = 0;
  virtual bool DoRescan(ExecutionContext& context) { return DoOpen(context); }
  virtual Step DoNext(ExecutionContext& context, const Value*& row) = 0;

  static Step Fail(ExecutionContext& context, Status error) {
    context.eval.status = std::move(error);
    return Step::kError;
  }

 private:
  Step TimedNext(ExecutionContext& context, const Value*& row);

  Actual actual_;
};

using PlanNodePtr = std::unique_ptr<PlanNode>;

}  // namespace connbench::engine
