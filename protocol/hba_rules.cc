// Who may connect from where, and how they prove who they are.
#include "protocol/hba_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

constexpr int kV4Bits = 32;
constexpr int kV6Bits = 128;

// A word of a line; its pieces are what commas separate.
struct Token {
  std::vector<HbaRule::Name> pieces;
  int line = 0;
  int column = 0;  // counts bytes from 1

  // The one unquoted word that it is; "" otherwise.
  std::string_view word() const {
    return pieces.size() == 1 && !pieces[0].quoted ? std::string_view(pieces[0].text)
                                                   : std::string_view();
  }
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

// Cuts a file into lines of tokens.
class Tokenizer {
 public:
  Tokenizer(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool AtEnd() const { return at_ == text_.size(); }

  // The tokens of one logical line, none if it is empty or a comment.
  Result<std::vector<Token>> NextLine() {
    std::vector<Token> tokens;
    while (true) {
      SkipBlanks();
      if (AtEnd() || text_[at_] == '\n') break;
      if (text_[at_] == '#') {
        while (!AtEnd() && text_[at_] != '\n') Advance();
        break;
      }
      CONNBENCH_ASSIGN_OR_RETURN(Token token, NextToken());
      tokens.push_back(std::move(token));
    }
    if (!AtEnd()) Advance();  // the newline
    return tokens;
  }

  Status Error(int line, int column, std::string_view message) const {
    return Status::Error(sqlstate::kConfigFileError,
                         fmt::format("{}:{}:{}: {}", file_, line, column, message));
  }

 private:
  void Advance() {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 0;
    }
    ++column_;
    ++at_;
  }

  bool AtContinuation() const {
    return text_.substr(at_, 2) == "\\\n" || text_.substr(at_, 3) == "\\\r\n";
  }

  void SkipBlanks() {
    while (!AtEnd()) {
      if (AtContinuation()) {
        while (text_[at_] != '\n') Advance();
        Advance();
      } else if (IsBlank(text_[at_])) {
        Advance();
      } else {
        return;
      }
    }
  }

  // Up to a blank outside quotes; blanks may follow a comma.
  Result<Token> NextToken() {
    Token token{.pieces = {}, .line = line_, .column = column_};
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(HbaRule::Name piece, NextPiece());
      if (piece.text.empty() && !piece.quoted) {
        return Error(line_, column_, "a name is missing beside the comma");
      }
      if (piece.text.size() > kMaxNameBytes) {
        return Error(token.line, token.column,
                     fmt::format("a name is longer than {} bytes", kMaxNameBytes));
      }
      token.pieces.push_back(std::move(piece));
      if (AtEnd() || text_[at_] != ',') return token;
      Advance();
      SkipBlanks();
    }
  }

  Result<HbaRule::Name> NextPiece() {
    HbaRule::Name piece;
    bool in_quotes = false;
    const int line = line_;
    const int column = column_;
    while (!AtEnd() && text_[at_] != '\n') {
      const char c = text_[at_];
      if (!in_quotes && (IsBlank(c) || c == ',' || c == '#' || AtContinuation())) break;
      if (c == '\0') return Error(line_, column_, "a zero byte");
      if (c == '"') {
        in_quotes = !in_quotes;
        piece.quoted = true;
      } else {
        piece.text += c;
      }
      Advance();
    }
    if (in_quotes) return Error(line, column, "the closing quote is missing");
    return piece;
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
};

bool InNetwork(const IpAddress& address, const IpAddress& network, int prefix_bits) {
  if (address.v6 != network.v6) return false;
  for (int bit = 0; bit < prefix_bits; bit += 8) {
    const int used = std::min(8, prefix_bits - bit);
    const auto mask = static_cast<uint8_t>(0xff << (8 - used));
    const auto at = static_cast<size_t>(bit / 8);
    if (((address.bytes[at] ^ network.bytes[at]) & mask) != 0) return false;
  }
  return true;
}

// 255.255.240.0 is 20; nothing if the ones do not come first.
std::optional<int> PrefixOfMask(const IpAddress& mask) {
  const int bits = mask.v6 ? kV6Bits : kV4Bits;
  int prefix = 0;
  const auto is_one = [&](int bit) {
    return (mask.bytes[static_cast<size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0;
  };
  while (prefix < bits && is_one(prefix)) ++prefix;
  for (int bit = prefix; bit < bits; ++bit) {
    if (is_one(bit)) return std::nullopt;
  }
  return prefix;
}

std::string_view KnownType(HbaRule& rule, std::string_view word) {
  constexpr std::pair<std::string_view, HbaRule::Type> kTypes[] = {
      {"local", HbaRule::Type::kLocal},
      {"host", HbaRule::Type::kHost},
      {"hostssl", HbaRule::Type::kHostSsl},
      {"hostnossl", HbaRule::Type::kHostNoSsl}};
  for (const auto& [name, type] : kTypes) {
    if (name != word) continue;
    rule.type = type;
    return name;
  }
  return {};
}

std::string_view KnownMethod(HbaRule& rule, std::string_view word) {
  constexpr std::pair<std::string_view, AuthMethod> kMethods[] = {
      {"trust", AuthMethod::kTrust},
      {"reject", AuthMethod::kReject},
      {"password", AuthMethod::kPassword},
      {"scram-sha-256", AuthMethod::kScram}};
  for (const auto& [name, method] : kMethods) {
    if (name != word) continue;
    rule.method = method;
    return name;
  }
  return {};
}

// One line of tokens as a rule.
class RuleReader {
 public:
  RuleReader(const Tokenizer& tokenizer, std::span<const Token> tokens)
      : tokenizer_(tokenizer), tokens_(tokens) {}

  Result<HbaRule> Read() {
    rule_.line = tokens_[0].line;
    if (KnownType(rule_, tokens_[0].word()).empty()) {
      return At(0, fmt::format("invalid connection type \"{}\" (expected local, host, hostssl or "
                               "hostnossl)",
                               Text(0)));
    }
    CONNBENCH_RETURN_IF_ERROR(ReadNames("database", rule_.databases));
    CONNBENCH_RETURN_IF_ERROR(ReadNames("user", rule_.users));
    if (rule_.type != HbaRule::Type::kLocal) CONNBENCH_RETURN_IF_ERROR(ReadAddress());
    CONNBENCH_RETURN_IF_ERROR(Need("authentication method"));
    if (KnownMethod(rule_, tokens_[next_].word()).empty()) {
      return At(next_, fmt::format("invalid authentication method \"{}\" (expected trust, reject, "
                                   "password or scram-sha-256)",
                                   Text(next_)));
    }
    ++next_;
    if (next_ < tokens_.size()) {
      return At(next_, fmt::format("options are not supported: \"{}\"", Text(next_)));
    }
    return std::move(rule_);
  }

 private:
  std::string_view Text(size_t index) const { return tokens_[index].pieces[0].text; }
  Status At(size_t index, std::string_view message) const {
    return tokenizer_.Error(tokens_[index].line, tokens_[index].column, message);
  }
  Status Need(std::string_view what) const {
    if (next_ < tokens_.size()) return {};
    const Token& last = tokens_.back();
    return tokenizer_.Error(last.line, last.column,
                            fmt::format("end-of-line before {} specification", what));
  }

  Status ReadNames(std::string_view what, std::vector<HbaRule::Name>& names) {
    CONNBENCH_RETURN_IF_ERROR(Need(what));
    for (const HbaRule::Name& name : tokens_[next_].pieces) {
      const bool keyword = !name.quoted;
      const bool unsupported =
          keyword &&
          (name.text.starts_with('+') || name.text.starts_with('@') || name.text.starts_with('/') ||
           (what == "database" &&
            (name.text == "samerole" || name.text == "samegroup" || name.text == "replication")));
      if (unsupported) {
        return At(next_, fmt::format("\"{}\" is not supported as a {} (there are no role "
                                     "memberships, include files, regular expressions or "
                                     "replication)",
                                     name.text, what));
      }
      names.push_back(name);
    }
    ++next_;
    return {};
  }

  Status ReadAddress() {
    CONNBENCH_RETURN_IF_ERROR(Need("IP address"));
    const size_t place = next_++;
    const std::string_view word = tokens_[place].word();
    if (word == "all") {
      rule_.any_address = true;
      return {};
    }
    const size_t slash = word.find('/');
    const std::optional<IpAddress> network = IpAddress::Parse(word.substr(0, slash));
    if (!network) {
      return At(place, fmt::format("invalid IP address \"{}\" (expected all, an address with its "
                                   "prefix length, or an address and a mask; host names, samehost "
                                   "and samenet are not supported)",
                                   Text(place)));
    }
    rule_.network = *network;
    const int bits = network->v6 ? kV6Bits : kV4Bits;
    if (slash != std::string_view::npos) {
      const std::string_view digits = word.substr(slash + 1);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), rule_.prefix_bits);
      if (error != std::errc() || end != digits.data() + digits.size() || rule_.prefix_bits < 0 ||
          rule_.prefix_bits > bits) {
        return At(place, fmt::format("invalid CIDR mask in address \"{}\"", word));
      }
      return {};
    }
    CONNBENCH_RETURN_IF_ERROR(Need("netmask"));
    const std::optional<IpAddress> mask = IpAddress::Parse(tokens_[next_].word());
    const std::optional<int> prefix = mask ? PrefixOfMask(*mask) : std::nullopt;
    if (!prefix) return At(next_, fmt::format("invalid IP mask \"{}\"", Text(next_)));
    if (mask->v6 != network->v6) return At(next_, "IP address and mask do not match");
    rule_.prefix_bits = *prefix;
    ++next_;
    return {};
  }

  const Tokenizer& tokenizer_;
  std::span<const Token> tokens_;
  size_t next_ = 1;
  HbaRule rule_;
};

bool FitsName(const HbaRule::Name& name, std::string_view wanted) {
  return (!name.quoted && name.text == "all") || name.text == wanted;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  IpAddress address;
  const std::string zero_ended(text);
  if (inet_pton(AF_INET, zero_ended.c_str(), address.bytes.data()) == 1) return address;
  address.v6 = true;
  if (inet_pton(AF_INET6, zero_ended.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text));
  return text;
}

bool IpAddress::is_loopback() const {
  static constexpr std::array<uint8_t, 16> kV6Loopback = {0, 0, 0, 0, 0, 0, 0, 0,
                                                          0, 0, 0, 0, 0, 0, 0, 1};
  return v6 ? bytes == kV6Loopback : bytes[0] == 127;
}

bool HbaRule::Fits(const HbaRequest& request) const {
  if ((type == Type::kLocal) != !request.address.has_value()) return false;
  if (type == Type::kHostSsl && !request.encrypted) return false;
  if (type == Type::kHostNoSsl && request.encrypted) return false;
  if (type != Type::kLocal && !any_address && !InNetwork(*request.address, network, prefix_bits)) {
    return false;
  }
  return std::any_of(
             databases.begin(), databases.end(),
             [&](const Name& name) {
               return FitsName(name, request.database) ||
                      (!name.quoted && name.text == "sameuser" && request.database == request.user);
             }) &&
         std::any_of(users.begin(), users.end(),
                     [&](const Name& name) { return FitsName(name, request.user); });
}

HbaRules HbaRules::TrustAll() {
  HbaRules all;
  for (const HbaRule::Type type : {HbaRule::Type::kLocal, HbaRule::Type::kHost}) {
    HbaRule rule;
    rule.type = type;
    rule.databases = rule.users = {{.text = "all", .quoted = false}};
    rule.any_address = true;
    rule.method = AuthMethod::kTrust;
    all.rules_.push_back(std::move(rule));
  }
  return all;
}

Result<HbaRules> HbaRules::Parse(std::string_view text, const std::string& file) {
  HbaRules rules;
  rules.file_ = file;
  Tokenizer tokenizer(text, file);
  while (!tokenizer.AtEnd()) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Token> tokens, tokenizer.NextLine());
    if (tokens.empty()) continue;
    CONNBENCH_ASSIGN_OR_RETURN(HbaRule rule, RuleReader(tokenizer, tokens).Read());
    rules.rules_.push_back(std::move(rule));
  }
  if (rules.rules_.empty()) {
    return tokenizer.Error(1, 1, "there is no rule in it: nobody could connect");
  }
  return rules;
}

const HbaRule* HbaRules::Find(const HbaRequest& request) const {
  for (const HbaRule& rule : rules_) {
    if (rule.Fits(request)) return &rule;
  }
  return nullptr;
}

std::string HbaRules::TrustBeyondLoopback() const {
  for (const HbaRule& rule : rules_) {
    if (rule.method != AuthMethod::kTrust || rule.type == HbaRule::Type::kLocal) continue;
    const int loopback_bits = rule.network.v6 ? kV6Bits : 8;
    const bool loopback_only =
        !rule.any_address && rule.network.is_loopback() && rule.prefix_bits >= loopback_bits;
    if (!loopback_only) return fmt::format("{}:{}", file_, rule.line);
  }
  return {};
}

}  // namespace connbench::protocol
