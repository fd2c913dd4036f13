// Numbers and texts as bytes, one after the other: for what a leader and its workers tell each
// other. Both run the same program on the same machine, so that the bytes are as memory has them.
//
// Safety: private memory, one thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace connbench::engine {

class ByteWriter {
 public:
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void Number(T value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void Text(std::string_view text) {
    Number(static_cast<uint64_t>(text.size()));
    bytes_.append(text);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what is there. From the first thing on that is not whole all are zero, and complete() says
// so: what follows would be read as what it is not.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T> T Number() {
    T value{};
    if (rest_.size() < sizeof value) {
      End();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view Text() {
    const auto length = Number<uint64_t>();
    if (length > rest_.size()) {
      End();
      return {};
    }
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return text;
  }
  bool complete() const { return complete_; }

 private:
  void End() {
    complete_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool complete_ = true;
};

}  // namespace connbench::engine
