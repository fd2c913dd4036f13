// A bound on the stack that parsing a text may take, found before the parser runs.
#include "engine/sql/nesting.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "engine/sql/parse_tree.h"

namespace connbench::engine {
namespace {

// Measured with libpg_query 15-4.0.0 on amd64: 1,920 bytes for a link or a function call, 3,840
// for a CASE, 5,760 for a parenthesised SELECT (2,048 + 4,096 here).
constexpr int64_t kLinkBytes = 2048;
constexpr int64_t kCaseBytes = 4096;
constexpr int64_t kSelectBytes = 4096;
// Below this no stack is too small, and looking up the thread's stack is not worth its time.
constexpr int64_t kAlwaysSafeBytes = int64_t{96} << 10;
// Left for the frames below the parser and for signal handlers.
constexpr int64_t kReserveBytes = int64_t{48} << 10;

bool IsIdentifierStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsIdentifierPart(char c) { return IsIdentifierStart(c) || IsAsciiDigit(c) || c == '$'; }
bool IsOperatorCharacter(char c) {
  return std::string_view("+-*/<>=~!@#%^&|`?:").find(c) != std::string_view::npos;
}

// Of PostgreSQL's scanner: what its rules for operators and for "/*" take in one run.
bool IsInOperatorRun(char c) {
  return std::string_view("~!@#^&|`?+-*/%<>=").find(c) != std::string_view::npos;
}

enum class Word : uint8_t { kOther, kLink, kCase, kEnd, kSelect, kBetween, kConjunction };

Word ClassifyWord(std::string_view word) {
  char lower[12];
  if (word.size() >= sizeof lower) return Word::kOther;
  for (size_t i = 0; i < word.size(); ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  const std::string_view text(lower, word.size());
  if (text == "and" || text == "or") return Word::kConjunction;
  if (text == "case") return Word::kCase;
  if (text == "end") return Word::kEnd;
  if (text == "select" || text == "values" || text == "union" || text == "intersect" ||
      text == "except" || text == "join" || text == "with" || text == "table") {
    return Word::kSelect;
  }
  if (text == "between") return Word::kBetween;
  for (const char* link : {"not",   "is",      "isnull",   "notnull",  "collate", "at",  "like",
                           "ilike", "similar", "in",       "operator", "escape",  "any", "all",
                           "some",  "exists",  "overlaps", "variadic", "array",   "row"}) {
    if (text == link) return Word::kLink;
  }
  return Word::kOther;
}

// Walks the tokens with one entry for each open parenthesis, bracket or CASE.
class Estimator {
 public:
  explicit Estimator(std::string_view sql) : sql_(sql) { levels_.push_back({}); }

  int64_t Run() {
    while (at_ < sql_.size()) Token();
    return max_bytes_;
  }
  // Names, keywords and literals seen.
  int64_t words() const { return words_; }
  // Where the scanner has read too much again; npos: nowhere.
  size_t rescanned_at() const { return rescanned_at_; }

 private:
  struct Level {
    bool is_case = false;
    int64_t own_bytes = 0;     // of the level itself, and of the queries at it
    int64_t chain_bytes = 0;   // of the current list item and conjunct
    int64_t deepest = 0;       // largest chain_bytes seen
    int pending_betweens = 0;  // whose AND is no conjunction
  };

  void Grow(int64_t bytes) {
    Level& level = levels_.back();
    level.chain_bytes += bytes;
    total_bytes_ += bytes;
    level.deepest = std::max(level.deepest, level.chain_bytes);
    max_bytes_ = std::max(max_bytes_, total_bytes_);
  }
  void AddOwn(int64_t bytes) {
    levels_.back().own_bytes += bytes;
    total_bytes_ += bytes;
    max_bytes_ = std::max(max_bytes_, total_bytes_);
  }
  void NextItem() {
    Level& level = levels_.back();
    total_bytes_ -= level.chain_bytes;
    level.chain_bytes = 0;
    level.pending_betweens = 0;
  }
  void Open(bool is_case) {
    levels_.push_back({});
    levels_.back().is_case = is_case;
    AddOwn(is_case ? kCaseBytes : kLinkBytes);
  }
  void Close() {
    if (levels_.size() == 1) return;  // the parser will complain
    const Level closed = levels_.back();
    levels_.pop_back();
    total_bytes_ -= closed.chain_bytes + closed.own_bytes;
    Grow(closed.deepest + closed.own_bytes);  // what follows may be built on top of it
  }

  void Token() {
    const char c = sql_[at_];
    if (c == '-' && Next() == '-') return SkipLine();
    if (IsInOperatorRun(c)) ReadRun();
    if (c == '/' && Next() == '*') return SkipComment();
    if (c == '\'' || c == '"' || c == '$' || IsIdentifierStart(c) || IsAsciiDigit(c)) ++words_;
    if (c == '\'') return SkipString(false);
    if (c == '"') return SkipQuoted();
    if (c == '$') return SkipDollar();
    if (IsIdentifierStart(c)) return TakeWord();
    if (IsAsciiDigit(c)) return SkipNumber();
    ++at_;
    if (c == '(' || c == '[') return Open(false);
    if (c == ')' || c == ']') {
      while (levels_.back().is_case) Close();
      return Close();
    }
    if (c == ',') return NextItem();
    if (c == ';') {
      levels_.resize(1);
      levels_[0] = {};
      total_bytes_ = 0;
      return;
    }
    // One link for a whole operator; the lexer may also split it, e.g. at a sign.
    if (IsOperatorCharacter(c)) Grow(kLinkBytes);
  }

  // The scanner begins a token within a run of operator characters, and reads the run to its end.
  void ReadRun() {
    if (run_end_ <= at_) {
      run_end_ = at_;
      while (run_end_ < sql_.size() && IsInOperatorRun(sql_[run_end_])) ++run_end_;
    }
    rescanned_bytes_ += static_cast<int64_t>(run_end_ - at_);
    const int64_t limit =
        kMaxRescannedBytes + static_cast<int64_t>(sql_.size()) * kMaxRescannedPerByte;
    if (rescanned_bytes_ > limit && rescanned_at_ == std::string_view::npos) rescanned_at_ = at_;
  }

  void TakeWord() {
    const size_t begin = at_;
    while (at_ < sql_.size() && IsIdentifierPart(sql_[at_])) ++at_;
    const std::string_view word = sql_.substr(begin, at_ - begin);
    if (at_ < sql_.size() && sql_[at_] == '\'' && (word == "e" || word == "E")) {
      return SkipString(true);
    }
    switch (ClassifyWord(word)) {
      case Word::kOther:
        return;
      case Word::kLink:
        return Grow(kLinkBytes);
      case Word::kBetween:
        ++levels_.back().pending_betweens;
        return Grow(kLinkBytes);
      case Word::kConjunction:
        // Chains of AND and of OR are flat lists in the tree.
        if (levels_.back().pending_betweens > 0) {
          --levels_.back().pending_betweens;
          return;
        }
        return NextItem();
      case Word::kCase:
        return Open(true);
      case Word::kEnd:
        if (levels_.back().is_case) Close();
        return;
      case Word::kSelect:
        return AddOwn(kSelectBytes);
    }
  }

  char Next() const { return at_ + 1 < sql_.size() ? sql_[at_ + 1] : '\0'; }

  void SkipString(bool backslashes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (backslashes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == '\'') {
        if (Next() != '\'') break;
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, sql_.size());
  }
  void SkipQuoted() {
    at_ = sql_.find('"', at_ + 1);
    at_ = at_ == std::string_view::npos ? sql_.size() : at_ + 1;
  }
  void SkipLine() {
    at_ = sql_.find_first_of("\r\n", at_);
    if (at_ == std::string_view::npos) at_ = sql_.size();
  }
  void SkipComment() {
    int depth = 0;
    while (at_ < sql_.size()) {
      if (sql_[at_] == '/' && Next() == '*') {
        if (depth > 0) ReadRun();  // Token() has counted the first
        ++depth;
        at_ += 2;
      } else if (sql_[at_] == '*' && Next() == '/') {
        at_ += 2;
        if (--depth == 0) return;
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, sql_.size());
  }
  // $tag$ ... $tag$, or a parameter such as $1.
  void SkipDollar() {
    size_t end = at_ + 1;
    if (end < sql_.size() && IsIdentifierStart(sql_[end])) {
      while (end < sql_.size() && IsIdentifierPart(sql_[end]) && sql_[end] != '$') ++end;
    }
    if (end >= sql_.size() || sql_[end] != '$') {
      ++at_;
      return;
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const size_t closing = sql_.find(tag, end + 1);
    at_ = closing == std::string_view::npos ? sql_.size() : closing + tag.size();
  }
  void SkipNumber() {
    while (at_ < sql_.size() && (IsIdentifierPart(sql_[at_]) || sql_[at_] == '.')) ++at_;
  }

  std::string_view sql_;
  size_t at_ = 0;
  std::vector<Level> levels_;
  int64_t total_bytes_ = 0;
  int64_t max_bytes_ = 0;
  int64_t words_ = 0;
  size_t run_end_ = 0;  // of the run of operator characters at or before at_
  int64_t rescanned_bytes_ = 0;
  size_t rescanned_at_ = std::string_view::npos;
};

int64_t RemainingStackBytes() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* lowest = nullptr;
  size_t size = 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return static_cast<const char*>(__builtin_frame_address(0)) - static_cast<const char*>(lowest);
}

}  // namespace

int64_t EstimateParseStackBytes(std::string_view sql) { return Estimator(sql).Run(); }

Status CheckNesting(std::string_view sql) {
  Estimator estimator(sql);
  const int64_t needed = estimator.Run();
  if (estimator.words() > kMaxStatementWords) {
    return Status::Error(sqlstate::kStatementTooComplex, "statement is too long")
        .WithDetail(
            fmt::format("It has more than {} names, keywords and literals.", kMaxStatementWords))
        .WithHint("Split the statement, or use COPY.");
  }
  if (estimator.rescanned_at() != std::string_view::npos) {
    return Status::Error(sqlstate::kStatementTooComplex, "statement is too complex",
                         CharacterPosition(sql, static_cast<int>(estimator.rescanned_at())))
        .WithDetail("Its operator characters or comment openers follow each other in a long run.")
        .WithHint("Put blanks between them.");
  }
  if (needed <= kAlwaysSafeBytes || needed + kReserveBytes <= RemainingStackBytes()) return {};
  return Status::Error(sqlstate::kStatementTooComplex, "stack depth limit exceeded")
      .WithHint(
          "The statement nests too deeply for this server thread's stack; split its "
          "expressions or operator chains.");
}

}  // namespace connbench::engine
