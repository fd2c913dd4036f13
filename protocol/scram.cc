// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as pure state machines.
#include "protocol/scram.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace connbench::protocol {
namespace {

using engine::AsBytes;
using engine::ScramKey;
using engine::ScramSecret;

constexpr std::string_view kBindingType = "tls-server-end-point";
constexpr size_t kNonceBytes = 18;

Status Malformed(std::string detail) {
  return Status::Fatal(sqlstate::kProtocolViolation, "malformed SCRAM message")
      .WithDetail(std::move(detail));
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

// Takes "<name>=<value>" and the comma behind it off text.
Result<std::string_view> TakeAttribute(std::string_view& text, char name) {
  if (text.empty() || text[0] != name) {
    return Malformed(text.empty() ? fmt::format("Attribute \"{}\" is missing.", name)
                                  : fmt::format("Expected attribute \"{}\" but found \"{}\".", name,
                                                IsPrintable(text.substr(0, 1)) ? text[0] : '?'));
  }
  if (text.size() < 2 || text[1] != '=') {
    return Malformed(fmt::format("Expected character \"=\" for attribute \"{}\".", name));
  }
  const size_t end = std::min(text.find(','), text.size());
  const std::string_view value = text.substr(2, end - 2);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

// Extensions that nobody must understand: letter=value.
Status SkipExtensions(std::string_view text) {
  while (!text.empty()) {
    const char name = text[0];
    const bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
    if (!letter) return Malformed("Attribute expected, but found an invalid character.");
    CONNBENCH_RETURN_IF_ERROR(TakeAttribute(text, name).status());
  }
  return {};
}

void XorInto(ScramKey& key, const ScramKey& other) {
  for (size_t i = 0; i < key.size(); ++i) key[i] ^= other[i];
}

}  // namespace

std::string MakeScramNonce() {
  char raw[kNonceBytes];
  engine::FillRandom(raw, sizeof(raw));
  return engine::Base64({raw, sizeof(raw)});
}

ScramSecret MockScramSecret(std::string_view user, std::string_view mock_nonce, int iterations) {
  ScramSecret mock;
  const ScramKey digest = engine::Sha256(fmt::format("{}{}", user, mock_nonce));
  mock.salt = AsBytes(digest).substr(0, engine::kScramSaltBytes);
  mock.iterations = iterations;
  return mock;
}

// --- Server
// ---------------------------------------------------------------------------------------

ScramServer::ScramServer(const std::optional<ScramSecret>& secret, const ScramSecret& mock,
                         std::string end_point, std::string nonce)
    : secret_(secret ? *secret : mock),
      doomed_(!secret),
      end_point_(std::move(end_point)),
      nonce_(std::move(nonce)) {}

Status ScramServer::ReadChannelBinding(std::string_view mechanism, std::string_view& text) {
  if (mechanism != kScramMechanism && mechanism != kScramPlusMechanism) {
    return Status::Fatal(sqlstate::kProtocolViolation,
                         "client selected an invalid SASL authentication mechanism");
  }
  binds_ = mechanism == kScramPlusMechanism;
  if (binds_ && end_point_.empty()) {
    return Status::Fatal(sqlstate::kProtocolViolation,
                         "client selected an invalid SASL authentication mechanism");
  }
  const size_t comma = text.find(',');
  if (text.empty() || comma == std::string_view::npos) {
    return Malformed("The message is not complete.");
  }
  const std::string_view flag = text.substr(0, comma);
  if (flag == "n" || flag == "y") {
    if (binds_) {
      return Malformed(
          "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel "
          "binding data.");
    }
    if (flag == "y" && !end_point_.empty()) {
      return Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                           "SCRAM channel binding negotiation error")
          .WithDetail(
              "The client supports SCRAM channel binding but thinks the server does not.  However, "
              "this server does support channel binding.");
    }
  } else if (flag.starts_with("p=")) {
    if (!binds_) {
      return Malformed(
          "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message "
          "includes channel binding data.");
    }
    if (flag.substr(2) != kBindingType) {
      return Status::Fatal(sqlstate::kProtocolViolation, "unsupported SCRAM channel-binding type");
    }
  } else {
    return Malformed("Unexpected channel-binding flag.");
  }
  text.remove_prefix(comma + 1);
  if (text.empty()) return Malformed("The message is not complete.");
  if (text[0] == 'a') {
    return Status::Fatal(sqlstate::kFeatureNotSupported,
                         "client uses authorization identity, but it is not supported");
  }
  if (text[0] != ',') return Malformed("Unexpected attribute in client-first-message.");
  text.remove_prefix(1);
  gs2_header_ = fmt::format("{},,", flag);
  return {};
}

Result<std::string> ScramServer::Begin(std::string_view mechanism, std::string_view client_first) {
  std::string_view text = client_first;
  CONNBENCH_RETURN_IF_ERROR(ReadChannelBinding(mechanism, text));
  const std::string_view bare = text;
  if (text.starts_with('m')) {
    return Status::Fatal(sqlstate::kFeatureNotSupported,
                         "client requires an unsupported SCRAM extension");
  }
  // The name is the startup packet's; what stands here is ignored, as in PostgreSQL.
  CONNBENCH_RETURN_IF_ERROR(TakeAttribute(text, 'n').status());
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view client_nonce, TakeAttribute(text, 'r'));
  if (client_nonce.empty() || !IsPrintable(client_nonce)) {
    return Status::Fatal(sqlstate::kProtocolViolation, "non-printable characters in SCRAM nonce");
  }
  CONNBENCH_RETURN_IF_ERROR(SkipExtensions(text));
  nonce_.insert(0, client_nonce);
  std::string server_first =
      fmt::format("r={},s={},i={}", nonce_, engine::Base64(secret_.salt), secret_.iterations);
  auth_message_ = fmt::format("{},{}", bare, server_first);
  return server_first;
}

Result<std::string> ScramServer::Finish(std::string_view client_final) {
  std::string_view text = client_final;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view binding, TakeAttribute(text, 'c'));
  const std::string expected = gs2_header_ + (binds_ ? end_point_ : std::string());
  if (binding != engine::Base64(expected)) {
    if (binds_) {
      return Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                           "SCRAM channel binding check failed");
    }
    return Status::Fatal(sqlstate::kProtocolViolation,
                         "unexpected SCRAM channel-binding attribute in client-final-message");
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view nonce, TakeAttribute(text, 'r'));
  if (nonce != nonce_) {
    return Status::Fatal(sqlstate::kProtocolViolation, "invalid SCRAM response")
        .WithDetail("Nonce does not match.");
  }
  // The proof comes last, and everything before it is what it proves.
  const size_t proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return Malformed("The proof is missing.");
  const size_t rest_at = client_final.size() - text.size();
  if (rest_at <= proof_at) {
    CONNBENCH_RETURN_IF_ERROR(SkipExtensions(client_final.substr(rest_at, proof_at - rest_at)));
  }
  const std::optional<std::string> proof = engine::DecodeBase64(client_final.substr(proof_at + 3));
  ScramKey client_key;
  if (!proof || proof->size() != client_key.size()) {
    return Malformed("Malformed proof in client-final-message.");
  }
  auth_message_ += fmt::format(",{}", client_final.substr(0, proof_at));
  std::copy(proof->begin(), proof->end(), client_key.begin());
  XorInto(client_key, engine::Hmac(secret_.stored_key, auth_message_));
  const bool proven = engine::SameKey(engine::Sha256(client_key), secret_.stored_key);
  if (!proven || doomed_) return std::string();
  authenticated_ = true;
  return "v=" + engine::Base64(AsBytes(engine::Hmac(secret_.server_key, auth_message_)));
}

// --- Client
// ---------------------------------------------------------------------------------------

ScramKey ScramKeyCache::SaltedPassword(std::string_view password, std::string_view salt,
                                       int iterations) {
  const MutexLock lock(mutex_);
  if (!filled_ || password != password_ || salt != salt_ || iterations != iterations_) {
    key_ = engine::SaltedPassword(password, salt, iterations);
    password_ = password;
    salt_ = salt;
    iterations_ = iterations;
    filled_ = true;
  }
  return key_;
}

ScramClient::ScramClient(std::string password, std::string end_point, bool could_bind,
                         std::string nonce, ScramKeyCache* cache, std::string_view user)
    : password_(std::move(password)),
      end_point_(std::move(end_point)),
      nonce_(std::move(nonce)),
      cache_(cache),
      gs2_header_(!end_point_.empty() ? fmt::format("p={},,", kBindingType)
                  : could_bind        ? "y,,"
                                      : "n,,"),
      first_bare_(fmt::format("n={},r={}", user, nonce_)) {}

std::string ScramClient::First() { return gs2_header_ + first_bare_; }

Result<std::string> ScramClient::Final(std::string_view server_first) {
  std::string_view text = server_first;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view nonce, TakeAttribute(text, 'r'));
  if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size() || !IsPrintable(nonce)) {
    return Status::Fatal(sqlstate::kProtocolViolation, "invalid SCRAM response (nonce mismatch)");
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view encoded_salt, TakeAttribute(text, 's'));
  const std::optional<std::string> salt = engine::DecodeBase64(encoded_salt);
  if (!salt || salt->empty()) return Malformed("The salt is no base64.");
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view count, TakeAttribute(text, 'i'));
  int iterations = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), iterations);
  if (error != std::errc() || end != count.data() + count.size() || iterations < 1 ||
      iterations > engine::kMaxScramIterations) {
    return Malformed("The iteration count is invalid.");
  }
  CONNBENCH_RETURN_IF_ERROR(SkipExtensions(text));
  salted_ = cache_ != nullptr ? cache_->SaltedPassword(password_, *salt, iterations)
                              : engine::SaltedPassword(password_, *salt, iterations);
  const std::string without_proof =
      fmt::format("c={},r={}", engine::Base64(gs2_header_ + end_point_), nonce);
  auth_message_ = fmt::format("{},{},{}", first_bare_, server_first, without_proof);
  ScramKey proof = engine::ClientKey(salted_);
  XorInto(proof, engine::Hmac(engine::Sha256(proof), auth_message_));
  return fmt::format("{},p={}", without_proof, engine::Base64(AsBytes(proof)));
}

Status ScramClient::Verify(std::string_view server_final) {
  std::string_view text = server_final;
  if (text.starts_with("e=")) {
    return Status::Fatal(
        sqlstate::kInvalidAuthorizationSpecification,
        fmt::format("error received from server in SCRAM exchange: {}", text.substr(2)));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string_view encoded, TakeAttribute(text, 'v'));
  const std::optional<std::string> signature = engine::DecodeBase64(encoded);
  ScramKey given;
  if (!signature || signature->size() != given.size()) {
    return Malformed("Malformed server signature.");
  }
  std::copy(signature->begin(), signature->end(), given.begin());
  if (auth_message_.empty() ||
      !engine::SameKey(given, engine::Hmac(engine::ServerKey(salted_), auth_message_))) {
    return Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                         "incorrect server signature");
  }
  return {};
}

}  // namespace connbench::protocol
