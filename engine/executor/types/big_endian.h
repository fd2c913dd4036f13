// Integers as keys and PostgreSQL's binary forms have them: the highest byte first.
//
// Safety: pure functions; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace connbench::engine {

// Between this machine's order of bytes and the one with the highest first, both ways.
template <typename T>
T SwappedToBigEndian(T value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else {
    static_assert(sizeof(T) == 8);
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  }
}

// False if there are not exactly as many bytes as the number has.
template <typename T>
bool ReadBigEndian(std::string_view bytes, T& out) {
  if (bytes.size() != sizeof(T)) return false;
  std::memcpy(&out, bytes.data(), sizeof(T));
  out = SwappedToBigEndian(out);
  return true;
}

// to: has room for as many bytes as the number has.
template <typename T>
void StoreBigEndian(T value, char* to) {
  value = SwappedToBigEndian(value);
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace connbench::engine
