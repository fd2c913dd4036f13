// Scripts in pgbench's language: SQL statements ended by ";", \set, \sleep, \if \elif \else \endif,
// \gset, \aset, \startpipeline, \endpipeline, :variables and -- comments. Compiled once, then run
// by every client over its own variables.
//
// In simple mode :name is replaced by the variable's text, as pgbench does it; in the extended
// modes each becomes $n, sent as text. Where pgbench differs: a ":name" that no \set, -D or \gset
// of the run can ever define stays as it is in every mode (pgbench sends NULL in the extended
// ones).
//
// Safety: a ScriptSet is immutable once compiled and shared by all threads; a ScriptRunner belongs
// to one client. Errors: file:line:column and the remedy.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/script/expression.h"
#include "harness/script/random.h"

namespace connbench::load {

inline constexpr size_t kMaxScripts = 128;              // per run
inline constexpr int64_t kMaxScriptWeight = INT32_MAX;  // of one; their sum cannot overflow
inline constexpr size_t kMaxStatementParameters = 256;  // :variables in one statement
inline constexpr size_t kMaxScriptBytes = size_t{16} << 20;

// One script's text; where it came from is for error messages.
struct ScriptSource {
  std::string path;
  std::string text;
  int64_t weight = 1;
};

// What is kept of a statement's rows, as variables.
enum class Capture : uint8_t {
  kNone,
  kGset,  // the one row of its last result
  kAset,  // the last row of each result that has any
};

struct ScriptCommand {
  enum class Kind : uint8_t {
    kSql,
    kSet,         // variable = expression
    kSleep,       // for expression units
    kJumpUnless,  // \if, \elif: to target unless expression is true
    kJump,        // the end of a branch
    kStartPipeline,
    kEndPipeline,
  };
  Kind kind = Kind::kSql;
  int line = 1;
  size_t target = 0;
  uint32_t variable = 0;
  std::optional<Expression> expression;
  int64_t sleep_unit_ns = 0;

  // kSql: literals[0] variables[0] literals[1] ... literals[n].
  std::vector<std::string> literals;
  std::vector<uint32_t> variables;
  std::string parameterised;  // with $1 ... $n
  uint32_t statement = 0;     // number among all statements of the run
  Capture capture = Capture::kNone;
  std::string capture_prefix;
};

struct Script {
  std::string path;
  int64_t weight = 1;
  std::vector<ScriptCommand> commands;
  uint32_t statements = 0;  // SQL commands in it
};

class ScriptSet {
 public:
  // define: variables that are set before the first transaction (-D and the workload's).
  static Result<ScriptSet> Compile(const std::vector<ScriptSource>& sources,
                                   const std::map<std::string, std::string>& define);

  const std::vector<Script>& scripts() const { return scripts_; }
  const SymbolTable& symbols() const { return symbols_; }
  uint32_t statement_count() const { return statement_count_; }
  // Pipelines need the extended protocol.
  bool uses_pipelines() const { return uses_pipelines_; }
  // A script, as often as its weight says.
  size_t Pick(Random& random) const;
  // The variables that every client begins with.
  const std::vector<Variable>& initial_variables() const { return initial_variables_; }
  std::optional<uint32_t> FindVariable(std::string_view name) const;

 private:
  std::vector<Script> scripts_;
  SymbolTable symbols_;
  std::vector<Variable> initial_variables_;
  int64_t total_weight_ = 0;
  uint32_t statement_count_ = 0;
  bool uses_pipelines_ = false;
};

// One client's place in its script.
class ScriptRunner {
 public:
  enum class Step : uint8_t {
    kQuery,  // send command() and come back with Next() when it has ended, or at once in a pipeline
    kSync,   // send what ends the pipeline and come back when all of it has ended
    kSleep,  // come back after sleep_ns()
    kDone,   // the transaction is over; Begin() the next one
    kError,  // error() says why; the transaction has failed on the client's side
  };

  // scripts must outlive it. client_id and seed are what :client_id and :random_seed say.
  ScriptRunner(const ScriptSet& scripts, int64_t client_id, uint64_t seed);

  // Picks a script for the next transaction; follow with Next().
  void Begin();
  Step Next();

  // Statements are sent without waiting for their answers.
  bool in_pipeline() const { return in_pipeline_; }

  size_t script() const { return script_; }
  const ScriptCommand& command() const { return *command_; }
  int64_t sleep_ns() const { return sleep_ns_; }
  const Status& error() const { return error_; }

  // command()'s SQL for the simple protocol.
  void AppendSql(std::string& out) const;
  // The text of command()'s i-th parameter; false: NULL.
  bool AppendParameter(size_t i, std::string& out) const;
  // What \gset and \aset found. False: no variable can have that name; one without a use in any
  // script is ignored.
  bool SetVariable(std::string_view name, std::string_view text);

 private:
  const ScriptSet* scripts_;
  Random random_;
  std::vector<Variable> variables_;
  EvaluationContext Context();
  int64_t default_seed_ = 0;
  Step Fail(const Status& status);

  size_t script_ = 0;
  size_t at_ = 0;
  bool in_pipeline_ = false;
  const ScriptCommand* command_ = nullptr;
  int64_t sleep_ns_ = 0;
  Status error_;
};

// The seed of one client's random numbers.
uint64_t ClientSeed(uint64_t run_seed, uint64_t client);

}  // namespace connbench::load
