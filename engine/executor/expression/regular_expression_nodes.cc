// Builds the tree of a regular expression from the parts that its parser reads.
#include <utility>

#include "engine/executor/expression/regular_expression_parser.h"

namespace connbench::engine {
namespace {

// Of all nodes. A sequence of many parentheses repeats its rest in each node.
constexpr size_t kMaxRegexNodeInstructions = 400'000;

void AppendTo(RegexNode::Program& to, const RegexNode::Program& part) {
  to.insert(to.end(), part.begin(), part.end());
}

}  // namespace

Result<RegexNode*> RegularExpressionParser::NewNode(RegexNode::Kind kind, uint8_t flags,
                                                    Program program) {
  node_instructions_ += program.size() + 1;
  if (node_instructions_ > kMaxRegexNodeInstructions) {
    return Status::Error(sqlstate::kInvalidRegularExpression,
                         "invalid regular expression: regular expression is too complex");
  }
  RegexNode& node = tree_->nodes.emplace_back();
  node.kind = kind;
  node.flags = flags;
  node.program = std::move(program);
  return &node;
}

Result<RegexNode*> RegularExpressionParser::NewSequence(uint8_t flags, RegexNode& first,
                                                        RegexNode& second) {
  Program program = first.program;
  AppendTo(program, second.program);
  CONNBENCH_ASSIGN_OR_RETURN(RegexNode * node,
                             NewNode(RegexNode::Kind::kSequence, flags, std::move(program)));
  node->children = {&first, &second};
  return node;
}

Result<RegexNode*> RegularExpressionParser::AlternativesNode(
    const Program& all, const std::vector<RegexNode*>& branches) {
  uint8_t flags = RegexNode::kLonger;
  for (const RegexNode* branch : branches) flags |= RegexNode::Outside(flags | branch->flags);
  const bool plain = !RegexNode::NeedsNode(flags);
  CONNBENCH_ASSIGN_OR_RETURN(
      RegexNode * node,
      NewNode(plain ? RegexNode::Kind::kProgram : RegexNode::Kind::kAlternatives, flags, all));
  if (!plain) node->children = branches;
  return node;
}

// ((x)) has two numbers, and so two nodes.
Result<RegexNode*> RegularExpressionParser::CapturingNode(RegexNode& inner, int capture) {
  RegexNode* node = &inner;
  if (inner.capture > 0) {
    CONNBENCH_ASSIGN_OR_RETURN(node, NewNode(RegexNode::Kind::kGroup, inner.flags, inner.program));
    node->children = {&inner};
  }
  node->flags |= RegexNode::kCaptures;
  node->capture = capture;
  return node;
}

// atom{least,most}
Result<RegexNode*> RegularExpressionParser::QuantifiedNode(Piece& piece, RegexNode& atom) {
  const Counts& counts = piece.counts;
  const uint8_t own = atom.flags & (RegexNode::kLonger | RegexNode::kShorter | RegexNode::kMixed);
  if (counts.least == 1 && counts.most == 1 &&
      (counts.wish == 0 || own == 0 || counts.wish == own)) {
    return &atom;
  }
  const uint8_t flags = RegexNode::Combine(counts.wish, atom.flags);
  if ((atom.flags & RegexNode::kCaptures) == 0) {
    return NewNode(RegexNode::Kind::kProgram, flags, piece.repeated);
  }
  if (counts.least > 0) {
    // All but the last repetition, whose captures nobody sees, then the last one.
    Counts before = counts;
    --before.least;
    if (before.most > 0) --before.most;
    CONNBENCH_ASSIGN_OR_RETURN(Program others, Repeat(piece.once.program, before));
    CONNBENCH_ASSIGN_OR_RETURN(
        RegexNode * prefix,
        NewNode(RegexNode::Kind::kProgram, RegexNode::Wish(flags), std::move(others)));
    return NewSequence(flags, *prefix, atom);
  }
  CONNBENCH_ASSIGN_OR_RETURN(RegexNode * node,
                             NewNode(RegexNode::Kind::kRepetition, flags, piece.repeated));
  node->least = counts.least;
  node->most = counts.most;
  node->children = {&atom};
  return node;
}

// Pieces up to one that needs a node make a program, the prefix; the piece follows; what is behind
// it is a branch of its own.
Result<RegexNode*> RegularExpressionParser::BranchNode(std::vector<Piece>& pieces) {
  struct Division {
    RegexNode* prefix = nullptr;  // null: the piece is the first one
    RegexNode* piece = nullptr;
    uint8_t flags = 0;  // of the piece and what follows
  };
  std::vector<Division> divisions;
  RegexNode* rest = nullptr;
  for (size_t i = 0; i < pieces.size() || divisions.empty();) {
    uint8_t flags = 0;
    Program program;
    bool any = false;
    Division division;
    for (; i < pieces.size() && division.piece == nullptr; ++i) {
      Piece& piece = pieces[i];
      const uint8_t inner = piece.once.node == nullptr ? 0 : piece.once.node->flags;
      if (piece.counts.most == 0) {  // cancels what stands before it
        any = true;
        continue;
      }
      const auto all = static_cast<uint8_t>(flags | piece.counts.wish | inner);
      if (piece.once.node == nullptr && !RegexNode::NeedsNode(RegexNode::Outside(all))) {
        flags = all;
        AppendTo(program, piece.repeated);
        any = true;
        continue;
      }
      RegexNode* atom = piece.once.node;
      if (atom == nullptr) {
        CONNBENCH_ASSIGN_OR_RETURN(atom, NewNode(RegexNode::Kind::kProgram, 0, piece.once.program));
      }
      division.flags = RegexNode::Combine(piece.counts.wish, atom->flags);
      CONNBENCH_ASSIGN_OR_RETURN(division.piece, QuantifiedNode(piece, *atom));
    }
    RegexNode* prefix = nullptr;
    if (any || division.piece == nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(prefix,
                                 NewNode(RegexNode::Kind::kProgram, flags, std::move(program)));
    }
    if (division.piece == nullptr) {
      rest = prefix;
      break;
    }
    division.prefix = prefix;
    divisions.push_back(division);
  }
  for (size_t d = divisions.size(); d-- > 0;) {
    const Division& division = divisions[d];
    const uint8_t before = division.prefix == nullptr ? 0 : division.prefix->flags;
    if (rest == nullptr) {
      rest = division.piece;
      if (division.prefix == nullptr) continue;
      const auto flags =
          static_cast<uint8_t>(before | RegexNode::Combine(before, division.piece->flags));
      CONNBENCH_ASSIGN_OR_RETURN(rest, NewSequence(flags, *division.prefix, *division.piece));
      continue;
    }
    const auto behind =
        static_cast<uint8_t>(division.flags | RegexNode::Combine(division.flags, rest->flags));
    const auto flags = static_cast<uint8_t>(before | RegexNode::Combine(before, behind));
    CONNBENCH_ASSIGN_OR_RETURN(
        rest, NewSequence(division.prefix == nullptr ? flags : behind, *division.piece, *rest));
    if (division.prefix == nullptr) continue;
    CONNBENCH_ASSIGN_OR_RETURN(rest, NewSequence(flags, *division.prefix, *rest));
  }
  return rest;
}

}  // namespace connbench::engine
