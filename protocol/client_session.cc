// The client's side of one PostgreSQL connection (protocol 3.0) without any I/O.
#include "protocol/client_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/printable.h"
#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

// The portal and the statement of the unnamed extended protocol.
constexpr std::string_view kUnnamed;
constexpr uint32_t kNoStatement = UINT32_MAX;  // the unnamed one has no number
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
  before_encryption_ = false;
  tail_.clear();
  prepared_.clear();
  parsing_.clear();
  parsed_ = 0;
  in_pipeline_ = false;
  error_ = {};
  parameters_.clear();
}

void ClientSession::BeginCommand() {
  command_ = {};
  parsing_.clear();
  parsed_ = 0;
  extended_ = false;
  incomplete_ = 0;
  state_ = State::kBusy;
}

void ClientSession::Query(std::string_view sql) {
  BeginCommand();
  incomplete_ = 1;
  AppendQuery(out(), sql);
  Seal();
}

void ClientSession::BeginExtended() {
  if (!in_pipeline_) BeginCommand();
  extended_ = true;
  ++incomplete_;
}

void ClientSession::EndExtended() {
  AppendDescribePortal(out(), kUnnamed);
  AppendExecute(out(), kUnnamed);
  if (!in_pipeline_) AppendSync(out());
  Seal();
}

void ClientSession::SendParse(uint32_t statement, std::string_view name, std::string_view sql) {
  AppendParse(out(), name, sql);
  parsing_.push_back(statement);
}

void ClientSession::QueryExtended(std::string_view sql, std::span<const WireValue> parameters) {
  BeginExtended();
  SendParse(kNoStatement, kUnnamed, sql);
  AppendBind(out(), kUnnamed, kUnnamed, parameters);
  EndExtended();
}

void ClientSession::QueryPrepared(uint32_t statement, std::string_view sql,
                                  std::span<const WireValue> parameters) {
  BeginExtended();
  const StatementName name(statement);
  if (statement >= prepared_.size()) prepared_.resize(statement + 1);
  if (!prepared_[statement]) {
    SendParse(statement, name.view(), sql);
    prepared_[statement] = true;  // until its Parse turns out to have failed
  }
  AppendBind(out(), kUnnamed, name.view(), parameters);
  EndExtended();
}

void ClientSession::BeginPipeline() {
  BeginCommand();
  in_pipeline_ = true;
}

void ClientSession::EndPipeline() {
  in_pipeline_ = false;
  AppendSync(out());
  Seal();
}

// In the extended protocol a server that waits for data passes over the Sync behind the Execute;
// where other statements follow, it has found them in place of data and waits for their Sync.
void ClientSession::RefuseCopy() {
  command_.wanted_copy_data = true;
  AppendCopyFail(out(), "this client has no data to copy");
  if (extended_ && !in_pipeline_ && incomplete_ <= 1) AppendSync(out());
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
    case backend::kNoticeResponse: {
      ErrorFields notice;
      if (sink_ != nullptr && ReadErrorFields(message.body, notice)) sink_->Notice(notice);
      return;
    }
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
        known->second = Printable(value);
      } else {
        parameters_.emplace_back(name, Printable(value));
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
        if (parsed_ == parsing_.size()) return Fail("a ParseComplete without a Parse");
        ++parsed_;
        return;
      case backend::kCommandComplete:
        if (incomplete_ > 0) --incomplete_;
        if (sink_ != nullptr) sink_->Tag(MessageReader(message.body).String());
        return;
      case backend::kEmptyQueryResponse:
      case backend::kPortalSuspended:
        if (incomplete_ > 0) --incomplete_;
        if (sink_ != nullptr) sink_->Tag({});
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
        return RefuseCopy();
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
  // Here, where a peer's words come in, they become fit to be shown: whoever prints them need not
  // ask where they came from.
  error_ = {};
  error_.code = Printable(fields.code);
  error_.message = Printable(fields.message);
  error_.detail = Printable(fields.detail);
  error_.context = Printable(fields.context);
  error_.hint = Printable(fields.hint);
  std::from_chars(fields.position.data(), fields.position.data() + fields.position.size(),
                  error_.position);
  error_.fatal = fields.severity == "FATAL" || fields.severity == "PANIC";
  if (before_encryption_) {
    error_.message.insert(0, "unencrypted, so from an unknown sender: ");
  }
  if (state_ == State::kBusy && !command_.failed) {
    command_.failed = true;
    const size_t length = error_.code.copy(command_.sqlstate, sizeof(command_.sqlstate) - 1);
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
  if (in_pipeline_) return Fail("ReadyForQuery inside a pipeline");
  if (state_ == State::kBusy && incomplete_ > 0 && !command_.failed) {
    return Fail("ReadyForQuery before the command was complete");
  }
  for (; parsed_ < parsing_.size(); ++parsed_) {
    if (parsing_[parsed_] != kNoStatement) prepared_[parsing_[parsed_]] = false;
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
