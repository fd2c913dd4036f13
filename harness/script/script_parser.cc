// Splits a script's text into SQL statements and backslash commands.
#include "harness/script/script_parser.h"

#include "base/ascii.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace connbench::load {
namespace {

class Splitter {
 public:
  Splitter(std::string_view path, std::string_view text) : path_(path), text_(text) {}

  Result<std::vector<ScriptPart>> Run() {
    while (true) {
      SkipBlank();
      if (at_ >= text_.size()) return std::move(parts_);
      if (text_[at_] == '\\' && Peek(1) != ';') {
        TakeCommand();
      } else {
        CONNBENCH_RETURN_IF_ERROR(TakeStatement());
      }
    }
  }

 private:
  char Peek(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool AtLineComment() const { return text_[at_] == '-' && Peek(1) == '-'; }
  void SkipLine() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  void SkipBlank() {
    while (at_ < text_.size()) {
      if (IsAsciiSpace(text_[at_])) {
        ++at_;
      } else if (AtLineComment()) {
        SkipLine();
      } else {
        return;
      }
    }
  }

  // To the end of the line; a backslash at its end goes on with the next one.
  void TakeCommand() {
    ScriptPart part;
    part.is_sql = false;
    part.offset = at_;
    ++at_;
    while (at_ < text_.size() && text_[at_] != '\n') {
      const bool continued =
          text_[at_] == '\\' && (Peek(1) == '\n' || (Peek(1) == '\r' && Peek(2) == '\n'));
      if (continued) {
        // Blanks keep offsets into the part equal to offsets into the script.
        const size_t skipped = Peek(1) == '\n' ? 2 : 3;
        part.text.append(skipped, ' ');
        at_ += skipped;
      } else {
        part.text += text_[at_++];
      }
    }
    parts_.push_back(std::move(part));
  }

  Status TakeStatement() {
    ScriptPart part;
    part.offset = at_;
    int depth = 0;
    const auto copy = [&](size_t end) {
      part.text.append(text_.substr(at_, end - at_));
      at_ = end;
    };
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (AtLineComment()) {
        SkipLine();
      } else if (c == '/' && Peek(1) == '*') {
        CONNBENCH_ASSIGN_OR_RETURN(const size_t end, BlockCommentEnd());
        copy(end);
      } else if (c == '\'' || c == '"') {
        CONNBENCH_ASSIGN_OR_RETURN(const size_t end, QuoteEnd(c));
        copy(end);
      } else if (c == '$' && !AfterName()) {
        CONNBENCH_ASSIGN_OR_RETURN(const size_t end, DollarQuoteEnd());
        copy(end);
      } else if (c == '\\' && Peek(1) == ';') {
        part.text += ';';  // several statements in one query
        at_ += 2;
      } else if (c == '\\') {
        break;
      } else {
        if (c == '(') ++depth;
        if (c == ')' && depth > 0) --depth;
        part.text += c;
        ++at_;
        if (c == ';' && depth == 0) break;
      }
    }
    while (!part.text.empty() && IsAsciiSpace(part.text.back())) part.text.pop_back();
    // A lone semicolon is sent, too: the empty query, as with pgbench.
    if (!part.text.empty()) parts_.push_back(std::move(part));
    return Status::Ok();
  }

  bool AfterName() const { return at_ > 0 && IsVariablePart(text_[at_ - 1]); }

  Result<size_t> BlockCommentEnd() {
    int depth = 0;
    for (size_t i = at_; i + 1 < text_.size(); ++i) {
      if (text_[i] == '/' && text_[i + 1] == '*') {
        ++depth;
        ++i;
      } else if (text_[i] == '*' && text_[i + 1] == '/') {
        ++i;
        if (--depth == 0) return i + 1;
      }
    }
    return ScriptError(path_, text_, at_, "this comment has no end", "End it with */.");
  }

  Result<size_t> QuoteEnd(char quote) {
    const bool escapes = quote == '\'' && at_ > 0 &&
                         (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
                         !(at_ > 1 && IsVariablePart(text_[at_ - 2]));
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (escapes && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        return i + 1;  // a doubled quote is two quoted texts in a row: the same to us
      }
    }
    return ScriptError(path_, text_, at_, fmt::format("the quote {} is not closed", quote));
  }

  // $$...$$ or $tag$...$tag$; anything else ($1) is copied as it is.
  Result<size_t> DollarQuoteEnd() {
    size_t tag_end = at_ + 1;
    if (tag_end < text_.size() && IsVariableStart(text_[tag_end])) {
      while (tag_end < text_.size() && IsVariablePart(text_[tag_end])) ++tag_end;
    }
    if (tag_end >= text_.size() || text_[tag_end] != '$') return at_ + 1;
    const std::string_view tag = text_.substr(at_, tag_end + 1 - at_);
    const size_t close = text_.find(tag, tag_end + 1);
    if (close == std::string_view::npos) {
      return ScriptError(path_, text_, at_, fmt::format("the quote {} is not closed", tag));
    }
    return close + tag.size();
  }

  std::string_view path_;
  std::string_view text_;
  size_t at_ = 0;
  std::vector<ScriptPart> parts_;
};

}  // namespace

bool IsVariableStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsVariablePart(char c) {
  return IsVariableStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

int LineOf(std::string_view script, size_t offset) {
  const std::string_view before = script.substr(0, std::min(offset, script.size()));
  return static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
}

Status ScriptError(std::string_view path, std::string_view script, size_t offset,
                   std::string_view message, std::string_view hint) {
  offset = std::min(offset, script.size());
  const std::string_view before = script.substr(0, offset);
  const size_t line_begin = before.rfind('\n');
  const size_t column = line_begin == std::string_view::npos ? offset + 1 : offset - line_begin;
  Status status =
      Status::Error(sqlstate::kSyntaxError,
                    fmt::format("{}:{}:{}: {}", path, LineOf(script, offset), column, message));
  if (!hint.empty()) status = std::move(status).WithHint(std::string(hint));
  return status;
}

Result<std::vector<ScriptPart>> SplitScript(std::string_view path, std::string_view script) {
  return Splitter(path, script).Run();
}

}  // namespace connbench::load
