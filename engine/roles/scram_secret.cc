// What a server keeps of a password.
#include "engine/roles/scram_secret.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace connbench::engine {
namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";
constexpr std::string_view kMd5Prefix = "md5";
constexpr size_t kMd5HexBytes = 32;
constexpr size_t kSha256BlockBytes = 64;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[noreturn]] void CryptoFailed(const char* what) {
  std::fprintf(stderr, "connbench: OpenSSL cannot compute %s\n", what);
  std::abort();
}

// HMAC-SHA-256 with its two key blocks hashed once: one text after the other costs two or three
// compressions, where OpenSSL 3's HMAC() looks its algorithm up each time. The low-level SHA256
// functions are marked deprecated for that lookup's sake only.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key) {
    unsigned char block[kSha256BlockBytes] = {};
    if (key.size() > sizeof(block)) {
      SHA256(Bytes(key), key.size(), block);
    } else {
      std::memcpy(block, key.data(), key.size());
    }
    for (unsigned char& byte : block) byte ^= kInnerPad;
    SHA256_Init(&inner_);
    SHA256_Update(&inner_, block, sizeof(block));
    for (unsigned char& byte : block) byte ^= kInnerPad ^ kOuterPad;
    SHA256_Init(&outer_);
    SHA256_Update(&outer_, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
  }
  ~HmacSha256() {
    OPENSSL_cleanse(&inner_, sizeof(inner_));
    OPENSSL_cleanse(&outer_, sizeof(outer_));
  }
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;

  ScramKey Of(std::string_view text, std::string_view more = {}) const {
    ScramKey digest;
    SHA256_CTX context = inner_;
    SHA256_Update(&context, text.data(), text.size());
    SHA256_Update(&context, more.data(), more.size());
    SHA256_Final(digest.data(), &context);
    context = outer_;
    SHA256_Update(&context, digest.data(), digest.size());
    SHA256_Final(digest.data(), &context);
    return digest;
  }

 private:
  static constexpr unsigned char kInnerPad = 0x36;
  static constexpr unsigned char kOuterPad = 0x5c;
  SHA256_CTX inner_;
  SHA256_CTX outer_;
};
#pragma GCC diagnostic pop

std::string Md5Hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr) != 1) return {};
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

bool IsMd5(std::string_view stored) {
  return stored.size() == kMd5Prefix.size() + kMd5HexBytes && stored.starts_with(kMd5Prefix) &&
         stored.find_first_not_of("0123456789abcdef", kMd5Prefix.size()) == std::string_view::npos;
}

bool ReadKey(std::string_view text, ScramKey& key) {
  const std::optional<std::string> bytes = DecodeBase64(text);
  if (!bytes || bytes->size() != key.size()) return false;
  std::memcpy(key.data(), bytes->data(), key.size());
  return true;
}

}  // namespace

ScramKey SaltedPassword(std::string_view password, std::string_view salt, int iterations) {
  constexpr std::string_view kFirstBlock("\0\0\0\1", 4);
  const HmacSha256 hmac(password);
  ScramKey round = hmac.Of(salt, kFirstBlock);
  ScramKey result = round;
  for (int i = 1; i < iterations; ++i) {
    round = hmac.Of(AsBytes(round));
    for (size_t byte = 0; byte < result.size(); ++byte) result[byte] ^= round[byte];
  }
  return result;
}

ScramKey Hmac(const ScramKey& key, std::string_view text) {
  return HmacSha256(AsBytes(key)).Of(text);
}

ScramKey Sha256(std::string_view text) {
  ScramKey digest;
  if (SHA256(Bytes(text), text.size(), digest.data()) == nullptr) CryptoFailed("SHA-256");
  return digest;
}

ScramKey Sha256(const ScramKey& key) { return Sha256(AsBytes(key)); }
ScramKey ClientKey(const ScramKey& salted_password) { return Hmac(salted_password, "Client Key"); }
ScramKey ServerKey(const ScramKey& salted_password) { return Hmac(salted_password, "Server Key"); }

std::string_view AsBytes(const ScramKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

bool SameKey(const ScramKey& a, const ScramKey& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero
  text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                  Bytes(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  // EVP_DecodeBlock skips blanks around and takes padding anywhere: whatever is not what we would
  // write ourselves is refused below.
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), Bytes(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<size_t>(size) - padding);
  if (Base64(bytes) != text) return std::nullopt;
  return bytes;
}

ScramSecret MakeScramSecret(std::string_view password, std::string_view salt, int iterations) {
  const ScramKey salted = SaltedPassword(password, salt, iterations);
  return {.iterations = iterations,
          .salt = std::string(salt),
          .stored_key = Sha256(ClientKey(salted)),
          .server_key = ServerKey(salted)};
}

std::string FormatScramSecret(const ScramSecret& secret) {
  return fmt::format("{}{}:{}${}:{}", kScheme, secret.iterations, Base64(secret.salt),
                     Base64(AsBytes(secret.stored_key)), Base64(AsBytes(secret.server_key)));
}

std::optional<ScramSecret> ParseScramSecret(std::string_view text) {
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  ScramSecret secret;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), secret.iterations);
  if (error != std::errc() || secret.iterations < 1) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  const size_t keys = text.find('$');
  if (text.empty() || text[0] != ':' || keys == std::string_view::npos) return std::nullopt;
  const std::optional<std::string> salt = DecodeBase64(text.substr(1, keys - 1));
  const std::string_view both = text.substr(keys + 1);
  const size_t colon = both.find(':');
  if (!salt || colon == std::string_view::npos) return std::nullopt;
  secret.salt = *salt;
  if (!ReadKey(both.substr(0, colon), secret.stored_key) ||
      !ReadKey(both.substr(colon + 1), secret.server_key)) {
    return std::nullopt;
  }
  return secret;
}

std::string StoredPassword(std::string_view password, int iterations) {
  if (IsMd5(password) || ParseScramSecret(password)) return std::string(password);
  std::array<char, kScramSaltBytes> salt;
  FillRandom(salt.data(), salt.size());
  return FormatScramSecret(MakeScramSecret(password, {salt.data(), salt.size()}, iterations));
}

bool PasswordMatches(std::string_view user, std::string_view password, std::string_view stored) {
  if (IsMd5(stored)) {
    const std::string hex = Md5Hex(fmt::format("{}{}", password, user));
    return hex.size() == kMd5HexBytes &&
           CRYPTO_memcmp(hex.data(), stored.data() + kMd5Prefix.size(), kMd5HexBytes) == 0;
  }
  const std::optional<ScramSecret> secret = ParseScramSecret(stored);
  if (!secret) return false;
  const ScramKey salted = SaltedPassword(password, secret->salt, secret->iterations);
  return SameKey(ServerKey(salted), secret->server_key);
}

void FillRandom(void* bytes, size_t size) {
  if (RAND_bytes(static_cast<unsigned char*>(bytes), static_cast<int>(size)) != 1) {
    CryptoFailed("random bytes");
  }
}

}  // namespace connbench::engine
