// Writes and reads numbers in the form of a picture. What looks odd is PostgreSQL's way.
#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "engine/executor/types/number_picture.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr int64_t kPictureStepsPerNode = 50;
constexpr size_t kRomanWidth = 15;

Status OrdinalEnding(std::string_view number, bool lower, std::string& out) {
  const char last = number.empty() ? '\0' : number.back();
  if (!IsAsciiDigit(last)) {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("\"{}\" is not a number", number));
  }
  const bool teen = number.size() > 1 && number[number.size() - 2] == '1';
  const std::string_view ending = teen          ? "TH"
                                  : last == '1' ? "ST"
                                  : last == '2' ? "ND"
                                  : last == '3' ? "RD"
                                                : "TH";
  out += lower ? AsciiLower(ending) : std::string(ending);
  return {};
}

}  // namespace

class NumberPicture::Writer {
 public:
  Writer(const NumberPicture& picture, std::string digits, bool negative, int64_t after,
         std::string& out)
      : p_(picture), number_(std::move(digits)), negative_(negative), out_(out), after_(after) {
    blanks_ = 0;
    bracket_ = p_.bracket_;
    sign_place_ = p_.sign_place_;
    zero_begin_ = p_.zero_begin_ > 0 ? p_.zero_begin_ - 1 : 0;
    before_ = p_.before_ + p_.shift_;
    has_zero_ = p_.has_zero_;
    const size_t whole = std::min(number_.find('.'), number_.size());
    if (p_.roman_) return;
    if (static_cast<int64_t>(whole) < before_) {
      blanks_ = before_ - static_cast<int64_t>(whole);
    } else if (static_cast<int64_t>(whole) > before_) {
      number_.assign(static_cast<size_t>(before_ + after_ + 1), '#');
      number_[static_cast<size_t>(before_)] = '.';
    }
    PrepareSign();
    count_ = after_ + before_ - 1;
    if (p_.fill_ && p_.has_point_) FindLastRelevant();
    if (!sign_written_ && blanks_ == 0) ++count_;
  }

  Status Run(WorkMeter& meter) {
    const size_t begin = out_.size();
    for (const NumberNode& node : p_.nodes_) {
      CONNBENCH_RETURN_IF_ERROR(meter.Spend(kPictureStepsPerNode));
      CONNBENCH_RETURN_IF_ERROR(WriteNode(node));
    }
    // A digit past the number's end ends the text.
    out_.resize(std::min(out_.size(), out_.find('\0', begin)));
    return {};
  }

 private:
  static constexpr size_t kNone = std::string::npos;

  void PrepareSign() {
    if (p_.plus_ || p_.minus_) {
      sign_written_ = !(p_.plus_ && !p_.minus_);
      return;
    }
    if (!negative_ && bracket_ && p_.fill_) bracket_ = false;
    sign_written_ = !negative_ && p_.fill_ && !p_.has_sign_;
    if (sign_place_ == SignPlace::kBefore && before_ == p_.sign_digits_) {
      sign_place_ = SignPlace::kAfter;
    }
  }

  // The last digit after the point that FM keeps: one that is no zero, or that a 0 asks for.
  void FindLastRelevant() {
    last_relevant_ = number_.find('.');
    if (last_relevant_ == kNone) return;
    for (size_t i = last_relevant_ + 1; i < number_.size(); ++i) {
      if (number_[i] != '0') last_relevant_ = i;
    }
    if (p_.zero_end_ <= blanks_) return;
    const auto last_zero =
        std::min(static_cast<int64_t>(number_.size()) - 1, p_.zero_end_ - blanks_);
    last_relevant_ = std::max(last_relevant_, static_cast<size_t>(last_zero));
  }

  char At(size_t at) const { return at < number_.size() ? number_[at] : '\0'; }
  // "9.9" shows 0.1 as " .1".
  bool IsBlankBeforePoint() const { return !has_zero_ && at_ == 0 && At(0) == '0' && after_ != 0; }
  bool EndsAtPoint() const { return last_relevant_ != kNone && At(last_relevant_) == '.'; }

  void WriteSignBefore() {
    if (p_.has_sign_) {
      if (sign_place_ != SignPlace::kBefore) return;
      out_ += negative_ ? '-' : '+';
    } else if (bracket_) {
      out_ += negative_ ? '<' : ' ';
    } else if (!negative_) {
      if (!p_.fill_) out_ += ' ';
    } else {
      out_ += '-';
    }
    sign_written_ = true;
  }

  void WriteDigit(NumberKey key) {
    if (p_.roman_) return;
    in_number_ = false;
    const bool zero_starts = has_zero_ && zero_begin_ == current_;
    if (!sign_written_ && (current_ >= blanks_ || zero_starts) &&
        (!IsBlankBeforePoint() || EndsAtPoint())) {
      WriteSignBefore();
    }
    if (current_ < blanks_ && (zero_begin_ > current_ || !has_zero_)) {
      if (!p_.fill_) out_ += ' ';
    } else if (current_ < blanks_) {
      out_ += '0';
      in_number_ = true;
    } else {
      WriteNext(key);
      if (at_ < number_.size()) ++at_;
    }
    int64_t end = count_ + (blanks_ > 0 ? 1 : 0) + (p_.has_point_ ? 1 : 0);
    if (last_relevant_ != kNone && last_relevant_ == at_) end = current_;
    if (current_ + 1 == end) {
      if (sign_written_ && bracket_) {
        out_ += negative_ ? '>' : ' ';
      } else if (p_.has_sign_ && sign_place_ == SignPlace::kAfter) {
        out_ += negative_ ? '-' : '+';
      }
    }
    ++current_;
  }

  void WriteNext(NumberKey key) {
    if (At(at_) == '.') {
      if (!EndsAtPoint() || p_.fill_) out_ += '.';
    } else if (last_relevant_ != kNone && at_ > last_relevant_ && key != NumberKey::kZero) {
      return;
    } else if (IsBlankBeforePoint()) {
      if (!p_.fill_) {
        out_ += ' ';
      } else if (EndsAtPoint()) {
        out_ += '0';
      }
    } else {
      out_ += At(at_);
      in_number_ = true;
    }
  }

  Status WriteNode(const NumberNode& node) {
    switch (node.key) {
      case NumberKey::kLiteral:
        out_ += node.character;
        return {};
      case NumberKey::kNine:
      case NumberKey::kZero:
      case NumberKey::kPoint:
      case NumberKey::kDecimal:
        WriteDigit(node.key);
        return {};
      case NumberKey::kComma:
      case NumberKey::kGroup:
        if (in_number_) {
          out_ += ',';
        } else if (!p_.fill_) {
          out_ += ' ';
        }
        return {};
      case NumberKey::kCurrency:
        out_ += ' ';
        return {};
      case NumberKey::kRoman:
      case NumberKey::kRomanLower:
        if (!p_.fill_ && number_.size() < kRomanWidth) {
          out_.append(kRomanWidth - number_.size(), ' ');
        }
        out_ += node.key == NumberKey::kRoman ? number_ : AsciiLower(number_);
        return {};
      case NumberKey::kOrdinal:
      case NumberKey::kOrdinalLower:
        if (p_.roman_ || At(0) == '#' || negative_ || p_.has_point_) return {};
        return OrdinalEnding(number_, node.key == NumberKey::kOrdinalLower, out_);
      case NumberKey::kMinus:
        WriteMark(negative_, '-');
        return {};
      case NumberKey::kPlus:
        WriteMark(!negative_, '+');
        return {};
      case NumberKey::kSignHere:
        out_ += negative_ ? '-' : '+';
        return {};
      default:
        return {};
    }
  }
  void WriteMark(bool shown, char mark) {
    if (shown) {
      out_ += mark;
    } else if (!p_.fill_) {
      out_ += ' ';
    }
  }

  const NumberPicture& p_;
  std::string number_;
  const bool negative_;
  std::string& out_;
  const int64_t after_;
  int64_t before_ = 0;
  int64_t blanks_ = 0;  // before the number's first digit
  int64_t zero_begin_ = 0;
  int64_t count_ = 0;
  int64_t current_ = 0;  // of the picture's digits
  size_t at_ = 0;        // in number_
  size_t last_relevant_ = kNone;
  SignPlace sign_place_ = SignPlace::kNone;
  bool bracket_ = false;
  bool has_zero_ = false;
  bool sign_written_ = false;
  bool in_number_ = false;
};

Status NumberPicture::Write(std::string digits, bool negative, int64_t after, WorkMeter& meter,
                            std::string& out) const {
  if (exponent_) {
    out += digits;
    return {};
  }
  return Writer(*this, std::move(digits), negative, after, out).Run(meter);
}

class NumberPicture::Reader {
 public:
  Reader(const NumberPicture& picture, std::string_view text) : p_(picture), text_(text) {}

  Status Run(WorkMeter& meter, std::string& number, int64_t& scale) {
    for (const NumberNode& node : p_.nodes_) {
      CONNBENCH_RETURN_IF_ERROR(meter.Spend(kPictureStepsPerNode));
      if (AtEnd()) break;
      if (ReadNode(node)) ++at_;
    }
    if (!digits_.empty() && digits_.back() == '.') digits_.pop_back();
    number = sign_ + digits_;
    scale = read_after_;
    return {};
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }

  // True: one more character is passed.
  bool ReadNode(const NumberNode& node) {
    const char c = text_[at_];
    switch (node.key) {
      case NumberKey::kLiteral:
        at_ += static_cast<size_t>(Utf8Length(c));
        return false;
      case NumberKey::kNine:
      case NumberKey::kZero:
      case NumberKey::kPoint:
      case NumberKey::kDecimal:
        ReadDigit(node.key);
        return true;
      case NumberKey::kComma:
      case NumberKey::kGroup:
        // Nothing sets what says that a number has begun while one is read.
        return !p_.fill_ && c == ',';
      case NumberKey::kCurrency:
        SkipNoData(1);
        return false;
      case NumberKey::kOrdinal:
      case NumberKey::kOrdinalLower:
        if (sign_ == '#' || p_.has_point_) return false;
        SkipNoData(2);
        return false;
      case NumberKey::kMinus:
        return ReadMark(c == '-');
      case NumberKey::kPlus:
        return ReadMark(c == '+');
      case NumberKey::kSignHere:
        return ReadMark(c == '-' || c == '+');
      default:
        return false;
    }
  }
  bool ReadMark(bool is_mark) {
    if (is_mark) {
      sign_ = text_[at_];
      return true;
    }
    SkipNoData(1);
    return false;
  }
  void SkipNoData(int count) {
    for (; count > 0 && !AtEnd(); --count) {
      if (std::string_view("0123456789.,+-").find(text_[at_]) != std::string_view::npos) return;
      at_ += static_cast<size_t>(Utf8Length(text_[at_]));
    }
  }

  void ReadDigit(NumberKey key) {
    if (AtEnd()) return;
    if (text_[at_] == ' ') ++at_;
    if (AtEnd()) return;
    const bool is_digit = key == NumberKey::kZero || key == NumberKey::kNine;
    if (sign_ == ' ' && is_digit && read_before_ + read_after_ == 0) ReadSignBefore();
    if (AtEnd()) return;
    bool read = false;
    const char c = text_[at_];
    if (IsAsciiDigit(c)) {
      if (read_point_ && read_after_ == p_.after_) return;
      digits_ += c;
      ++(read_point_ ? read_after_ : read_before_);
      read = true;
    } else if (p_.has_point_ && !read_point_ && c == '.') {
      digits_ += '.';
      read_point_ = read = true;
    }
    if (sign_ != ' ' || read_before_ + read_after_ == 0) return;
    if (p_.has_sign_ && read && at_ + 1 < text_.size() && !IsAsciiDigit(text_[at_ + 1])) {
      const char next = text_[at_ + 1];
      if (next == '-' || next == '+') {
        sign_ = next;
        ++at_;
      }
    } else if (!read && !p_.has_sign_ && (p_.plus_ || p_.minus_) && (c == '-' || c == '+')) {
      sign_ = c;
    }
  }

  void ReadSignBefore() {
    const char c = text_[at_];
    if (p_.has_sign_ && p_.sign_place_ == SignPlace::kBefore) {
      if (c == '-' || c == '+') {
        sign_ = c;
        ++at_;
      }
      return;
    }
    if (c == '-' || (p_.bracket_ && c == '<')) {
      sign_ = '-';
      ++at_;
    } else if (c == '+') {
      sign_ = '+';
      ++at_;
    }
  }

  const NumberPicture& p_;
  const std::string_view text_;
  size_t at_ = 0;
  char sign_ = ' ';
  std::string digits_;
  int64_t read_before_ = 0;
  int64_t read_after_ = 0;
  bool read_point_ = false;
};

Status NumberPicture::Read(std::string_view text, WorkMeter& meter, std::string& number,
                           int64_t& scale) const {
  if (exponent_) {
    return Status::Error(sqlstate::kFeatureNotSupported, "\"EEEE\" not supported for input");
  }
  if (roman_) {
    return Status::Error(sqlstate::kFeatureNotSupported, "\"RN\" not supported for input");
  }
  return Reader(*this, text).Run(meter, number, scale);
}

}  // namespace connbench::engine
