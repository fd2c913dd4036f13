// The messages that were sent to a backend and are not answered yet, in their order: from them the
// pooler knows what each answer belongs to, and what never happens when one of them fails.
//
// Safety: private memory, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace connbench::models {

struct PooledStatement;

struct ExpectedAnswer {
  enum class Kind : uint8_t {
    kClient,
    kParse,
    kBind,
    kClose,
    kDescribe,
    kExecute,
    kSync,
    kQuery,
  };
  // What a message changes in the client's names of statements.
  struct NameChange {
    std::string name;
    std::shared_ptr<PooledStatement> before;  // null: none
    std::shared_ptr<PooledStatement> after;
  };

  Kind kind;
  bool swallow = false;         // the pooler asked, not the client
  bool unnamed = false;         // it touches the backend's unnamed statement
  uint64_t link_statement = 0;  // kParse, kClose: the named one that the backend gets or loses
  std::string statement;        // kParse, kBind, kDescribe: the client's name of it
  std::unique_ptr<NameChange> change;
};

class ExpectedAnswers {
 public:
  bool empty() const { return first_ == answers_.size(); }
  size_t size() const { return answers_.size() - first_; }
  ExpectedAnswer& front() { return answers_[first_]; }
  ExpectedAnswer& back() { return answers_.back(); }
  auto begin() { return answers_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() { return answers_.end(); }
  // Executes among them: each may have changed the session.
  int executes() const { return executes_; }

  ExpectedAnswer& Push(ExpectedAnswer::Kind kind) {
    executes_ += kind == ExpectedAnswer::Kind::kExecute ? 1 : 0;
    return answers_.emplace_back(ExpectedAnswer{.kind = kind,
                                                .swallow = false,
                                                .unnamed = false,
                                                .link_statement = 0,
                                                .statement = {},
                                                .change = nullptr});
  }
  void PopFront() {
    executes_ -= front().kind == ExpectedAnswer::Kind::kExecute ? 1 : 0;
    ++first_;
    if (empty()) {
      answers_.clear();
      first_ = 0;
    }
  }
  void PopBack() {
    executes_ -= back().kind == ExpectedAnswer::Kind::kExecute ? 1 : 0;
    answers_.pop_back();
    if (empty()) {
      answers_.clear();
      first_ = 0;
    }
  }
  // Takes the first `count` off.
  void PopFront(size_t count) {
    for (; count > 0; --count) PopFront();
  }

 private:
  std::vector<ExpectedAnswer> answers_;
  size_t first_ = 0;
  int executes_ = 0;
};

}  // namespace connbench::models
