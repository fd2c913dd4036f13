// json: a text that is valid JSON, kept as it was given.
//
// Safety: private memory, one thread. The text must outlive the reader.
// Errors: PostgreSQL's, with detail and context: 22P02, 22P05 for \u0000 in what is decoded; 54001
// past kMaxJsonDepth; interrupts of the arena's session.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/arena_buffer.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

// About where PostgreSQL's stack depth ends with its default settings.
inline constexpr size_t kMaxJsonDepth = 6400;

enum class JsonToken : uint8_t {
  kObjectStart,
  kObjectEnd,
  kArrayStart,
  kArrayEnd,
  kColon,
  kComma,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kNull,
  kEnd,
};

// A token of a valid text.
struct JsonEvent {
  JsonToken token = JsonToken::kEnd;
  bool is_key = false;       // of an object
  size_t begin = 0;          // in the text
  size_t end = 0;            // behind it
  size_t depth = 0;          // how many objects and arrays are open around it
  std::string_view decoded;  // of a string, if strings are decoded; valid until the next event
};

// Reads a text from token to token; colons and commas are no events.
class JsonReader {
 public:
  JsonReader(std::string_view text, bool decode_strings, const Arena& arena)
      : text_(text), decode_(decode_strings), meter_(arena.Meter()) {}

  // After the last event, kEnd for ever.
  Status Next(JsonEvent& event);
  // To the end of the object or array that has just begun; event is that.
  Status Skip(JsonEvent& event);

 private:
  enum class Expect : uint8_t {
    kValue,
    kArrayFirst,
    kArrayNext,
    kObjectFirst,
    kObjectKey,
    kColon,
    kObjectNext,
    kEnd,
  };

  Status Lex();
  Status LexString();
  Status LexEscape(size_t& at, int32_t& high_surrogate);
  Status LexUnicode(size_t& at, int32_t& high_surrogate);
  Status LexNumber(size_t at);
  void EndToken(size_t at);  // behind the character that begins there
  Status NoLowSurrogate(size_t at);
  Status LexWord();
  Status Open(char bracket, JsonEvent& event);
  void Close(JsonEvent& event);
  void EndValue();
  // An error at the current token: what was expected, before ", but found ...".
  Status Unexpected(std::string_view expected) const;
  Status Invalid(std::string detail) const;
  Status InvalidToken() const;
  Status Error(std::string_view code, std::string message, std::string detail) const;
  std::string Context() const;
  std::string TokenText() const;
  bool AtEnd(size_t at) const { return at >= text_.size(); }

  const std::string_view text_;
  const bool decode_;
  WorkMeter meter_;
  Expect expect_ = Expect::kValue;
  std::string open_;                     // brackets
  JsonToken token_ = JsonToken::kColon;  // kEnd: the text has ended
  size_t token_begin_ = 0;
  size_t token_end_ = 0;
  size_t line_begin_ = 0;
  int line_ = 1;
  std::string decoded_;
};

// Whether the text is valid: what json's input function asks.
Status ValidateJson(std::string_view text, const Arena& arena);
// Whether it is a number as JSON writes them.
bool IsJsonNumber(std::string_view text);
// Appends the text in quotes, with escapes. False: past the arena's limit.
bool AppendJsonString(std::string_view text, ArenaBuffer& buffer, Arena& arena);

}  // namespace connbench::engine
