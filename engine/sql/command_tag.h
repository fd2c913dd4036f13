// What CommandComplete says of a statement: "SELECT 1", "CREATE TABLE".
//
// Safety: a plain value. Nothing is allocated, because every statement makes one.
// Bounds: PostgreSQL's longest tag with a row count fits; what does not is cut.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace connbench::engine {

class CommandTag {
 public:
  CommandTag() = default;
  template <std::convertible_to<std::string_view> Text>
  CommandTag(const Text& text) {  // NOLINT(google-explicit-constructor): it is a string
    Append(std::string_view(text));
  }

  void Append(std::string_view text) {
    const size_t taken = std::min(text.size(), sizeof bytes_ - size_);
    std::memcpy(bytes_ + size_, text.data(), taken);
    size_ = static_cast<uint8_t>(size_ + taken);
  }
  void Append(int64_t number) {
    const auto end = std::to_chars(bytes_ + size_, bytes_ + sizeof bytes_, number);
    if (end.ec == std::errc()) size_ = static_cast<uint8_t>(end.ptr - bytes_);
  }

  std::string_view view() const { return {bytes_, size_}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  char bytes_[55] = {};
  uint8_t size_ = 0;
};

}  // namespace connbench::engine
