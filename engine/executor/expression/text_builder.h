// Collects a text result piece by piece in exactly the memory asked for.
//
// Safety: private memory, one thread. Errors are left in the EvalContext.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "engine/executor/expression/expression.h"

namespace connbench::engine {

class TextBuilder {
 public:
  static constexpr int64_t kMaxTextBytes =
      0x3FFFFFFF - 4;  // PostgreSQL's MaxAllocSize, its header left out

  TextBuilder(EvalContext& context, int64_t bytes)
      : context_(context), meter_(context.arena->Meter()) {
    if (bytes > kMaxTextBytes) {
      context.status = Status::Error(sqlstate::kProgramLimitExceeded, "requested length too large");
    } else {
      begin_ = at_ = context.Allocate(static_cast<size_t>(bytes));
    }
    ok_ = begin_ != nullptr;
  }
  // False: no memory, or an interrupt came; nothing more is added.
  bool ok() const { return ok_; }

  void Add(std::string_view text) {
    if (text.empty() || !ok_) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    Spend(text.size());
  }
  void AddRepeated(std::string_view text, int64_t times) {
    if (text.empty() || times <= 0) return;
    // What is there already is copied behind itself, twice as much each time, up to a block.
    constexpr size_t kBlockBytes = 64 * 1024;
    const char* const first = at_;
    size_t left = text.size() * static_cast<size_t>(times);
    Add(text);
    left -= text.size();
    while (left > 0 && ok_) {
      const auto written = static_cast<size_t>(at_ - first);
      const size_t whole = std::max(kBlockBytes / text.size(), size_t{1}) * text.size();
      Add({first, std::min({written, whole, left})});
      left -= std::min({written, whole, left});
    }
  }
  bool Finish(Value& out) {
    out = Value::Text({begin_, static_cast<size_t>(at_ - begin_)});
    return ok_;
  }

 private:
  void Spend(size_t bytes) {
    constexpr size_t kBytesPerStep = 4;
    Status status = meter_.Spend(static_cast<int64_t>(bytes / kBytesPerStep) + 1);
    if (!status.ok()) ok_ = context_.Fail(std::move(status));
  }

  EvalContext& context_;
  WorkMeter meter_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  bool ok_ = false;
};

}  // namespace connbench::engine
