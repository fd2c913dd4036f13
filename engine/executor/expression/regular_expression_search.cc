// Finds matches and divides them among the parts of a regular expression.
#include "engine/executor/expression/regular_expression_search.h"

#include <algorithm>

#include "engine/executor/expression/regular_expression_run.h"
#include "engine/executor/expression/regular_expression_tree.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

// A part that matches can be divided: this says that one could not.
Status CannotDivide() {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       "this use of parentheses in a regular expression is not supported");
}

}  // namespace

RegexSearch::RegexSearch(const RegularExpression& expression, std::string_view text,
                         WorkMeter meter)
    : expression_(expression), text_(text), meter_(meter) {}

RegexSearch::~RegexSearch() = default;

size_t RegexSearch::captures() const { return static_cast<size_t>(expression_.tree()->captures); }

size_t RegexSearch::Before(size_t at) const {
  --at;
  while (at > 0 && (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80) --at;
  return at;
}

size_t RegexSearch::After(size_t at) const {
  return at + static_cast<size_t>(Utf8Length(text_[at]));
}

RegexRun& RegexSearch::RunOf(const RegexNode& node) {
  std::unique_ptr<RegexRun>& run = runs_[&node];
  if (run == nullptr) run = std::make_unique<RegexRun>(expression_, node.program, text_, meter_);
  return *run;
}

Status RegexSearch::Find(size_t from, bool captures, bool& found) {
  const RegexNode& root = *expression_.tree()->root;
  RegexRun& run = RunOf(root);
  spans_.assign(captures ? this->captures() + 1 : 1, {});
  found = false;
  if (from > text_.size()) return {};
  size_t begin = 0;
  size_t close = 0;
  CONNBENCH_RETURN_IF_ERROR(run.Scan(from, begin, close));
  if (close == RegexRun::kNowhere) return {};
  size_t end = RegexRun::kNowhere;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(root.shorter() ? run.Shortest(begin, begin, text_.size(), end)
                                             : run.Longest(begin, text_.size(), end));
    if (end != RegexRun::kNowhere) break;
    begin = After(begin);  // one begins at close at the latest
  }
  found = true;
  spans_[0] = {begin, end};
  return captures ? Divide(&root, begin, end) : Status::Ok();
}

Status RegexSearch::FindNext(bool captures, bool& found) {
  const RegexSpan last = spans_[0];
  found = false;
  if (last.begin == last.end && last.end >= text_.size()) return {};
  return Find(last.begin == last.end ? After(last.end) : last.end, captures, found);
}

Status RegexSearch::MatchesWhole(const RegexNode& node, size_t begin, size_t end, bool& matches) {
  size_t reached = 0;
  CONNBENCH_RETURN_IF_ERROR(RunOf(node).Longest(begin, end, reached));
  matches = reached == end;
  return {};
}

// node matches [begin, end). The last part of a sequence is a loop, not a recursion.
Status RegexSearch::Divide(const RegexNode* node, size_t begin, size_t end) {
  while (true) {
    if (node->capture > 0) spans_[static_cast<size_t>(node->capture)] = {begin, end};
    switch (node->kind) {
      case RegexNode::Kind::kProgram:
        return {};
      case RegexNode::Kind::kGroup:
        node = node->children[0];
        break;
      case RegexNode::Kind::kSequence: {
        size_t middle = 0;
        CONNBENCH_RETURN_IF_ERROR(DivideSequence(*node, begin, end, middle));
        CONNBENCH_RETURN_IF_ERROR(Divide(node->children[0], begin, middle));
        node = node->children[1];
        begin = middle;
        break;
      }
      case RegexNode::Kind::kAlternatives: {
        const RegexNode* chosen = nullptr;
        for (const RegexNode* child : node->children) {
          bool matches = false;
          CONNBENCH_RETURN_IF_ERROR(MatchesWhole(*child, begin, end, matches));
          if (!matches) continue;
          chosen = child;
          break;
        }
        if (chosen == nullptr) return CannotDivide();
        node = chosen;
        break;
      }
      case RegexNode::Kind::kRepetition: {
        if (begin == end) {
          // None is needed. One that wishes for the longest match is tried all the same.
          bool matches = false;
          node = node->children[0];
          if (node->shorter()) return {};
          CONNBENCH_RETURN_IF_ERROR(MatchesWhole(*node, begin, end, matches));
          if (!matches) return {};
          break;
        }
        size_t last = 0;
        CONNBENCH_RETURN_IF_ERROR(DivideRepetition(*node, begin, end, last));
        node = node->children[0];
        begin = last;
        break;
      }
    }
  }
}

Status RegexSearch::DivideSequence(const RegexNode& node, size_t begin, size_t end,
                                   size_t& middle) {
  const RegexNode& left = *node.children[0];
  RegexRun& run = RunOf(left);
  const bool shorter = left.shorter();
  size_t bound = shorter ? begin : end;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(shorter ? run.Shortest(begin, bound, end, middle)
                                      : run.Longest(begin, bound, middle));
    if (middle == RegexRun::kNowhere) return CannotDivide();
    bool matches = false;
    CONNBENCH_RETURN_IF_ERROR(MatchesWhole(*node.children[1], middle, end, matches));
    if (matches) return {};
    if (middle == (shorter ? end : begin)) return CannotDivide();
    bound = shorter ? After(middle) : Before(middle);
  }
}

// Only what the last repetition captures is kept, so that the others need not be divided. None of
// them is empty.
Status RegexSearch::DivideRepetition(const RegexNode& node, size_t begin, size_t end,
                                     size_t& last) {
  const RegexNode& part = *node.children[0];
  RegexRun& run = RunOf(part);
  const bool shorter = part.shorter();
  const size_t most = node.most < 0 ? SIZE_MAX : static_cast<size_t>(node.most);
  std::vector<size_t> ends = {begin};  // of the repetitions so far
  size_t bound = shorter ? After(begin) : end;
  while (true) {
    const bool is_last = shorter && ends.size() >= most;
    size_t reached = RegexRun::kNowhere;
    CONNBENCH_RETURN_IF_ERROR(shorter
                                  ? run.Shortest(ends.back(), is_last ? end : bound, end, reached)
                                  : run.Longest(ends.back(), bound, reached));
    if (reached == end && reached > ends.back()) {
      last = ends.back();
      return {};
    }
    if (reached != RegexRun::kNowhere && reached > ends.back() && ends.size() < most) {
      ends.push_back(reached);
      bound = shorter ? After(reached) : end;
      continue;
    }
    // One of those before must end elsewhere.
    while (true) {
      if (ends.size() == 1) return CannotDivide();
      const size_t moved = ends.back();
      ends.pop_back();
      if (shorter) {
        if (moved < end) {
          bound = After(moved);
          break;
        }
      } else {
        bound = Before(moved);
        if (bound > ends.back()) break;
      }
    }
  }
}

}  // namespace connbench::engine
