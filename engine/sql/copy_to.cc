// COPY TO: how a row is written.
#include "engine/sql/copy_to.h"

#include "engine/executor/types/big_endian.h"
#include "engine/sql/copy_binary.h"

namespace connbench::engine {
namespace {

template <typename T>
void AppendBigEndian(T number, std::string& out) {
  char bytes[sizeof(T)];
  StoreBigEndian(number, bytes);
  out.append(bytes, sizeof(T));
}

// The letter behind the backslash; 0: the character stands for itself.
char EscapeLetter(char c) {
  switch (c) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

}  // namespace

bool CopyTo::AppendStart(std::string& out) const {
  if (options_.binary()) {
    out += kCopySignature;
    AppendBigEndian(int32_t{0}, out);  // flags
    AppendBigEndian(int32_t{0}, out);  // the length of the header extension
    return false;
  }
  if (options_.header == CopyHeader::kNone) return false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += options_.delimiter;
    if (options_.csv()) {
      AppendCsv(columns_[i].name, false, out);
    } else {
      AppendText(columns_[i].name, out);
    }
  }
  out += '\n';
  return true;
}

Status CopyTo::AppendRow(const Value* row, const IoContext& io, std::string& out) const {
  if (options_.binary()) return AppendBinaryRow(row, io, out);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += options_.delimiter;
    if (row[i].null) {
      out += options_.null_text;
      continue;
    }
    std::string_view text;
    CONNBENCH_RETURN_IF_ERROR(FormatText(columns_[i].type_oid, row[i], io, text));
    if (options_.csv()) {
      AppendCsv(text, force_quote_[i], out);
    } else {
      AppendText(text, out);
    }
  }
  out += '\n';
  return {};
}

Status CopyTo::AppendBinaryRow(const Value* row, const IoContext& io, std::string& out) const {
  AppendBigEndian(static_cast<int16_t>(columns_.size()), out);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (row[i].null) {
      AppendBigEndian(kCopyNull, out);
      continue;
    }
    std::string_view bytes;
    CONNBENCH_RETURN_IF_ERROR(FormatBinary(columns_[i].type_oid, row[i], io, bytes));
    AppendBigEndian(static_cast<int32_t>(bytes.size()), out);
    out += bytes;
  }
  return {};
}

void CopyTo::AppendEnd(std::string& out) const {
  if (options_.binary()) AppendBigEndian(kCopyEnd, out);
}

void CopyTo::AppendText(std::string_view text, std::string& out) const {
  for (char c : text) {
    if (const char letter = EscapeLetter(c); letter != 0) {
      out += '\\';
      out += letter;
    } else {
      if (c == '\\' || c == options_.delimiter) out += '\\';
      out += c;
    }
  }
}

void CopyTo::AppendCsv(std::string_view text, bool force_quote, std::string& out) const {
  const char special[] = {options_.delimiter, options_.quote, '\n', '\r'};
  // Alone in its line, the marker of the data's end must not look like it.
  const bool marker = columns_.size() == 1 && text == "\\.";
  if (!force_quote && !marker && text != options_.null_text &&
      text.find_first_of(std::string_view(special, sizeof(special))) == std::string_view::npos) {
    out += text;
    return;
  }
  out += options_.quote;
  for (char c : text) {
    if (c == options_.quote || c == options_.escape) out += options_.escape;
    out += c;
  }
  out += options_.quote;
}

}  // namespace connbench::engine
