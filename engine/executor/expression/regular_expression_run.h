// Runs a program over a part of a text. Private to the regular expressions.
//
// Safety: private memory, one thread. Errors: interrupts.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/regular_expression.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

class RegexRun {
 public:
  static constexpr size_t kNowhere = std::string_view::npos;

  // All must outlive the run. program ends with kMatch.
  RegexRun(const RegularExpression& expression,
           const std::vector<RegularExpression::Instruction>& program, std::string_view text,
           WorkMeter& meter)
      : expression_(expression),
        program_(program),
        text_(text),
        meter_(meter),
        now_(program.size()),
        next_(program.size()) {}

  // Where the longest match ends that begins at begin and ends at last or before.
  Status Longest(size_t begin, size_t last, size_t& end);
  // Where the shortest one ends that ends in [least, last].
  Status Shortest(size_t begin, size_t least, size_t last, size_t& end);
  // Where the first match ends that begins at from or behind; none begins before earliest.
  Status Scan(size_t from, size_t& earliest, size_t& end);

 private:
  // The instructions that may read the next character, each once.
  struct States {
    explicit States(size_t size) : marks(size, 0) {}
    void Clear() {
      places.clear();
      matched = false;
      ++round;
    }

    std::vector<uint32_t> places;
    std::vector<uint32_t> marks;  // the round in which a place was seen last
    std::vector<uint32_t> pending;
    uint32_t round = 0;
    bool matched = false;
  };
  // What stands around a place in the text.
  struct Surroundings {
    bool begin = false;
    bool end = false;
    bool word_before = false;
    bool word_after = false;
    bool newline_before = false;
    bool newline_after = false;
  };

  Surroundings Around(size_t at) const;
  // Adds what is reached from a place in the program without reading a character.
  void Follow(uint32_t from, const Surroundings& around);
  // Reads the character at at into now_, and moves at behind it.
  Status Read(size_t& at);

  const RegularExpression& expression_;
  const std::vector<RegularExpression::Instruction>& program_;
  const std::string_view text_;
  WorkMeter& meter_;
  States now_;
  States next_;
};

}  // namespace connbench::engine
