// What a server keeps of a password: PostgreSQL's text form of a SCRAM-SHA-256 secret, and the key
// derivations of RFC 5802 that server and client share.
//
//   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>      (the last three in base64)
//
// From such a secret nobody can log in (that takes the ClientKey, of which StoredKey is the hash),
// but a server can check who can.
//
// Passwords are taken as bytes: RFC 4013 ("SASLprep") leaves ASCII as it is, and what is not ASCII
// is used as given, as PostgreSQL does with what SASLprep refuses. A password with characters that
// Unicode's NFKC changes must be given in its normal form.
//
// Safety: pure functions but for MakeScramSecret's caller, who brings the salt; any thread.
// Sources: RFC 5802, RFC 7677; PostgreSQL 15, src/common/scram-common.c.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connbench::engine {

inline constexpr size_t kScramKeyBytes = 32;            // SHA-256
inline constexpr size_t kScramSaltBytes = 16;           // of the salts that we make
inline constexpr int kScramIterations = 4096;           // PostgreSQL's, and RFC 7677's minimum
inline constexpr int kMaxScramIterations = 10'000'000;  // what a client does for a server at most
using ScramKey = std::array<uint8_t, kScramKeyBytes>;

// Hi() of RFC 5802 (PBKDF2): the slow step, about 0.2 us an iteration.
ScramKey SaltedPassword(std::string_view password, std::string_view salt, int iterations);
ScramKey Hmac(const ScramKey& key, std::string_view text);
ScramKey Sha256(std::string_view text);
ScramKey Sha256(const ScramKey& key);
ScramKey ClientKey(const ScramKey& salted_password);
ScramKey ServerKey(const ScramKey& salted_password);

std::string_view AsBytes(const ScramKey& key);
// Takes the same time whatever the difference is.
bool SameKey(const ScramKey& a, const ScramKey& b);

std::string Base64(std::string_view bytes);
// Nothing if text is no canonical base64.
std::optional<std::string> DecodeBase64(std::string_view text);

struct ScramSecret {
  int iterations = kScramIterations;
  std::string salt;
  ScramKey stored_key{};
  ScramKey server_key{};
};

ScramSecret MakeScramSecret(std::string_view password, std::string_view salt, int iterations);
std::string FormatScramSecret(const ScramSecret& secret);
// Nothing if text has another form.
std::optional<ScramSecret> ParseScramSecret(std::string_view text);

// A password as CREATE ROLE and ALTER ROLE store it: what is a SCRAM secret or an MD5 hash already
// stays as it is.
std::string StoredPassword(std::string_view password, int iterations);
// Whether a password given in clear belongs to what is stored for the user (either form).
bool PasswordMatches(std::string_view user, std::string_view password, std::string_view stored);

// Fills from the system's generator; aborts when there is none: nothing secret works without.
void FillRandom(void* bytes, size_t size);

}  // namespace connbench::engine
