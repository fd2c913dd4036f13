// Recursive descent over pgbench's grammar (exprparse.y), loosest operator first:
//   OR | AND | NOT | IS, ISNULL, NOTNULL | < > = <= >= <> != | bit operators | + - | * / % | unary
// Its bit operators share one level, and ~ binds no tighter than they do.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/ascii.h"
#include "harness/script/expression_node.h"

namespace connbench::load {
namespace {

using Node = std::unique_ptr<ExpressionNode>;

// Deeper nesting than this is an error rather than a deep stack, and so are more nodes: a long sum
// is a deep tree.
constexpr int kMaxDepth = 200;
constexpr int kMaxNodes = 2000;

bool IsNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNamePart(char c) {
  return IsNameStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

enum class TokenKind : uint8_t { kEnd, kInteger, kMinInteger, kDouble, kVariable, kWord, kSymbol };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // words in lower case
  int64_t integer = 0;
  double real = 0;
  size_t offset = 0;
};

class Parser {
 public:
  Parser(std::string_view text, SymbolTable& symbols) : text_(text), symbols_(symbols) {}

  Result<Node> ParseAll() {
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node root, ParseOr());
    if (token_.kind != TokenKind::kEnd) return Unexpected("an operator or the end");
    return root;
  }
  size_t error_offset() const { return error_offset_; }

 private:
  Status Fail(size_t offset, std::string message) {
    error_offset_ = offset;
    return Status::Error(sqlstate::kSyntaxError, std::move(message));
  }
  Status Unexpected(std::string_view wanted) {
    if (token_.kind == TokenKind::kEnd) {
      return Fail(token_.offset, fmt::format("the expression ends where {} is expected", wanted));
    }
    return Fail(token_.offset, fmt::format("\"{}\" where {} is expected", token_.text, wanted));
  }

  Status Advance();
  Status LexNumber();

  bool IsSymbol(std::string_view symbol) const {
    return token_.kind == TokenKind::kSymbol && token_.text == symbol;
  }
  bool IsWord(std::string_view word) const {
    return token_.kind == TokenKind::kWord && token_.text == word;
  }

  Node Make(Operation operation) {
    ++nodes_;
    auto node = std::make_unique<ExpressionNode>();
    node->operation = operation;
    return node;
  }
  Node Make(Operation operation, Node first, Node second) {
    Node node = Make(operation);
    node->arguments.push_back(std::move(first));
    node->arguments.push_back(std::move(second));
    return node;
  }
  Node Constant(Value value) {
    Node node = Make(Operation::kConstant);
    node->constant = value;
    return node;
  }
  Node Not(Node operand) {
    Node node = Make(Operation::kNot);
    node->arguments.push_back(std::move(operand));
    return node;
  }

  Result<Node> ParseOr();
  Result<Node> ParseAnd();
  Result<Node> ParseNot();
  Result<Node> ParseIs();
  Result<Node> ParseComparison();
  Result<Node> ParseBits();
  Result<Node> ParseSum();
  Result<Node> ParseProduct();
  Result<Node> ParseUnary();
  Result<Node> ParsePrimary();
  Result<Node> ParseCase();
  Result<Node> ParseFunction(const Token& name);

  std::string_view text_;
  SymbolTable& symbols_;
  size_t at_ = 0;
  Token token_;
  int depth_ = 0;
  int nodes_ = 0;
  size_t error_offset_ = 0;
};

Status Parser::LexNumber() {
  size_t end = at_;
  const auto digits = [&] {
    while (end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end])) != 0) ++end;
  };
  bool real = false;
  digits();
  if (end < text_.size() && text_[end] == '.') {
    real = true;
    ++end;
    digits();
  }
  if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    size_t exponent = end + 1;
    if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
    if (exponent < text_.size() && std::isdigit(static_cast<unsigned char>(text_[exponent])) != 0) {
      real = true;
      end = exponent;
      digits();
    }
  }
  token_.text = text_.substr(at_, end - at_);
  at_ = end;
  if (real) {
    token_.kind = TokenKind::kDouble;
    errno = 0;
    token_.real = std::strtod(token_.text.c_str(), nullptr);
    if (errno != 0) return Fail(token_.offset, fmt::format("{} is out of range", token_.text));
    return Status::Ok();
  }
  uint64_t value = 0;
  const auto [stop, error] =
      std::from_chars(token_.text.data(), token_.text.data() + token_.text.size(), value);
  constexpr uint64_t kMinMagnitude = uint64_t{1} << 63;
  if (error != std::errc() || value > kMinMagnitude) {
    return Fail(token_.offset, fmt::format("{} is too large for a bigint", token_.text));
  }
  token_.kind = value == kMinMagnitude ? TokenKind::kMinInteger : TokenKind::kInteger;
  token_.integer = static_cast<int64_t>(value);
  return Status::Ok();
}

Status Parser::Advance() {
  if (nodes_ > kMaxNodes) {
    return Fail(at_, fmt::format("more than {} operators and values", kMaxNodes));
  }
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  token_ = {};
  token_.offset = at_;
  if (at_ >= text_.size()) return Status::Ok();
  const char c = text_[at_];
  const bool point_number = c == '.' && at_ + 1 < text_.size() &&
                            std::isdigit(static_cast<unsigned char>(text_[at_ + 1])) != 0;
  if (std::isdigit(static_cast<unsigned char>(c)) != 0 || point_number) return LexNumber();
  size_t end = at_ + 1;
  if (c == ':') {
    while (end < text_.size() && IsNamePart(text_[end])) ++end;
    if (end == at_ + 1) return Fail(at_, "\":\" without the name of a variable");
    token_.kind = TokenKind::kVariable;
    token_.text = text_.substr(at_ + 1, end - at_ - 1);
  } else if (IsNameStart(c)) {
    while (end < text_.size() && IsNamePart(text_[end])) ++end;
    token_.kind = TokenKind::kWord;
    token_.text = text_.substr(at_, end - at_);
    token_.text = AsciiLower(token_.text);
  } else {
    static constexpr std::string_view kTwo[] = {"<>", "!=", "<=", ">=", "<<", ">>"};
    static constexpr std::string_view kOne = "+-*/%=<>|&#~(),";
    const std::string_view two = text_.substr(at_, 2);
    if (std::find(std::begin(kTwo), std::end(kTwo), two) != std::end(kTwo)) {
      end = at_ + 2;
    } else if (kOne.find(c) == std::string_view::npos) {
      return Fail(at_, fmt::format("unexpected character \"{}\"", c));
    }
    token_.kind = TokenKind::kSymbol;
    token_.text = text_.substr(at_, end - at_);
  }
  at_ = end;
  return Status::Ok();
}

Result<Node> Parser::ParseOr() {
  if (++depth_ > kMaxDepth) {
    return Fail(token_.offset, fmt::format("nested deeper than {} levels", kMaxDepth));
  }
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseAnd());
  while (IsWord("or")) {
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseAnd());
    left = Make(Operation::kOr, std::move(left), std::move(right));
  }
  --depth_;
  return left;
}

Result<Node> Parser::ParseAnd() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseNot());
  while (IsWord("and")) {
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseNot());
    left = Make(Operation::kAnd, std::move(left), std::move(right));
  }
  return left;
}

Result<Node> Parser::ParseNot() {
  int negations = 0;
  for (; IsWord("not"); ++negations) CONNBENCH_RETURN_IF_ERROR(Advance());
  if (negations > kMaxDepth) {
    return Fail(token_.offset, fmt::format("nested deeper than {} levels", kMaxDepth));
  }
  CONNBENCH_ASSIGN_OR_RETURN(Node node, ParseIs());
  for (; negations > 0; --negations) node = Not(std::move(node));
  return node;
}

Result<Node> Parser::ParseIs() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseComparison());
  if (IsWord("isnull") || IsWord("notnull")) {
    const bool negate = IsWord("notnull");
    CONNBENCH_RETURN_IF_ERROR(Advance());
    Node node = Make(Operation::kIs, std::move(left), Constant(Value::Null()));
    return negate ? Not(std::move(node)) : std::move(node);
  }
  if (!IsWord("is")) return left;
  CONNBENCH_RETURN_IF_ERROR(Advance());
  const bool negate = IsWord("not");
  if (negate) CONNBENCH_RETURN_IF_ERROR(Advance());
  Node what;
  if (IsWord("null")) {
    what = Constant(Value::Null());
  } else if (IsWord("true") || IsWord("false")) {
    what = Constant(Value::Bool(IsWord("true")));
  } else {
    return Unexpected("NULL, TRUE or FALSE after IS");
  }
  CONNBENCH_RETURN_IF_ERROR(Advance());
  Node node = Make(Operation::kIs, std::move(left), std::move(what));
  return negate ? Not(std::move(node)) : std::move(node);
}

Result<Node> Parser::ParseComparison() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseBits());
  if (token_.kind != TokenKind::kSymbol) return left;
  const std::string symbol = token_.text;
  const bool swapped = symbol == ">" || symbol == ">=";
  Operation operation;
  if (symbol == "=") {
    operation = Operation::kEqual;
  } else if (symbol == "<>" || symbol == "!=") {
    operation = Operation::kNotEqual;
  } else if (symbol == "<" || symbol == ">") {
    operation = Operation::kLess;
  } else if (symbol == "<=" || symbol == ">=") {
    operation = Operation::kLessEqual;
  } else {
    return left;
  }
  CONNBENCH_RETURN_IF_ERROR(Advance());
  CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseBits());
  if (swapped) std::swap(left, right);
  return Make(operation, std::move(left), std::move(right));
}

Result<Node> Parser::ParseBits() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseSum());
  while (token_.kind == TokenKind::kSymbol) {
    Operation operation;
    if (IsSymbol("|")) {
      operation = Operation::kBitOr;
    } else if (IsSymbol("&")) {
      operation = Operation::kBitAnd;
    } else if (IsSymbol("#")) {
      operation = Operation::kBitXor;
    } else if (IsSymbol("<<")) {
      operation = Operation::kShiftLeft;
    } else if (IsSymbol(">>")) {
      operation = Operation::kShiftRight;
    } else {
      break;
    }
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseSum());
    left = Make(operation, std::move(left), std::move(right));
  }
  return left;
}

Result<Node> Parser::ParseSum() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseProduct());
  while (IsSymbol("+") || IsSymbol("-")) {
    const Operation operation = IsSymbol("+") ? Operation::kAdd : Operation::kSubtract;
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseProduct());
    left = Make(operation, std::move(left), std::move(right));
  }
  return left;
}

Result<Node> Parser::ParseProduct() {
  CONNBENCH_ASSIGN_OR_RETURN(Node left, ParseUnary());
  while (IsSymbol("*") || IsSymbol("/") || IsSymbol("%")) {
    const Operation operation = IsSymbol("*")   ? Operation::kMultiply
                                : IsSymbol("/") ? Operation::kDivide
                                                : Operation::kModulo;
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node right, ParseUnary());
    left = Make(operation, std::move(left), std::move(right));
  }
  return left;
}

Result<Node> Parser::ParseUnary() {
  if (++depth_ > kMaxDepth) {
    return Fail(token_.offset, fmt::format("nested deeper than {} levels", kMaxDepth));
  }
  Result<Node> result = [&]() -> Result<Node> {
    if (IsSymbol("+")) {
      CONNBENCH_RETURN_IF_ERROR(Advance());
      return ParseUnary();
    }
    if (IsSymbol("-")) {
      CONNBENCH_RETURN_IF_ERROR(Advance());
      if (token_.kind == TokenKind::kMinInteger) {
        CONNBENCH_RETURN_IF_ERROR(Advance());
        return Constant(Value::Int(INT64_MIN));
      }
      CONNBENCH_ASSIGN_OR_RETURN(Node operand, ParseUnary());
      return Make(Operation::kSubtract, Constant(Value::Int(0)), std::move(operand));
    }
    if (IsSymbol("~")) {
      CONNBENCH_RETURN_IF_ERROR(Advance());
      CONNBENCH_ASSIGN_OR_RETURN(Node operand, ParseSum());
      return Make(Operation::kBitXor, Constant(Value::Int(-1)), std::move(operand));
    }
    if (IsWord("not")) return ParseNot();
    return ParsePrimary();
  }();
  --depth_;
  return result;
}

Result<Node> Parser::ParsePrimary() {
  const Token token = token_;
  switch (token.kind) {
    case TokenKind::kInteger:
      CONNBENCH_RETURN_IF_ERROR(Advance());
      return Constant(Value::Int(token.integer));
    case TokenKind::kDouble:
      CONNBENCH_RETURN_IF_ERROR(Advance());
      return Constant(Value::Double(token.real));
    case TokenKind::kMinInteger:
      return Fail(token.offset, fmt::format("{} is too large for a bigint", token.text));
    case TokenKind::kVariable: {
      Node node = Make(Operation::kVariable);
      node->slot = symbols_.Slot(token.text);
      CONNBENCH_RETURN_IF_ERROR(Advance());
      return node;
    }
    case TokenKind::kSymbol:
      if (token.text == "(") {
        CONNBENCH_RETURN_IF_ERROR(Advance());
        CONNBENCH_ASSIGN_OR_RETURN(Node inner, ParseOr());
        if (!IsSymbol(")")) return Unexpected("\")\"");
        CONNBENCH_RETURN_IF_ERROR(Advance());
        return inner;
      }
      return Unexpected("a value");
    case TokenKind::kWord:
      if (token.text == "null" || token.text == "true" || token.text == "false") {
        CONNBENCH_RETURN_IF_ERROR(Advance());
        return Constant(token.text == "null" ? Value::Null() : Value::Bool(token.text == "true"));
      }
      if (token.text == "case") return ParseCase();
      CONNBENCH_RETURN_IF_ERROR(Advance());
      return ParseFunction(token);
    case TokenKind::kEnd:
      break;
  }
  return Unexpected("a value");
}

Result<Node> Parser::ParseCase() {
  CONNBENCH_RETURN_IF_ERROR(Advance());
  Node node = Make(Operation::kCase);
  if (!IsWord("when")) return Unexpected("WHEN");
  while (IsWord("when")) {
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node condition, ParseOr());
    if (!IsWord("then")) return Unexpected("THEN");
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node value, ParseOr());
    node->arguments.push_back(std::move(condition));
    node->arguments.push_back(std::move(value));
  }
  if (IsWord("else")) {
    CONNBENCH_RETURN_IF_ERROR(Advance());
    CONNBENCH_ASSIGN_OR_RETURN(Node value, ParseOr());
    node->arguments.push_back(std::move(value));
  } else {
    node->arguments.push_back(Constant(Value::Null()));
  }
  if (!IsWord("end")) return Unexpected("END");
  CONNBENCH_RETURN_IF_ERROR(Advance());
  return node;
}

Result<Node> Parser::ParseFunction(const Token& name) {
  const auto* function =
      std::find_if(std::begin(kFunctions), std::end(kFunctions),
                   [&](const FunctionEntry& entry) { return entry.name == name.text; });
  if (function == std::end(kFunctions)) {
    std::string known;
    for (const FunctionEntry& entry : kFunctions) {
      known += known.empty() ? "" : ", ";
      known += entry.name;
    }
    return std::move(Fail(name.offset, fmt::format("there is no function \"{}\"", name.text)))
        .WithHint(fmt::format("Functions are {}; a variable is written :{}.", known, name.text));
  }
  Node node = Make(function->operation);
  if (!IsSymbol("(")) return Unexpected(fmt::format("\"(\" after {}", name.text));
  CONNBENCH_RETURN_IF_ERROR(Advance());
  if (!IsSymbol(")")) {
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(Node argument, ParseOr());
      node->arguments.push_back(std::move(argument));
      if (!IsSymbol(",")) break;
      CONNBENCH_RETURN_IF_ERROR(Advance());
    }
  }
  if (!IsSymbol(")")) return Unexpected("\",\" or \")\"");
  CONNBENCH_RETURN_IF_ERROR(Advance());
  const auto given = static_cast<int>(node->arguments.size());
  if (given < function->min_arguments ||
      (function->max_arguments != kAnyArguments && given > function->max_arguments)) {
    const std::string wanted =
        function->max_arguments == function->min_arguments
            ? fmt::format("{}", function->min_arguments)
        : function->max_arguments == kAnyArguments
            ? fmt::format("at least {}", function->min_arguments)
            : fmt::format("{} or {}", function->min_arguments, function->max_arguments);
    return Fail(name.offset,
                fmt::format("{}() takes {} arguments, not {}", name.text, wanted, given));
  }
  return node;
}

}  // namespace

Result<Expression> Expression::Parse(std::string_view text, SymbolTable& symbols,
                                     size_t& error_offset) {
  Parser parser(text, symbols);
  auto root = parser.ParseAll();
  if (!root.ok()) {
    error_offset = parser.error_offset();
    return root.TakeStatus();
  }
  return Expression(std::move(*root));
}

}  // namespace connbench::load
