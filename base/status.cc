// Errors as values.
#include "base/status.h"

#include <cerrno>
#include <cstring>

namespace connbench {

void Status::Destroy(ErrorInfo* info) { delete info; }

Status Status::Error(std::string_view code, std::string message, int position) {
  Status status;
  status.info_ = new ErrorInfo();
  status.info_->code = code;
  status.info_->message = std::move(message);
  status.info_->position = position;
  return status;
}

Status Status::Fatal(std::string_view code, std::string message) {
  Status status = Error(code, std::move(message));
  status.info_->fatal = true;
  return status;
}

Status Status::System(std::string what, int errno_value) {
  char buffer[256];
  const char* reason = strerror_r(errno_value, buffer, sizeof buffer);
  return Error(errno_value == ENOSPC ? sqlstate::kDiskFull : sqlstate::kSystemError,
               std::move(what) + ": " + reason);
}

Status&& Status::WithDetail(std::string detail) && {
  if (info_) info_->detail = std::move(detail);
  return std::move(*this);
}

Status&& Status::WithHint(std::string hint) && {
  if (info_) info_->hint = std::move(hint);
  return std::move(*this);
}

Status&& Status::WithContext(std::string context) && {
  if (info_) info_->context = std::move(context);
  return std::move(*this);
}

Status&& Status::WithPosition(int position) && {
  if (info_ && info_->position == 0) info_->position = position;
  return std::move(*this);
}

Status&& Status::WithoutPosition() && {
  if (info_) info_->position = 0;
  return std::move(*this);
}

Status&& Status::OfColumn(std::string table, std::string column) && {
  if (info_) {
    info_->table = std::move(table);
    info_->column = std::move(column);
  }
  return std::move(*this);
}

Status&& Status::OfConstraint(std::string table, std::string constraint) && {
  if (info_) {
    info_->table = std::move(table);
    info_->constraint = std::move(constraint);
  }
  return std::move(*this);
}

std::string_view Status::code() const {
  return info_ ? std::string_view(info_->code) : sqlstate::kSuccessfulCompletion;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text = info_->message;
  if (!info_->detail.empty()) text += " (" + info_->detail + ")";
  if (!info_->hint.empty()) text += " HINT: " + info_->hint;
  if (!info_->context.empty()) text += " CONTEXT: " + info_->context;
  return text;
}

}  // namespace connbench
