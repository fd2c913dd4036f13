// The framing of PostgreSQL's protocol 3.0, for both directions: find the messages in received
// bytes, read the fields of one, append one to a buffer. Nothing here knows what a message means.
//
// Reading copies nothing: frames and fields are views of the bytes that were given. A reader never
// leaves its message: reading past the end makes it fail, once and for all, and yields zeros.
//
// Safety: plain values and pure functions; any thread. Errors: values, nothing is thrown.
//
// Source: PostgreSQL 15 documentation, 55.2 "Message Flow" and 55.7 "Message Formats".
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace connbench::protocol {

// Client to server.
namespace frontend {
inline constexpr char kBind = 'B';
inline constexpr char kClose = 'C';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyFail = 'f';
inline constexpr char kDescribe = 'D';
inline constexpr char kExecute = 'E';
inline constexpr char kFlush = 'H';
inline constexpr char kFunctionCall = 'F';
inline constexpr char kParse = 'P';
inline constexpr char kPassword = 'p';
inline constexpr char kQuery = 'Q';
inline constexpr char kSync = 'S';
inline constexpr char kTerminate = 'X';

// What Describe and Close mean: the first byte of their bodies.
inline constexpr char kOfStatement = 'S';
inline constexpr char kOfPortal = 'P';
}  // namespace frontend

// Server to client.
namespace backend {
inline constexpr char kAuthentication = 'R';
inline constexpr char kBackendKeyData = 'K';
inline constexpr char kBindComplete = '2';
inline constexpr char kCloseComplete = '3';
inline constexpr char kCommandComplete = 'C';
inline constexpr char kCopyBothResponse = 'W';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyInResponse = 'G';
inline constexpr char kCopyOutResponse = 'H';
inline constexpr char kDataRow = 'D';
inline constexpr char kEmptyQueryResponse = 'I';
inline constexpr char kErrorResponse = 'E';
inline constexpr char kNegotiateProtocolVersion = 'v';
inline constexpr char kNoData = 'n';
inline constexpr char kNoticeResponse = 'N';
inline constexpr char kNotificationResponse = 'A';
inline constexpr char kParameterDescription = 't';
inline constexpr char kParameterStatus = 'S';
inline constexpr char kParseComplete = '1';
inline constexpr char kPortalSuspended = 's';
inline constexpr char kReadyForQuery = 'Z';
inline constexpr char kRowDescription = 'T';
}  // namespace backend

// Int32 after Authentication's length.
inline constexpr int32_t kAuthenticationOk = 0;
inline constexpr int32_t kAuthenticationCleartextPassword = 3;
inline constexpr int32_t kAuthenticationSasl = 10;
inline constexpr int32_t kAuthenticationSaslContinue = 11;
inline constexpr int32_t kAuthenticationSaslFinal = 12;

// The one-byte answers to SSLRequest and GSSENCRequest.
inline constexpr char kEncryptionAccepted = 'S';
inline constexpr char kEncryptionRefused = 'N';

// The words that take a version's place in the first packet of a connection.
constexpr uint32_t ProtocolVersion(uint16_t major, uint16_t minor) {
  return (uint32_t{major} << 16) | minor;
}
inline constexpr uint32_t kProtocolVersion3 = ProtocolVersion(3, 0);
inline constexpr uint32_t kCancelRequestCode = ProtocolVersion(1234, 5678);
inline constexpr uint32_t kSslRequestCode = ProtocolVersion(1234, 5679);
inline constexpr uint32_t kGssEncRequestCode = ProtocolVersion(1234, 5680);

inline constexpr size_t kLengthBytes = 4;
inline constexpr size_t kHeaderBytes = 1 + kLengthBytes;  // type and length

inline uint32_t LoadUint32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap32(value);
}
inline uint16_t LoadUint16(const char* bytes) {
  uint16_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap16(value);
}
inline void StoreUint32(char* bytes, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(bytes, &value, sizeof(value));
}
inline void StoreUint16(char* bytes, uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(bytes, &value, sizeof(value));
}

// One message: its type and what follows its length word.
struct Message {
  char type = 0;
  std::string_view body;
};

enum class FrameResult : uint8_t {
  kMessage,     // message is filled, and input moved behind it
  kIncomplete,  // more bytes are needed; input is unchanged
  kBadLength,   // below 4 or above the limit: the stream cannot be followed any further
};

// Takes the next message off input.
FrameResult NextMessage(std::string_view& input, size_t max_body_bytes, Message& message);

// Why a field could not be read; PostgreSQL has a message for each.
enum class ReadFailure : uint8_t {
  kNone,
  kNoData,         // a byte was expected, and nothing is left
  kTooShort,       // less is left than a number or a value needs
  kEndlessString,  // no zero byte ends the string
};

// Reads the fields of one message's body in order.
class MessageReader {
 public:
  explicit MessageReader(std::string_view body)
      : next_(body.data()), end_(body.data() + body.size()) {}

  uint8_t Byte() {
    const char* at = Take(1, ReadFailure::kNoData);
    return at == nullptr ? 0 : static_cast<uint8_t>(*at);
  }
  int16_t Int16() {
    const char* at = Take(2);
    return at == nullptr ? int16_t{0} : static_cast<int16_t>(LoadUint16(at));
  }
  int32_t Int32() {
    const char* at = Take(4);
    return at == nullptr ? 0 : static_cast<int32_t>(LoadUint32(at));
  }
  // Up to, and past, the next zero byte, which the view does not include.
  std::string_view String() {
    if (!ok()) return {};
    const void* zero = std::memchr(next_, 0, static_cast<size_t>(end_ - next_));
    if (zero == nullptr) {
      failure_ = ReadFailure::kEndlessString;
      return {};
    }
    const std::string_view text(next_, static_cast<size_t>(static_cast<const char*>(zero) - next_));
    next_ += text.size() + 1;
    return text;
  }
  // A negative size fails.
  std::string_view Bytes(int64_t size) {
    const char* at = Take(size);
    return at == nullptr ? std::string_view() : std::string_view(at, static_cast<size_t>(size));
  }
  std::string_view Rest() { return Bytes(end_ - next_); }

  // False once anything was read past the end.
  bool ok() const { return failure_ == ReadFailure::kNone; }
  ReadFailure failure() const { return failure_; }
  size_t remaining() const { return ok() ? static_cast<size_t>(end_ - next_) : 0; }
  // Everything was read, and nothing too much.
  bool Finished() const { return ok() && next_ == end_; }

 private:
  const char* Take(int64_t size, ReadFailure failure = ReadFailure::kTooShort) {
    if (!ok() || size < 0 || size > end_ - next_) {
      if (ok()) failure_ = failure;
      return nullptr;
    }
    const char* at = next_;
    next_ += size;
    return at;
  }

  const char* next_;
  const char* end_;
  ReadFailure failure_ = ReadFailure::kNone;
};

// Appends one message to a buffer; the length is filled in by Finish(). One writer at a time may
// use a buffer. A buffer that grows moves: nothing here keeps pointers into it. A message that
// could not be finished, for want of memory, is taken off again.
class MessageWriter {
 public:
  MessageWriter(std::string& out, char type) : out_(out), begin_(out.size()) {
    const char header[kHeaderBytes] = {type};
    out_.append(header, sizeof(header));
  }
  // The first packet of a connection has no type.
  explicit MessageWriter(std::string& out) : out_(out), begin_(out.size()), length_at_(out.size()) {
    out_.append(kLengthBytes, '\0');
  }
  ~MessageWriter() {
    if (!finished_) out_.resize(begin_);
  }
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  MessageWriter& Byte(char value) {
    out_.push_back(value);
    return *this;
  }
  MessageWriter& Int16(int16_t value) {
    char bytes[2];
    StoreUint16(bytes, static_cast<uint16_t>(value));
    out_.append(bytes, sizeof(bytes));
    return *this;
  }
  MessageWriter& Int32(int32_t value) {
    char bytes[4];
    StoreUint32(bytes, static_cast<uint32_t>(value));
    out_.append(bytes, sizeof(bytes));
    return *this;
  }
  // text must hold no zero byte: the protocol could not tell where it ends.
  MessageWriter& String(std::string_view text) {
    out_.append(text);
    out_.push_back('\0');
    return *this;
  }
  MessageWriter& Bytes(std::string_view bytes) {
    out_.append(bytes);
    return *this;
  }
  // Int32 length and the bytes: the form of parameters and column values.
  MessageWriter& Value(std::string_view bytes) {
    return Int32(static_cast<int32_t>(bytes.size())).Bytes(bytes);
  }
  MessageWriter& Null() { return Int32(-1); }

  void Finish() {
    StoreUint32(out_.data() + length_at_, static_cast<uint32_t>(out_.size() - length_at_));
    finished_ = true;
  }

 private:
  std::string& out_;
  const size_t begin_;
  const size_t length_at_ = begin_ + 1;
  bool finished_ = false;
};

// A message without a body.
inline void AppendEmptyMessage(std::string& out, char type) {
  const char bytes[kHeaderBytes] = {type, 0, 0, 0, kLengthBytes};
  out.append(bytes, sizeof(bytes));
}

}  // namespace connbench::protocol
