// Scripts in pgbench's language.
#include "harness/script/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/ascii.h"
#include "harness/script/script_parser.h"

namespace connbench::load {
namespace {

constexpr int64_t kNanosecondsPerSleepUnit[] = {1'000'000'000, 1'000'000, 1'000};
constexpr std::string_view kSleepUnits[] = {"s", "ms", "us"};
// Variables that exist in every run.
constexpr std::string_view kClientId = "client_id";
constexpr std::string_view kRandomSeed = "random_seed";
constexpr std::string_view kDefaultSeed = "default_seed";

constexpr std::string_view kCommands =
    "Commands are \\set, \\sleep, \\gset, \\aset, \\if, \\elif, \\else, \\endif, \\startpipeline "
    "and "
    "\\endpipeline.";

Status WrongScript(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

bool IsVariableName(std::string_view name) {
  return !name.empty() && IsVariableStart(name.front()) &&
         std::all_of(name.begin(), name.end(), IsVariablePart);
}

// A backslash command's words; rest is what follows them.
std::string_view TakeWord(std::string_view& rest) {
  rest = Trim(rest);
  size_t end = 0;
  while (end < rest.size() && std::isspace(static_cast<unsigned char>(rest[end])) == 0) ++end;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

// Compiles one script. SQL texts are kept as one literal until every name of the run is known.
class Compiler {
 public:
  Compiler(const ScriptSource& source, SymbolTable& symbols, uint32_t& statements,
           std::vector<bool>& assigned, bool& captures)
      : source_(source),
        symbols_(symbols),
        statements_(statements),
        assigned_(assigned),
        captures_(captures) {}

  Result<Script> Run() {
    script_.path = source_.path;
    script_.weight = source_.weight;
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<ScriptPart> parts,
                               SplitScript(source_.path, source_.text));
    for (const ScriptPart& part : parts) {
      if (part.is_sql) {
        AddSql(part);
      } else {
        CONNBENCH_RETURN_IF_ERROR(AddCommand(part));
      }
    }
    if (!branches_.empty()) {
      return ScriptError(source_.path, source_.text, branches_.back().offset,
                         "this \\if has no \\endif", "End it with \\endif.");
    }
    if (script_.commands.empty()) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("{}: the script is empty", source_.path))
          .WithHint("Write at least one SQL statement.");
    }
    return std::move(script_);
  }

 private:
  struct Branch {
    size_t offset = 0;
    std::optional<size_t> unless;      // the open kJumpUnless
    std::vector<size_t> jumps_to_end;  // of the branches before
    bool has_else = false;
  };

  Status Fail(size_t offset, std::string_view message, std::string_view hint = {}) const {
    return ScriptError(source_.path, source_.text, offset, message, hint);
  }

  ScriptCommand& Add(ScriptCommand::Kind kind, size_t offset) {
    ScriptCommand& command = script_.commands.emplace_back();
    command.kind = kind;
    command.line = LineOf(source_.text, offset);
    return command;
  }

  void AddSql(const ScriptPart& part) {
    ScriptCommand& command = Add(ScriptCommand::Kind::kSql, part.offset);
    command.literals.push_back(part.text);
    command.statement = statements_++;
    ++script_.statements;
    last_sql_ = script_.commands.size() - 1;
  }

  // text must be a part of the command.
  Result<Expression> ParseExpression(const ScriptPart& part, std::string_view text) {
    // +1: the part's text does not have the backslash.
    const size_t base = part.offset + 1 + static_cast<size_t>(text.data() - part.text.data());
    size_t error_offset = 0;
    auto expression = Expression::Parse(text, symbols_, error_offset);
    if (!expression.ok()) {
      const ErrorInfo& error = expression.status().error();
      return Fail(base + error_offset, error.message, error.hint);
    }
    return expression;
  }

  Status AddCommand(const ScriptPart& part);
  Status AddSet(const ScriptPart& part, std::string_view rest);
  Status AddSleep(const ScriptPart& part, std::string_view rest);
  Status AddCapture(const ScriptPart& part, Capture capture, std::string_view rest);
  Status AddPipelineEnd(const ScriptPart& part, ScriptCommand::Kind kind, std::string_view rest);
  Status AddElse(const ScriptPart& part, bool with_condition, std::string_view rest);
  Status AddEndif(const ScriptPart& part);
  Status CheckNoMore(const ScriptPart& part, std::string_view name, std::string_view rest) const;

  const ScriptSource& source_;
  SymbolTable& symbols_;
  uint32_t& statements_;
  std::vector<bool>& assigned_;
  bool& captures_;
  Script script_;
  std::vector<Branch> branches_;
  std::optional<size_t> last_sql_;  // while nothing followed it
};

Status Compiler::AddCommand(const ScriptPart& part) {
  std::string_view rest = part.text;
  const std::string name = AsciiLower(TakeWord(rest));
  const std::optional<size_t> last_sql = last_sql_;
  last_sql_.reset();
  if (name == "set") return AddSet(part, rest);
  if (name == "sleep") return AddSleep(part, rest);
  if (name == "gset" || name == "aset") {
    last_sql_ = last_sql;
    return AddCapture(part, name == "gset" ? Capture::kGset : Capture::kAset, rest);
  }
  if (name == "startpipeline") {
    return AddPipelineEnd(part, ScriptCommand::Kind::kStartPipeline, rest);
  }
  if (name == "endpipeline") return AddPipelineEnd(part, ScriptCommand::Kind::kEndPipeline, rest);
  if (name == "if") {
    CONNBENCH_ASSIGN_OR_RETURN(Expression condition, ParseExpression(part, rest));
    branches_.push_back({part.offset, script_.commands.size(), {}, false});
    Add(ScriptCommand::Kind::kJumpUnless, part.offset).expression = std::move(condition);
    return Status::Ok();
  }
  if (name == "elif") return AddElse(part, true, rest);
  if (name == "else" || name == "endif") {
    CONNBENCH_RETURN_IF_ERROR(CheckNoMore(part, name, rest));
    return name == "else" ? AddElse(part, false, rest) : AddEndif(part);
  }
  if (name == "shell" || name == "setshell") {
    return Fail(part.offset, fmt::format("\\{} of pgbench is not supported", name), kCommands);
  }
  return Fail(part.offset, fmt::format("there is no command \\{}", name), kCommands);
}

Status Compiler::CheckNoMore(const ScriptPart& part, std::string_view name,
                             std::string_view rest) const {
  if (Trim(rest).empty()) return Status::Ok();
  return Fail(part.offset, fmt::format("\\{} takes no argument", name));
}

Status Compiler::AddPipelineEnd(const ScriptPart& part, ScriptCommand::Kind kind,
                                std::string_view rest) {
  const bool start = kind == ScriptCommand::Kind::kStartPipeline;
  CONNBENCH_RETURN_IF_ERROR(CheckNoMore(part, start ? "startpipeline" : "endpipeline", rest));
  Add(kind, part.offset);
  return Status::Ok();
}

Status Compiler::AddSet(const ScriptPart& part, std::string_view rest) {
  const std::string_view name = TakeWord(rest);
  if (!IsVariableName(name)) {
    return Fail(part.offset, fmt::format("\\set needs the name of a variable, not \"{}\"", name),
                "Write \\set NAME EXPRESSION; names are letters, digits and underscores.");
  }
  if (Trim(rest).empty()) {
    return Fail(part.offset, fmt::format("\\set {} has no expression", name),
                "Write \\set NAME EXPRESSION.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression expression, ParseExpression(part, rest));
  const uint32_t slot = symbols_.Slot(name);
  ScriptCommand& command = Add(ScriptCommand::Kind::kSet, part.offset);
  command.variable = slot;
  command.expression = std::move(expression);
  if (slot >= assigned_.size()) assigned_.resize(slot + 1);
  assigned_[slot] = true;
  return Status::Ok();
}

Status Compiler::AddSleep(const ScriptPart& part, std::string_view rest) {
  constexpr std::string_view kUsage = "Write \\sleep NUMBER [us|ms|s], or \\sleep :VARIABLE.";
  std::string_view amount = TakeWord(rest);
  std::string_view unit = Trim(rest);
  // "\sleep 10ms": digits and unit may stand together.
  const size_t sign = amount.starts_with('-') || amount.starts_with('+') ? 1 : 0;
  size_t end = sign;
  while (end < amount.size() && std::isdigit(static_cast<unsigned char>(amount[end])) != 0) ++end;
  if (end > sign && end < amount.size() && unit.empty()) {
    unit = amount.substr(end);
    amount = amount.substr(0, end);
  }
  const bool is_variable = amount.size() > 1 && amount.front() == ':';
  if (!is_variable && (end == sign || end != amount.size())) {
    return Fail(part.offset, "\\sleep needs a number or a variable", kUsage);
  }
  if (unit.empty()) unit = kSleepUnits[0];
  const auto* known = std::find(std::begin(kSleepUnits), std::end(kSleepUnits), AsciiLower(unit));
  if (known == std::end(kSleepUnits)) {
    return Fail(part.offset, fmt::format("\"{}\" is no unit of \\sleep", unit), kUsage);
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression expression, ParseExpression(part, amount));
  ScriptCommand& command = Add(ScriptCommand::Kind::kSleep, part.offset);
  command.expression = std::move(expression);
  command.sleep_unit_ns = kNanosecondsPerSleepUnit[known - std::begin(kSleepUnits)];
  return Status::Ok();
}

Status Compiler::AddCapture(const ScriptPart& part, Capture capture, std::string_view rest) {
  const std::string_view name = capture == Capture::kGset ? "gset" : "aset";
  if (!last_sql_) {
    return Fail(part.offset, fmt::format("\\{} must follow a SQL statement", name),
                "It stores a row of the statement before it.");
  }
  const std::string_view prefix = TakeWord(rest);
  if (!Trim(rest).empty()) {
    return Fail(part.offset, fmt::format("\\{} takes one argument, a prefix", name));
  }
  if (!prefix.empty() && !IsVariableName(prefix)) {
    return Fail(part.offset, fmt::format("\"{}\" cannot begin the name of a variable", prefix));
  }
  ScriptCommand& command = script_.commands[*last_sql_];
  command.capture = capture;
  command.capture_prefix = prefix;
  captures_ = true;
  last_sql_.reset();
  return Status::Ok();
}

Status Compiler::AddElse(const ScriptPart& part, bool with_condition, std::string_view rest) {
  const std::string_view name = with_condition ? "\\elif" : "\\else";
  if (branches_.empty()) return Fail(part.offset, fmt::format("{} without \\if", name));
  if (branches_.back().has_else) {
    return Fail(part.offset, fmt::format("{} after \\else", name));
  }
  branches_.back().jumps_to_end.push_back(script_.commands.size());
  Add(ScriptCommand::Kind::kJump, part.offset);
  script_.commands[*branches_.back().unless].target = script_.commands.size();
  branches_.back().unless.reset();
  if (with_condition) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression condition, ParseExpression(part, rest));
    branches_.back().unless = script_.commands.size();
    Add(ScriptCommand::Kind::kJumpUnless, part.offset).expression = std::move(condition);
  } else {
    branches_.back().has_else = true;
  }
  return Status::Ok();
}

Status Compiler::AddEndif(const ScriptPart& part) {
  if (branches_.empty()) return Fail(part.offset, "\\endif without \\if");
  const size_t end = script_.commands.size();
  if (branches_.back().unless) script_.commands[*branches_.back().unless].target = end;
  for (const size_t jump : branches_.back().jumps_to_end) script_.commands[jump].target = end;
  branches_.pop_back();
  return Status::Ok();
}

// Finds the :variables of a statement, given which names can ever have a value.
Status Resolve(const ScriptSource& source, ScriptCommand& command, SymbolTable& symbols,
               const std::vector<bool>& assigned, bool any_name) {
  const std::string sql = std::move(command.literals.front());
  command.literals.clear();
  std::string literal;
  for (size_t at = 0; at < sql.size();) {
    if (sql[at] != ':') {
      literal += sql[at];
      command.parameterised += sql[at++];
      continue;
    }
    size_t end = at + 1;
    const bool doubled = end < sql.size() && sql[end] == ':';  // a cast
    if (doubled) {
      while (end < sql.size() && sql[end] == ':') ++end;
    } else if (end < sql.size() && IsVariableStart(sql[end])) {
      while (end < sql.size() && IsVariablePart(sql[end])) ++end;
    }
    const std::string_view name = std::string_view(sql).substr(at + 1, end - at - 1);
    const uint32_t* slot = doubled || name.empty() ? nullptr : symbols.Find(name);
    const bool can_have_value = slot != nullptr && *slot < assigned.size() && assigned[*slot];
    if (!doubled && !name.empty() && (can_have_value || any_name)) {
      command.literals.push_back(std::move(literal));
      literal.clear();
      command.variables.push_back(symbols.Slot(name));
      command.parameterised += fmt::format("${}", command.variables.size());
    } else {
      literal.append(sql, at, end - at);
      command.parameterised.append(sql, at, end - at);
    }
    at = end;
  }
  command.literals.push_back(std::move(literal));
  if (command.variables.size() > kMaxStatementParameters) {
    return Status::Error(
        sqlstate::kProgramLimitExceeded,
        fmt::format("{}:{}: a statement with {} variables; the limit is {}", source.path,
                    command.line, command.variables.size(), kMaxStatementParameters));
  }
  return Status::Ok();
}

}  // namespace

Result<ScriptSet> ScriptSet::Compile(const std::vector<ScriptSource>& sources,
                                     const std::map<std::string, std::string>& define) {
  ScriptSet set;
  if (sources.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue, "there is no script to run");
  }
  if (sources.size() > kMaxScripts) {
    return Status::Error(sqlstate::kProgramLimitExceeded,
                         fmt::format("{} scripts; the limit is {}", sources.size(), kMaxScripts));
  }
  std::vector<bool> assigned;
  const auto assign = [&](std::string_view name) {
    const uint32_t slot = set.symbols_.Slot(name);
    if (slot >= assigned.size()) assigned.resize(slot + 1);
    assigned[slot] = true;
  };
  for (const std::string_view name : {kClientId, kRandomSeed, kDefaultSeed}) assign(name);
  for (const auto& [name, value] : define) {
    if (!IsVariableName(name)) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("\"{}\" cannot be the name of a variable", name))
          .WithHint("Names are letters, digits and underscores and begin with no digit.");
    }
    assign(name);
  }
  bool captures = false;
  for (const ScriptSource& source : sources) {
    if (source.text.size() > kMaxScriptBytes) {
      return Status::Error(sqlstate::kProgramLimitExceeded,
                           fmt::format("{}: longer than {} bytes", source.path, kMaxScriptBytes));
    }
    if (source.weight < 0 || source.weight > kMaxScriptWeight) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("{}: its weight is {}, must be from 0 to {}", source.path,
                                       source.weight, kMaxScriptWeight));
    }
    Compiler compiler(source, set.symbols_, set.statement_count_, assigned, captures);
    CONNBENCH_ASSIGN_OR_RETURN(Script script, compiler.Run());
    set.scripts_.push_back(std::move(script));
    set.total_weight_ += source.weight;
  }
  if (set.total_weight_ <= 0) {
    return Status::Error(sqlstate::kInvalidParameterValue, "all scripts have weight 0")
        .WithHint("Give at least one a weight above 0.");
  }
  for (size_t i = 0; i < sources.size(); ++i) {
    for (ScriptCommand& command : set.scripts_[i].commands) {
      if (command.kind == ScriptCommand::Kind::kSql) {
        CONNBENCH_RETURN_IF_ERROR(Resolve(sources[i], command, set.symbols_, assigned, captures));
      }
      if (command.kind == ScriptCommand::Kind::kStartPipeline) set.uses_pipelines_ = true;
      // A name that nothing can set would fail in the first transaction: say so now.
      std::vector<uint32_t> reads;
      if (command.expression) command.expression->CollectVariables(reads);
      for (const uint32_t slot : reads) {
        if (captures || (slot < assigned.size() && assigned[slot])) continue;
        return Status::Error(sqlstate::kUndefinedObject,
                             fmt::format("{}:{}: variable \"{}\" is never set", sources[i].path,
                                         command.line, set.symbols_.name(slot)))
            .WithHint(
                fmt::format("Set it with \\set, or with -D {}=VALUE.", set.symbols_.name(slot)));
      }
    }
  }
  set.initial_variables_.resize(set.symbols_.size());
  for (const auto& [name, value] : define) {
    set.initial_variables_[set.symbols_.Slot(name)].SetFromText(value);
  }
  return set;
}

size_t ScriptSet::Pick(Random& random) const {
  if (scripts_.size() == 1) return 0;
  int64_t ticket = random.Uniform(0, total_weight_ - 1);
  size_t i = 0;
  while (ticket >= scripts_[i].weight) ticket -= scripts_[i++].weight;
  return i;
}

std::optional<uint32_t> ScriptSet::FindVariable(std::string_view name) const {
  const uint32_t* slot = symbols_.Find(name);
  if (slot == nullptr) return std::nullopt;
  return *slot;
}

uint64_t ClientSeed(uint64_t run_seed, uint64_t client) {
  // Two rounds of mixing, so that neighbouring clients have unrelated sequences.
  return static_cast<uint64_t>(HashMurmur2(static_cast<int64_t>(client), run_seed));
}

ScriptRunner::ScriptRunner(const ScriptSet& scripts, int64_t client_id, uint64_t seed)
    : scripts_(&scripts),
      random_(ClientSeed(seed, static_cast<uint64_t>(client_id))),
      variables_(scripts.initial_variables()) {
  const auto set_unless_defined = [&](std::string_view name, int64_t value) {
    Variable& variable = variables_[*scripts.FindVariable(name)];
    if (!variable.defined) variable.Set(Value::Int(value));
    return variable.value.type == Value::Type::kInt ? variable.value.integer : value;
  };
  set_unless_defined(kClientId, client_id);
  set_unless_defined(kRandomSeed, static_cast<int64_t>(seed));
  // The same for all clients: hash() must spread equal keys equally.
  default_seed_ = set_unless_defined(kDefaultSeed, HashMurmur2(0, seed));
}

EvaluationContext ScriptRunner::Context() {
  return {variables_, &scripts_->symbols(), &random_, default_seed_, nullptr};
}

void ScriptRunner::Begin() {
  script_ = scripts_->Pick(random_);
  at_ = 0;
  in_pipeline_ = false;
  error_ = Status::Ok();
}

ScriptRunner::Step ScriptRunner::Fail(const Status& status) {
  error_ = Status::Error(status.code(), fmt::format("{}:{}: {}", scripts_->scripts()[script_].path,
                                                    command_->line, status.error().message));
  return Step::kError;
}

ScriptRunner::Step ScriptRunner::Next() {
  const Script& script = scripts_->scripts()[script_];
  EvaluationContext context = Context();
  while (at_ < script.commands.size()) {
    const ScriptCommand& command = script.commands[at_++];
    command_ = &command;
    switch (command.kind) {
      case ScriptCommand::Kind::kSql:
        if (in_pipeline_ && command.capture != Capture::kNone) {
          return Fail(WrongScript("\\gset and \\aset are not allowed in a pipeline"));
        }
        return Step::kQuery;
      case ScriptCommand::Kind::kStartPipeline:
        if (in_pipeline_) return Fail(WrongScript("\\startpipeline in a pipeline"));
        in_pipeline_ = true;
        continue;
      case ScriptCommand::Kind::kEndPipeline:
        if (!in_pipeline_) return Fail(WrongScript("\\endpipeline without \\startpipeline"));
        in_pipeline_ = false;
        return Step::kSync;
      case ScriptCommand::Kind::kJump:
        at_ = command.target;
        continue;
      default:
        break;
    }
    Value value;
    Status status = command.expression->Evaluate(context, value);
    if (status.ok() && command.kind == ScriptCommand::Kind::kSleep) {
      int64_t sleep = 0;
      if (value.type == Value::Type::kInt &&
          !__builtin_mul_overflow(value.integer, command.sleep_unit_ns, &sleep)) {
        // A time below zero is over at once, as with pgbench.
        sleep_ns_ = std::max<int64_t>(sleep, 0);
        return Step::kSleep;
      }
      status = WrongScript("\\sleep needs a whole number, and not so large a one");
    }
    if (!status.ok()) return Fail(status);
    if (command.kind == ScriptCommand::Kind::kSet) {
      variables_[command.variable].Set(value);
    } else if (!IsTrue(value)) {
      at_ = command.target;
    }
  }
  if (in_pipeline_) return Fail(WrongScript("the script ends in a pipeline"));
  return Step::kDone;
}

void ScriptRunner::AppendSql(std::string& out) const {
  for (size_t i = 0; i < command_->variables.size(); ++i) {
    out += command_->literals[i];
    const Variable& variable = variables_[command_->variables[i]];
    if (variable.defined) {
      variable.AppendText(out);
    } else {
      out += ':';
      out += scripts_->symbols().name(command_->variables[i]);
    }
  }
  out += command_->literals.back();
}

bool ScriptRunner::AppendParameter(size_t i, std::string& out) const {
  const Variable& variable = variables_[command_->variables[i]];
  if (!variable.defined || (!variable.is_text && variable.value.type == Value::Type::kNull)) {
    return false;
  }
  variable.AppendText(out);
  return true;
}

bool ScriptRunner::SetVariable(std::string_view name, std::string_view text) {
  if (!IsVariableName(name)) return false;
  if (const std::optional<uint32_t> slot = scripts_->FindVariable(name)) {
    variables_[*slot].SetFromText(text);
  }
  return true;
}

}  // namespace connbench::load
