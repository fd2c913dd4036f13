// Prints plans as EXPLAIN does, and expressions as PostgreSQL deparses them.
//
// Safety: private memory, one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/expression/expression.h"
#include "engine/executor/nodes/plan_node.h"

namespace connbench::engine {

// Names of the columns that an expression's column references point to.
using ColumnNames = std::vector<std::string>;

// "((aid >= 1) AND (bid = $1))"
std::string PrintExpression(const Expression& expression, const ColumnNames& names);

class ExplainWriter {
 public:
  struct Options {
    bool analyze = false;
    bool costs = true;
    bool timing = true;
  };
  explicit ExplainWriter(Options options) : options_(options) {}

  bool analyze() const { return options_.analyze; }

  // A node writes its line, then its properties, then its child.
  void Node(std::string_view title, const PlanNode& node);
  void Property(std::string_view name, std::string_view value);
  // by: what has removed them.
  void RowsRemoved(int64_t rows, std::string_view by = "Filter");
  void Child(const PlanNode& child);
  // What is written in between belongs to a child, which is not a node of its own.
  void BeginChild() {
    WriteAttachments();
    ++depth_;
  }
  void EndChild() { --depth_; }

  // write calls Attachment() for what hangs on the next node besides its children; it is called
  // before the first of them, or by WriteAttachments().
  void AttachToNext(std::function<void()> write) { attachments_ = std::move(write); }
  void WriteAttachments();
  void Attachment(std::string_view label, const PlanNode& root);

  std::vector<std::string>& lines() { return lines_; }

 private:
  Options options_;
  std::string Indent(int columns) const;

  int depth_ = 0;
  int attached_ = 0;  // columns that attachments are further to the right
  std::function<void()> attachments_;
  std::vector<std::string> lines_;
};

}  // namespace connbench::engine
