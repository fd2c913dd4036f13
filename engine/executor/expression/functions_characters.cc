// translate(), overlay() and unistr(): texts character by character.
#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "base/ascii.h"
#include "engine/executor/arena_buffer.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/text_builder.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

std::string_view TakeCharacterBytes(std::string_view text, size_t& at) {
  const std::string_view character = text.substr(at, static_cast<size_t>(Utf8Length(text[at])));
  at += character.size();
  return character;
}

// Of the characters of a[1], the first of each is replaced by the one of a[2] at the same place, or
// left out if there is none.
bool Translate(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr int64_t kStepsPerCharacter = 20;
  WorkMeter meter = context.arena->Meter();
  const std::string_view from = a[1].text();
  const std::string_view to = a[2].text();
  std::unordered_map<std::string_view, std::string_view> replacements;
  for (size_t at = 0, to_at = 0; at < from.size();) {
    const std::string_view character = TakeCharacterBytes(from, at);
    const std::string_view replacement =
        to_at < to.size() ? TakeCharacterBytes(to, to_at) : std::string_view();
    replacements.try_emplace(character, replacement);
    if (!context.Check(meter.Spend(kStepsPerCharacter))) return false;
  }
  ArenaBuffer buffer;
  const std::string_view text = a[0].text();
  for (size_t at = 0; at < text.size();) {
    std::string_view character = TakeCharacterBytes(text, at);
    if (const auto found = replacements.find(character); found != replacements.end()) {
      character = found->second;
    }
    if (!buffer.Append(character, *context.arena)) {
      return context.Fail(buffer.OutOfMemory(*context.arena));
    }
    if (!context.Check(meter.Spend(kStepsPerCharacter))) return false;
  }
  return StoreView(buffer.view(), out);
}

// Whether overlay() may put something at start instead of length characters or bytes; their end.
bool OverlayRange(EvalContext& context, int64_t start, int64_t length, int64_t& end) {
  if (start <= 0) {
    return context.Fail(
        Status::Error(sqlstate::kSubstringError, "negative substring length not allowed"));
  }
  end = start + length;
  if (end > INT32_MAX || end < INT32_MIN) {
    return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange, "integer out of range"));
  }
  return true;
}

bool JoinThree(EvalContext& context, std::string_view before, std::string_view inserted,
               std::string_view after, Value& out) {
  TextBuilder builder(context,
                      static_cast<int64_t>(before.size() + inserted.size() + after.size()));
  builder.Add(before);
  builder.Add(inserted);
  builder.Add(after);
  return builder.Finish(out);
}

bool Overlay(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view text = a[0].text();
  const std::string_view inserted = a[1].text();
  int64_t end = 0;
  const int64_t length = count == 4 ? a[3].integer : CountCharacters(inserted);
  if (!OverlayRange(context, a[2].integer, length, end)) return false;
  const std::string_view before = text.substr(0, ByteOffsetOf(text, a[2].integer - 1));
  const std::string_view after = text.substr(ByteOffsetOf(text, std::max<int64_t>(end - 1, 0)));
  return JoinThree(context, before, inserted, after, out);
}

bool OverlayBytes(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view bytes = a[0].text();
  const std::string_view inserted = a[1].text();
  int64_t end = 0;
  const int64_t length = count == 4 ? a[3].integer : static_cast<int64_t>(inserted.size());
  if (!OverlayRange(context, a[2].integer, length, end)) return false;
  const auto cut = [&](int64_t at) {
    return static_cast<size_t>(std::clamp<int64_t>(at, 0, static_cast<int64_t>(bytes.size())));
  };
  const std::string_view before = bytes.substr(0, cut(a[2].integer - 1));
  const std::string_view after = bytes.substr(cut(end - 1));
  return JoinThree(context, before, inserted, after, out);
}

// Reads \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX and \\.
class UnicodeEscapes {
 public:
  UnicodeEscapes(EvalContext& context, std::string_view text)
      : context_(context), text_(text), meter_(context.arena->Meter()) {}

  bool Run(Value& out) {
    while (at_ < text_.size()) {
      const size_t escape = text_.find('\\', at_);
      if (escape != at_) {
        if (first_half_ != 0) return BadPair();
        if (!Append(text_.substr(at_, escape - at_))) return false;
        if (escape == std::string_view::npos) break;
        at_ = escape;
      }
      if (text_.substr(at_).starts_with("\\\\")) {
        if (first_half_ != 0) return BadPair();
        if (!Append("\\")) return false;
        at_ += 2;
      } else if (!TakeEscape()) {
        return false;
      }
      constexpr int64_t kStepsPerEscape = 40;
      if (!context_.Check(meter_.Spend(kStepsPerEscape))) return false;
    }
    if (first_half_ != 0) return BadPair();
    return StoreView(buffer_.view(), out);
  }

 private:
  bool BadPair() {
    return context_.Fail(Status::Error(sqlstate::kSyntaxError, "invalid Unicode surrogate pair"));
  }
  bool Append(std::string_view text) {
    return buffer_.Append(text, *context_.arena) ||
           context_.Fail(buffer_.OutOfMemory(*context_.arena));
  }
  bool Digits(size_t skip, size_t count, uint32_t& code) {
    if (text_.size() - at_ < skip + count) return false;
    code = 0;
    for (const char c : text_.substr(at_ + skip, count)) {
      if (HexDigitValue(c) < 0) return false;
      code = code * 16 + static_cast<uint32_t>(HexDigitValue(c));
    }
    at_ += skip + count;
    return true;
  }
  bool TakeEscape() {
    const std::string_view rest = text_.substr(at_);
    uint32_t code = 0;
    const bool read = rest.starts_with("\\+")   ? Digits(2, 6, code)
                      : rest.starts_with("\\u") ? Digits(2, 4, code)
                      : rest.starts_with("\\U") ? Digits(2, 8, code)
                                                : Digits(1, 4, code);
    if (!read) {
      return context_.Fail(
          Status::Error(sqlstate::kSyntaxError, "invalid Unicode escape")
              .WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX."));
    }
    if (code == 0 || code > 0x10FFFF) {
      return context_.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                         fmt::format("invalid Unicode code point: {:04X}", code)));
    }
    const bool is_first = code >= 0xD800 && code < 0xDC00;
    const bool is_second = code >= 0xDC00 && code < 0xE000;
    if (is_second != (first_half_ != 0)) return BadPair();
    if (is_first) {
      first_half_ = code;
      return true;
    }
    if (is_second) {
      code = 0x10000 + ((first_half_ & 0x3FF) << 10) + (code & 0x3FF);
      first_half_ = 0;
    }
    char bytes[4];
    return Append({bytes, EncodeUtf8(code, bytes)});
  }

  EvalContext& context_;
  const std::string_view text_;
  WorkMeter meter_;
  size_t at_ = 0;
  uint32_t first_half_ = 0;  // of a surrogate pair
  ArenaBuffer buffer_;
};

bool Unistr(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return UnicodeEscapes(context, a[0].text()).Run(out);
}

constexpr std::array kCharacterRows = {
    FunctionRow("translate", {oid::kText, oid::kText, oid::kText}, oid::kText, Translate),
    FunctionRow("overlay", {oid::kText, oid::kText, oid::kInt4}, oid::kText, Overlay),
    FunctionRow("overlay", {oid::kText, oid::kText, oid::kInt4, oid::kInt4}, oid::kText, Overlay),
    FunctionRow("overlay", {oid::kBytea, oid::kBytea, oid::kInt4}, oid::kBytea, OverlayBytes),
    FunctionRow("overlay", {oid::kBytea, oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea,
                OverlayBytes),
    FunctionRow("unistr", {oid::kText}, oid::kText, Unistr),
};

}  // namespace

std::span<const FunctionDescription> CharacterFunctions() { return kCharacterRows; }

}  // namespace connbench::engine
