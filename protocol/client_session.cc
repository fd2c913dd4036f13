#include "protocol/client_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

// The portal and the statement of the unnamed extended protocol.
constexpr std::string_view kUnnamed;
// A result with more columns than PostgreSQL can make is not from a server.
constexpr int kMaxColumns = 1664;
// Before the session is ready nothing long is said; libpq's limit for errors there.
constexpr size_t kMaxStartupMessageBytes = 30'000;

// "P_" and a number, without allocating.
class StatementName {
 public:
  explicit StatementName(uint32_t number) {
    text_[0] = 'P';
    text_[1] = '_';
    end_ = std::to_chars(text_.data() + 2, text_.data() + text_.size(), number).ptr;
  }
  std::string_view view() const { return {text_.data(), static_cast<size_t>(end_ - text_.data())}; }

 private:
  std::array<char, 16> text_;
  char* end_;
};

}  // namespace

void ClientSession::Reset() {
  state_ = State::kNew;
  end_ = End::kOpen;
  authenticated_ = false;
  transaction_status_ = TransactionStatus::kIdle;
  connection_id_ = cancel_key_ = 0;
  command_ = {};
  options_ = {};
  output_.clear();
  encryption_.reset();
  scram_.reset();
  server_proven_ = channel_bound_ = false;
  tail_.clear();
  prepared_.clear();
  preparing_ = -1;
  error_ = {};
  parameters_.clear();
}

void ClientSession::BeginCommand() {
  command_ = {};
  preparing_ = -1;
  completed_ = false;
  state_ = State::kBusy;
}

void ClientSession::Query(std::string_view sql) {
  BeginCommand();
  AppendQuery(out(), sql);
  Seal();
}

void ClientSession::QueryExtended(std::string_view sql, std::span<const WireValue> parameters) {
  BeginCommand();
  AppendParse(out(), kUnnamed, sql);
  AppendBind(out(), kUnnamed, kUnnamed, parameters);
  AppendDescribePortal(out(), kUnnamed);
  AppendExecute(out(), kUnnamed);
  AppendSync(out());
  Seal();
}

void ClientSession::QueryPrepared(uint32_t statement, std::string_view sql,
                                  std::span<const WireValue> parameters) {
  BeginCommand();
  const StatementName name(statement);
  if (statement >= prepared_.size()) prepared_.resize(statement + 1);
  if (!prepared_[statement]) {
    AppendParse(out(), name.view(), sql);
    preparing_ = statement;
  }
  AppendBind(out(), kUnnamed, name.view(), parameters);
  AppendDescribePortal(out(), kUnnamed);
  AppendExecute(out(), kUnnamed);
  AppendSync(out());
  Seal();
}

void ClientSession::Terminate() {
  if (state_ == State::kClosed) return;
  const bool understood =
      state_ != State::kNew && state_ != State::kAskingForTls && state_ != State::kHandshaking;
  if (understood) {
    AppendTerminate(out());
    Seal();
    if (encryption_ != nullptr) encryption_->stream->Close();
  }
  state_ = State::kClosed;
  end_ = End::kTerminated;
}

ClientSession::State ClientSession::Receive(std::string_view bytes) {
  if (state_ == State::kAskingForTls) {
    HandleTlsAnswer(bytes);
  } else if (encryption_ != nullptr) {
    ReceiveEncrypted(bytes);
  } else {
    ReceivePlain(bytes);
  }
  return state_;
}

void ClientSession::ReceivePlain(std::string_view bytes) {
  const bool buffered = !tail_.empty();
  if (buffered) tail_.append(bytes);
  std::string_view input = buffered ? std::string_view(tail_) : bytes;
  while (state_ != State::kClosed) {
    Message message;
    const size_t limit =
        InStartup() ? std::min(kMaxStartupMessageBytes, max_message_bytes_) : max_message_bytes_;
    const FrameResult result = NextMessage(input, limit, message);
    if (result == FrameResult::kBadLength) {
      Fail(fmt::format("a message of type 0x{:02x} with an impossible length",
                       static_cast<unsigned char>(input[0])));
      break;
    }
    if (result == FrameResult::kIncomplete) break;
    Handle(message);
  }
  if (state_ == State::kClosed) {
    tail_.clear();
  } else if (buffered) {
    tail_.erase(0, tail_.size() - input.size());
    if (tail_.empty() && tail_.capacity() > kRetainedBufferBytes) tail_.shrink_to_fit();
  } else {
    tail_.assign(input);
  }
}

bool ClientSession::InStartup() const {
  return state_ == State::kAuthenticating || state_ == State::kStarting;
}

void ClientSession::Handle(const Message& message) {
  // What may come at any time.
  switch (message.type) {
    case backend::kErrorResponse:
      return HandleError(message);
    case backend::kNoticeResponse:
    case backend::kNotificationResponse:
      return;
    case backend::kParameterStatus: {
      std::string_view name;
      std::string_view value;
      if (!ReadParameterStatus(message.body, name, value)) return Fail("a bad ParameterStatus");
      constexpr size_t kMaxParameters = 256;
      if (!keep_parameters_ || parameters_.size() >= kMaxParameters) return;
      const auto known = std::find_if(parameters_.begin(), parameters_.end(),
                                      [&](const auto& entry) { return entry.first == name; });
      if (known != parameters_.end()) {
        known->second = value;
      } else {
        parameters_.emplace_back(name, value);
      }
      return;
    }
    default:
      break;
  }
  if (InStartup()) {
    switch (message.type) {
      case backend::kAuthentication:
        return HandleAuthentication(message);
      case backend::kNegotiateProtocolVersion:
        return;  // a server that lacks a minor version; 3.0 is what was asked for
      case backend::kBackendKeyData:
        if (!ReadBackendKeyData(message.body, connection_id_, cancel_key_)) {
          Fail("a bad BackendKeyData");
        }
        return;
      case backend::kReadyForQuery:
        if (!authenticated_) return Fail("ReadyForQuery before AuthenticationOk");
        return HandleReady(message);
      default:
        break;
    }
  } else if (state_ == State::kBusy) {
    switch (message.type) {
      case backend::kReadyForQuery:
        return HandleReady(message);
      case backend::kDataRow:
        return HandleDataRow(message);
      case backend::kRowDescription:
        return HandleRowDescription(message);
      case backend::kParseComplete:
        if (preparing_ >= 0) prepared_[static_cast<size_t>(preparing_)] = true;
        return;
      case backend::kCommandComplete:
        completed_ = true;
        if (sink_ != nullptr) sink_->Tag(MessageReader(message.body).String());
        return;
      case backend::kEmptyQueryResponse:
      case backend::kPortalSuspended:
        completed_ = true;
        return;
      case backend::kBindComplete:
      case backend::kCloseComplete:
      case backend::kNoData:
      case backend::kParameterDescription:
      case backend::kCopyOutResponse:
      case backend::kCopyData:
      case backend::kCopyDone:
        return;
      case backend::kCopyInResponse:
        AppendCopyFail(out(), "this client has no data to copy");
        return;
      default:
        break;
    }
  }
  Fail(fmt::format("a message of type 0x{:02x} where none was expected",
                   static_cast<unsigned char>(message.type)));
}

void ClientSession::HandleError(const Message& message) {
  ErrorFields fields;
  if (!ReadErrorFields(message.body, fields)) return Fail("a bad ErrorResponse");
  error_ = {};
  error_.code = fields.code;
  error_.message = fields.message;
  error_.detail = fields.detail;
  error_.context = fields.context;
  error_.hint = fields.hint;
  std::from_chars(fields.position.data(), fields.position.data() + fields.position.size(),
                  error_.position);
  error_.fatal = fields.severity == "FATAL" || fields.severity == "PANIC";
  if (state_ == State::kBusy && !command_.failed) {
    command_.failed = true;
    const size_t length = fields.code.copy(command_.sqlstate, sizeof(command_.sqlstate) - 1);
    command_.sqlstate[length] = '\0';
  }
  // Every error during startup ends the connection.
  if (error_.fatal || state_ != State::kBusy) {
    state_ = State::kClosed;
    end_ = End::kFatalError;
  }
}

void ClientSession::HandleRowDescription(const Message& message) {
  if (sink_ == nullptr) return;
  MessageReader reader(message.body);
  const int columns = reader.Int16();
  if (columns < 0 || columns > kMaxColumns) return Fail("a RowDescription with too many columns");
  std::vector<std::string_view> names;
  names.reserve(static_cast<size_t>(columns));
  constexpr int kFixedBytes = 18;  // table, column, type, size, modifier, format
  for (int i = 0; i < columns; ++i) {
    names.push_back(reader.String());
    reader.Bytes(kFixedBytes);
  }
  if (!reader.ok()) return Fail("a bad RowDescription");
  sink_->Columns(names);
}

void ClientSession::HandleDataRow(const Message& message) {
  ++command_.rows;
  if (sink_ == nullptr) return;
  MessageReader reader(message.body);
  const int columns = reader.Int16();
  if (columns < 0 || columns > kMaxColumns) return Fail("a DataRow with too many columns");
  std::vector<WireValue> values(static_cast<size_t>(columns));
  for (WireValue& value : values) {
    const int32_t length = reader.Int32();
    if (length < 0) continue;  // NULL
    value.data = reader.Bytes(length).data();
    value.length = length;
  }
  if (!reader.ok()) return Fail("a bad DataRow");
  sink_->Row(values);
}

void ClientSession::HandleReady(const Message& message) {
  if (!ReadReadyForQuery(message.body, transaction_status_)) return Fail("a bad ReadyForQuery");
  if (state_ == State::kBusy && !completed_ && !command_.failed) {
    return Fail("ReadyForQuery before the command was complete");
  }
  state_ = State::kIdle;
  scram_.reset();
}

void ClientSession::Fail(std::string_view what) {
  state_ = State::kClosed;
  end_ = End::kProtocolError;
  error_ = {};
  error_.code = sqlstate::kProtocolViolation;
  error_.message = fmt::format("the server sent {}", what);
  error_.fatal = true;
}

std::string_view ClientSession::ServerParameter(std::string_view name) const {
  for (const auto& [known, value] : parameters_) {
    if (known == name) return value;
  }
  return {};
}

}  // namespace connbench::protocol
