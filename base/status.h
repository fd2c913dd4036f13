// Errors as values. A Status says what went wrong in the terms a PostgreSQL client understands
// (SQLSTATE, message, detail, hint, position); a Result<T> is a T or such a Status.
//
// Safety: plain values, private to whoever holds them; never placed in shared memory.
// An ok Status is one null pointer, so that success costs nothing on the data path.
// Exceptions are left to the control plane (Poco and Boost throw there) and are turned into a
// Status at the boundary.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace connbench {

// The SQLSTATE codes used, named as in PostgreSQL's errcodes.txt.
namespace sqlstate {
inline constexpr std::string_view kSuccessfulCompletion = "00000";
inline constexpr std::string_view kWarning = "01000";
inline constexpr std::string_view kWarningPrivilegeNotRevoked = "01006";
inline constexpr std::string_view kWarningPrivilegeNotGranted = "01007";
inline constexpr std::string_view kConnectionException = "08000";
inline constexpr std::string_view kConnectionFailure = "08006";
inline constexpr std::string_view kProtocolViolation = "08P01";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kInvalidGrantOperation = "0LP01";
inline constexpr std::string_view kStringDataRightTruncation = "22001";
inline constexpr std::string_view kNumericValueOutOfRange = "22003";
inline constexpr std::string_view kNullValueNotAllowed = "22004";
inline constexpr std::string_view kDatetimeFieldOverflow = "22008";
inline constexpr std::string_view kInvalidDatetimeFormat = "22007";
inline constexpr std::string_view kInvalidTimeZoneDisplacementValue = "22009";
inline constexpr std::string_view kSequenceGeneratorLimitExceeded = "2200H";
inline constexpr std::string_view kSubstringError = "22011";
inline constexpr std::string_view kDivisionByZero = "22012";
inline constexpr std::string_view kInvalidPrecedingOrFollowingSize = "22013";
inline constexpr std::string_view kInvalidArgumentForNtile = "22014";
inline constexpr std::string_view kIntervalFieldOverflow = "22015";
inline constexpr std::string_view kInvalidArgumentForNthValue = "22016";
inline constexpr std::string_view kInvalidRegularExpression = "2201B";
inline constexpr std::string_view kInvalidArgumentForLogarithm = "2201E";
inline constexpr std::string_view kInvalidArgumentForPowerFunction = "2201F";
inline constexpr std::string_view kInvalidRowCountInLimitClause = "2201W";
inline constexpr std::string_view kInvalidRowCountInResultOffsetClause = "2201X";
inline constexpr std::string_view kCardinalityViolation = "21000";
inline constexpr std::string_view kInvalidName = "42602";
inline constexpr std::string_view kInvalidParameterValue = "22023";
inline constexpr std::string_view kArraySubscriptError = "2202E";
inline constexpr std::string_view kInvalidTextRepresentation = "22P02";
inline constexpr std::string_view kInvalidBinaryRepresentation = "22P03";
inline constexpr std::string_view kBadCopyFileFormat = "22P04";
inline constexpr std::string_view kUntranslatableCharacter = "22P05";
inline constexpr std::string_view kCharacterNotInRepertoire = "22021";
inline constexpr std::string_view kInvalidEscapeSequence = "22025";
inline constexpr std::string_view kNotNullViolation = "23502";
inline constexpr std::string_view kForeignKeyViolation = "23503";
inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kCheckViolation = "23514";
inline constexpr std::string_view kInvalidCursorState = "24000";
inline constexpr std::string_view kActiveSqlTransaction = "25001";
inline constexpr std::string_view kReadOnlySqlTransaction = "25006";
inline constexpr std::string_view kNoActiveSqlTransaction = "25P01";
inline constexpr std::string_view kInFailedSqlTransaction = "25P02";
inline constexpr std::string_view kIdleInTransactionSessionTimeout = "25P03";
inline constexpr std::string_view kInvalidSqlStatementName = "26000";
inline constexpr std::string_view kInvalidAuthorizationSpecification = "28000";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kInvalidSchemaName = "3F000";
inline constexpr std::string_view kInvalidCursorName = "34000";
inline constexpr std::string_view kInvalidSavepointSpecification = "3B001";
inline constexpr std::string_view kSerializationFailure = "40001";
inline constexpr std::string_view kDeadlockDetected = "40P01";
inline constexpr std::string_view kSyntaxError = "42601";
inline constexpr std::string_view kUndefinedColumn = "42703";
inline constexpr std::string_view kUndefinedFunction = "42883";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedParameter = "42P02";
inline constexpr std::string_view kUndefinedObject = "42704";
inline constexpr std::string_view kDuplicateColumn = "42701";
inline constexpr std::string_view kDuplicateCursor = "42P03";
inline constexpr std::string_view kDuplicatePreparedStatement = "42P05";
inline constexpr std::string_view kDuplicateTable = "42P07";
inline constexpr std::string_view kDuplicateObject = "42710";
inline constexpr std::string_view kDuplicateAlias = "42712";
inline constexpr std::string_view kAmbiguousColumn = "42702";
inline constexpr std::string_view kAmbiguousFunction = "42725";
inline constexpr std::string_view kAmbiguousParameter = "42P08";
inline constexpr std::string_view kAmbiguousAlias = "42P09";
inline constexpr std::string_view kGroupingError = "42803";
inline constexpr std::string_view kDatatypeMismatch = "42804";
inline constexpr std::string_view kIndeterminateDatatype = "42P18";
inline constexpr std::string_view kCannotCoerce = "42846";
inline constexpr std::string_view kWrongObjectType = "42809";
inline constexpr std::string_view kGeneratedAlways = "428C9";
inline constexpr std::string_view kInvalidForeignKey = "42830";
inline constexpr std::string_view kInvalidColumnReference = "42P10";
inline constexpr std::string_view kInvalidCursorDefinition = "42P11";
inline constexpr std::string_view kInvalidTableDefinition = "42P16";
inline constexpr std::string_view kInvalidRecursion = "42P19";
inline constexpr std::string_view kWindowingError = "42P20";
inline constexpr std::string_view kNameTooLong = "42622";
inline constexpr std::string_view kReservedName = "42939";
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kDiskFull = "53100";
inline constexpr std::string_view kOutOfMemory = "53200";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kConfigurationLimitExceeded = "53400";
inline constexpr std::string_view kProgramLimitExceeded = "54000";
inline constexpr std::string_view kStatementTooComplex = "54001";
inline constexpr std::string_view kTooManyColumns = "54011";
inline constexpr std::string_view kTooManyArguments = "54023";
inline constexpr std::string_view kObjectNotInPrerequisiteState = "55000";
inline constexpr std::string_view kObjectInUse = "55006";
inline constexpr std::string_view kCantChangeRuntimeParam = "55P02";
inline constexpr std::string_view kDependentObjectsStillExist = "2BP01";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kAdminShutdown = "57P01";
inline constexpr std::string_view kCrashShutdown = "57P02";
inline constexpr std::string_view kCannotConnectNow = "57P03";
inline constexpr std::string_view kIdleSessionTimeout = "57P05";
inline constexpr std::string_view kSystemError = "58000";
inline constexpr std::string_view kIoError = "58030";
// A file that a server or client was told to read and cannot use.
inline constexpr std::string_view kConfigFileError = "F0000";
inline constexpr std::string_view kInternalError = "XX000";
inline constexpr std::string_view kDataCorrupted = "XX001";
}  // namespace sqlstate

// Everything that an ErrorResponse or NoticeResponse can carry.
struct ErrorInfo {
  std::string code;  // five characters, see sqlstate above
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;  // where it happened, e.g. "COPY t, line 3, column b"
  std::string table;    // which the error is about, with its column or constraint
  std::string column;
  std::string constraint;
  int position = 0;    // 1-based CHARACTER index into the statement text; 0: none
  bool fatal = false;  // severity FATAL: the session ends after this error
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(const Status& other)
      : info_(other.info_ == nullptr ? nullptr : new ErrorInfo(*other.info_)) {}
  Status(Status&& other) noexcept : info_(std::exchange(other.info_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(info_, other.info_);
    return *this;
  }
  ~Status() {
    if (info_ != nullptr) [[unlikely]]
      Destroy(info_);
  }

  // Cold tells the compiler that every path which makes an error is the unlikely one: it moves it
  // out of the way of those that run for every statement.
  static Status Ok() { return {}; }
  [[gnu::cold]] static Status Error(std::string_view code, std::string message, int position = 0);
  [[gnu::cold]] static Status Fatal(std::string_view code, std::string message);
  // A system call that failed: "<what>: <strerror(errno_value)>", SQLSTATE 58000.
  [[gnu::cold]] static Status System(std::string what, int errno_value);

  // Builder style: return Status::Error(...).WithHint("...").
  [[gnu::cold]] Status&& WithDetail(std::string detail) &&;
  [[gnu::cold]] Status&& WithHint(std::string hint) &&;
  [[gnu::cold]] Status&& WithContext(std::string context) &&;
  [[gnu::cold]] Status&& WithPosition(int position) &&;
  [[gnu::cold]] Status&& WithoutPosition() &&;
  [[gnu::cold]] Status&& OfColumn(std::string table, std::string column) &&;
  [[gnu::cold]] Status&& OfConstraint(std::string table, std::string constraint) &&;

  bool ok() const { return info_ == nullptr; }
  explicit operator bool() const { return ok(); }
  const ErrorInfo& error() const { return *info_; }  // requires !ok()
  std::string_view code() const;                     // "00000" if ok
  // One line for people: "message (detail) HINT: hint"; no SQLSTATE (base/print_error.h has it).
  std::string ToString() const;

 private:
  [[gnu::cold]] static void Destroy(ErrorInfo* info);

  // Not a unique_ptr, whose destructor every caller would inline with that of all the texts.
  ErrorInfo* info_ = nullptr;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: requires !status.ok()

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const { return status_; }
  Status&& TakeStatus() { return std::move(status_); }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace connbench

// Returns the error to the caller.
#define CONNBENCH_RETURN_IF_ERROR(expr)                                               \
  do {                                                                                \
    if (::connbench::Status error_status = (expr); !error_status.ok()) [[unlikely]] { \
      return error_status;                                                            \
    }                                                                                 \
  } while (false)

#define CONNBENCH_CONCAT_INNER(a, b) a##b
#define CONNBENCH_CONCAT(a, b) CONNBENCH_CONCAT_INNER(a, b)
// CONNBENCH_ASSIGN_OR_RETURN(auto x, MakeX()); assigns the value or returns the error.
#define CONNBENCH_ASSIGN_OR_RETURN(lhs, expr) \
  CONNBENCH_ASSIGN_OR_RETURN_IMPL(CONNBENCH_CONCAT(result_, __LINE__), lhs, expr)
#define CONNBENCH_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                                    \
  if (!result.ok()) [[unlikely]]                           \
    return result.TakeStatus();                            \
  lhs = std::move(*result)
