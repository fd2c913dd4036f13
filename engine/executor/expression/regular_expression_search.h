// Where a regular expression matches in a text, and what its parentheses capture: the choice among
// all possible matches is PostgreSQL's.
//
// The match begins as early as it can, and is as long or as short as the whole expression wishes.
// Then it is divided among the parts of the expression, from left to right, each of which gets the
// longest or shortest share that leaves a match to the rest. Dividing takes up to the square of the
// match's length in time.
//
// Safety: private memory, one thread. Stack: a level for each nesting of parentheses, which the
// parser bounds. Errors: interrupts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/regular_expression.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

class RegexRun;
struct RegexNode;

// Bytes of a text; begin is kNone where parentheses have captured nothing.
struct RegexSpan {
  static constexpr size_t kNone = std::string_view::npos;
  size_t begin = kNone;
  size_t end = kNone;
  bool found() const { return begin != kNone; }
  std::string_view Of(std::string_view text) const { return text.substr(begin, end - begin); }
};

class RegexSearch {
 public:
  // expression was compiled for a search; both outlive it.
  RegexSearch(const RegularExpression& expression, std::string_view text, WorkMeter meter);
  ~RegexSearch();
  RegexSearch(const RegexSearch&) = delete;
  RegexSearch& operator=(const RegexSearch&) = delete;

  // The first match that begins at from or behind. captures: also what parentheses capture.
  Status Find(size_t from, bool captures, bool& found);
  // The next one after that; an empty one is never found twice.
  Status FindNext(bool captures, bool& found);
  // The whole match, then its captures, if they were asked for.
  std::span<const RegexSpan> spans() const { return spans_; }
  // How many parentheses capture.
  size_t captures() const;

 private:
  RegexRun& RunOf(const RegexNode& node);
  Status Divide(const RegexNode* node, size_t begin, size_t end);
  // Where the left part of a sequence ends.
  Status DivideSequence(const RegexNode& node, size_t begin, size_t end, size_t& middle);
  // Where the last repetition begins.
  Status DivideRepetition(const RegexNode& node, size_t begin, size_t end, size_t& last);
  Status MatchesWhole(const RegexNode& node, size_t begin, size_t end, bool& matches);
  size_t Before(size_t at) const;
  size_t After(size_t at) const;

  const RegularExpression& expression_;
  const std::string_view text_;
  WorkMeter meter_;
  std::vector<RegexSpan> spans_;
  std::unordered_map<const RegexNode*, std::unique_ptr<RegexRun>> runs_;
};

}  // namespace connbench::engine
