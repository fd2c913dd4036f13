// JSON from text: tokens, grammar, errors.
#include "engine/executor/types/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr int64_t kBytesPerStep = 4;

bool IsJsonWordByte(char c) {
  return IsAsciiDigit(c) || IsAsciiLetter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

size_t SkipDigits(std::string_view text, size_t at) {
  while (at < text.size() && IsAsciiDigit(text[at])) ++at;
  return at;
}

// The end of the number, without its sign, that begins there, and of the word that goes on behind
// it. valid: it is one.
size_t EndOfNumber(std::string_view text, size_t at, bool& valid) {
  const size_t begin = at;
  at = at < text.size() && text[at] == '0' ? at + 1 : SkipDigits(text, at);
  valid = at > begin;
  if (at < text.size() && text[at] == '.') {
    const size_t digits = at + 1;
    at = SkipDigits(text, digits);
    valid = valid && at > digits;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t digits = at;
    at = SkipDigits(text, digits);
    valid = valid && at > digits;
  }
  for (; at < text.size() && IsJsonWordByte(text[at]); ++at) valid = false;
  return at;
}

void AppendUtf8(uint32_t c, std::string& out) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
    }
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

// The character behind a backslash; 0: there is no such escape.
char Unescaped(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

// ---- errors ----

std::string JsonReader::TokenText() const {
  return Excerpt(text_.substr(token_begin_, token_end_ - token_begin_));
}

// The line up to the token's end, without what lies far before it.
std::string JsonReader::Context() const {
  constexpr size_t kMostBytes = 50;
  constexpr size_t kFewBytes = 3;
  size_t begin = std::min(line_begin_, token_end_);
  while (token_end_ - begin >= kMostBytes) {
    begin += static_cast<size_t>(Utf8Length(text_[begin]));
  }
  if (begin <= line_begin_ + kFewBytes) begin = std::min(line_begin_, token_end_);
  const bool goes_on = token_ != JsonToken::kEnd && !AtEnd(token_end_) &&
                       text_[token_end_] != '\n' && text_[token_end_] != '\r';
  return fmt::format("JSON data, line {}: {}{}{}", line_, begin > line_begin_ ? "..." : "",
                     text_.substr(begin, token_end_ - begin), goes_on ? "..." : "");
}

Status JsonReader::Error(std::string_view code, std::string message, std::string detail) const {
  return Status::Error(code, std::move(message))
      .WithDetail(std::move(detail))
      .WithContext(Context());
}
Status JsonReader::Invalid(std::string detail) const {
  return Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type json",
               std::move(detail));
}
Status JsonReader::InvalidToken() const {
  return Invalid(fmt::format("Token \"{}\" is invalid.", TokenText()));
}
Status JsonReader::Unexpected(std::string_view expected) const {
  if (token_ == JsonToken::kEnd) return Invalid("The input string ended unexpectedly.");
  return Invalid(fmt::format("Expected {}, but found \"{}\".", expected, TokenText()));
}

// ---- tokens ----

Status JsonReader::Lex() {
  size_t at = token_end_;
  for (; !AtEnd(at) &&
         (text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\n' || text_[at] == '\r');
       ++at) {
    if (text_[at] != '\n') continue;
    ++line_;
    line_begin_ = at + 1;
  }
  CONNBENCH_RETURN_IF_ERROR(
      meter_.Spend(1 + static_cast<int64_t>(at - token_begin_) / kBytesPerStep));
  token_begin_ = at;
  if (AtEnd(at)) {
    token_end_ = at;
    token_ = JsonToken::kEnd;
    return {};
  }
  const auto mark = [&](JsonToken token) {
    token_ = token;
    token_end_ = at + 1;
    return Status();
  };
  switch (text_[at]) {
    case '{':
      return mark(JsonToken::kObjectStart);
    case '}':
      return mark(JsonToken::kObjectEnd);
    case '[':
      return mark(JsonToken::kArrayStart);
    case ']':
      return mark(JsonToken::kArrayEnd);
    case ',':
      return mark(JsonToken::kComma);
    case ':':
      return mark(JsonToken::kColon);
    case '"':
      return LexString();
    case '-':
      return LexNumber(at + 1);
    default:
      return IsAsciiDigit(text_[at]) ? LexNumber(at) : LexWord();
  }
}

Status JsonReader::LexNumber(size_t at) {
  bool valid = false;
  token_end_ = EndOfNumber(text_, at, valid);
  if (!valid) return InvalidToken();
  token_ = JsonToken::kNumber;
  return {};
}

Status JsonReader::LexWord() {
  size_t end = token_begin_;
  while (!AtEnd(end) && IsJsonWordByte(text_[end])) ++end;
  token_end_ = std::max(end, token_begin_ + 1);
  const std::string_view word = text_.substr(token_begin_, token_end_ - token_begin_);
  if (word == "true") {
    token_ = JsonToken::kTrue;
  } else if (word == "false") {
    token_ = JsonToken::kFalse;
  } else if (word == "null") {
    token_ = JsonToken::kNull;
  } else {
    return InvalidToken();
  }
  return {};
}

void JsonReader::EndToken(size_t at) {
  token_end_ = std::min(at + static_cast<size_t>(Utf8Length(text_[at])), text_.size());
}

Status JsonReader::NoLowSurrogate(size_t at) {
  EndToken(at);
  return Invalid("Unicode low surrogate must follow a high surrogate.");
}

Status JsonReader::LexString() {
  decoded_.clear();
  int32_t high_surrogate = -1;
  size_t at = token_begin_ + 1;
  for (;; ++at) {
    if (AtEnd(at)) {
      token_end_ = at;
      return InvalidToken();
    }
    const char c = text_[at];
    if (static_cast<unsigned char>(c) < ' ') {
      token_end_ = at;
      return Invalid(fmt::format("Character with value 0x{:02x} must be escaped.",
                                 static_cast<unsigned char>(c)));
    }
    if (c == '\\') {
      CONNBENCH_RETURN_IF_ERROR(LexEscape(at, high_surrogate));
      continue;
    }
    if (decode_ && high_surrogate >= 0) return NoLowSurrogate(at);
    if (c == '"') {
      token_end_ = at + 1;
      token_ = JsonToken::kString;
      return {};
    }
    if (decode_) decoded_ += c;
  }
}

// at: the backslash, then the escape's last byte.
Status JsonReader::LexEscape(size_t& at, int32_t& high_surrogate) {
  ++at;
  if (AtEnd(at)) {
    token_end_ = at;
    return InvalidToken();
  }
  if (text_[at] == 'u') return LexUnicode(at, high_surrogate);
  if (decode_ && high_surrogate >= 0) return NoLowSurrogate(at);
  const char c = Unescaped(text_[at]);
  if (c == 0) {
    token_begin_ = at;
    EndToken(at);
    return Invalid(fmt::format("Escape sequence \"\\{}\" is invalid.", TokenText()));
  }
  if (decode_) decoded_ += c;
  return {};
}

Status JsonReader::LexUnicode(size_t& at, int32_t& high_surrogate) {
  int32_t c = 0;
  for (int i = 0; i < 4; ++i) {
    ++at;
    if (AtEnd(at)) {
      token_end_ = at;
      return InvalidToken();
    }
    const int digit = HexDigitValue(text_[at]);
    if (digit < 0) {
      EndToken(at);
      return Invalid("\"\\u\" must be followed by four hexadecimal digits.");
    }
    c = c * 16 + digit;
  }
  if (!decode_) return {};
  constexpr int32_t kHigh = 0xD800;
  constexpr int32_t kLow = 0xDC00;
  constexpr int32_t kEndOfSurrogates = 0xE000;
  if (c >= kHigh && c < kLow) {
    if (high_surrogate >= 0) {
      EndToken(at);
      return Invalid("Unicode high surrogate must not follow a high surrogate.");
    }
    high_surrogate = c;
    return {};
  }
  const bool low = c >= kLow && c < kEndOfSurrogates;
  if (low != (high_surrogate >= 0)) return NoLowSurrogate(at);
  if (low) c = 0x10000 + ((high_surrogate - kHigh) << 10) + (c - kLow);
  high_surrogate = -1;
  if (c == 0) {
    EndToken(at);
    return Error(sqlstate::kUntranslatableCharacter, "unsupported Unicode escape sequence",
                 "\\u0000 cannot be converted to text.");
  }
  AppendUtf8(static_cast<uint32_t>(c), decoded_);
  return {};
}

// ---- grammar ----

void JsonReader::EndValue() {
  expect_ = open_.empty()         ? Expect::kEnd
            : open_.back() == '{' ? Expect::kObjectNext
                                  : Expect::kArrayNext;
}

Status JsonReader::Open(char bracket, JsonEvent& event) {
  event.depth = open_.size();
  if (open_.size() == kMaxJsonDepth) {
    return Status::Error(sqlstate::kStatementTooComplex, "stack depth limit exceeded")
        .WithDetail(fmt::format("The limit is {} levels of objects and arrays.", kMaxJsonDepth));
  }
  open_ += bracket;
  expect_ = bracket == '{' ? Expect::kObjectFirst : Expect::kArrayFirst;
  return {};
}

void JsonReader::Close(JsonEvent& event) {
  open_.pop_back();
  event.depth = open_.size();
  EndValue();
}

Status JsonReader::Next(JsonEvent& event) {
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(Lex());
    event = {token_, false, token_begin_, token_end_, open_.size(), decoded_};
    switch (expect_) {
      case Expect::kEnd:
        return token_ == JsonToken::kEnd ? Status() : Unexpected("end of input");
      case Expect::kColon:
        if (token_ != JsonToken::kColon) return Unexpected("\":\"");
        expect_ = Expect::kValue;
        continue;
      case Expect::kArrayNext:
      case Expect::kObjectNext: {
        const bool array = expect_ == Expect::kArrayNext;
        if (token_ == JsonToken::kComma) {
          expect_ = array ? Expect::kValue : Expect::kObjectKey;
          continue;
        }
        if (token_ != (array ? JsonToken::kArrayEnd : JsonToken::kObjectEnd)) {
          return Unexpected(array ? "\",\" or \"]\"" : "\",\" or \"}\"");
        }
        Close(event);
        return {};
      }
      case Expect::kObjectFirst:
      case Expect::kObjectKey: {
        const bool first = expect_ == Expect::kObjectFirst;
        if (first && token_ == JsonToken::kObjectEnd) {
          Close(event);
          return {};
        }
        if (token_ != JsonToken::kString) return Unexpected(first ? "string or \"}\"" : "string");
        event.is_key = true;
        expect_ = Expect::kColon;
        return {};
      }
      case Expect::kArrayFirst:
        if (token_ == JsonToken::kArrayEnd) {
          Close(event);
          return {};
        }
        [[fallthrough]];
      case Expect::kValue:
        break;
    }
    switch (token_) {
      case JsonToken::kObjectStart:
        return Open('{', event);
      case JsonToken::kArrayStart:
        return Open('[', event);
      case JsonToken::kString:
      case JsonToken::kNumber:
      case JsonToken::kTrue:
      case JsonToken::kFalse:
      case JsonToken::kNull:
        EndValue();
        return {};
      default:
        return Unexpected("JSON value");
    }
  }
}

Status JsonReader::Skip(JsonEvent& event) {
  for (const size_t depth = event.depth;;) {
    CONNBENCH_RETURN_IF_ERROR(Next(event));
    const bool closes = event.token == JsonToken::kObjectEnd || event.token == JsonToken::kArrayEnd;
    if ((closes && event.depth == depth) || event.token == JsonToken::kEnd) return {};
  }
}

Status ValidateJson(std::string_view text, const Arena& arena) {
  JsonReader reader(text, /*decode_strings=*/false, arena);
  JsonEvent event;
  do {
    CONNBENCH_RETURN_IF_ERROR(reader.Next(event));
  } while (event.token != JsonToken::kEnd);
  return {};
}

bool IsJsonNumber(std::string_view text) {
  bool valid = false;
  const size_t begin = text.starts_with('-') ? 1 : 0;
  return EndOfNumber(text, begin, valid) == text.size() && valid;
}

bool AppendJsonString(std::string_view text, ArenaBuffer& buffer, Arena& arena) {
  const auto append = [&](std::string_view piece) { return buffer.Append(piece, arena); };
  if (!append("\"")) return false;
  size_t plain = 0;  // from there on nothing has been escaped
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= ' ' && c != '"' && c != '\\') continue;
    constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
    constexpr std::string_view kLetters = "bfnrt\"\\";
    const size_t place = kShort.find(c);
    const std::string escape = place != std::string_view::npos
                                   ? std::string{'\\', kLetters[place]}
                                   : fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    if (!append(text.substr(plain, i - plain)) || !append(escape)) return false;
    plain = i + 1;
  }
  return append(text.substr(plain)) && append("\"");
}

}  // namespace connbench::engine
