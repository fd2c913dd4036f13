// A sink for what drives a session without looking at its answers: fuzzers and benchmarks. Takes
// everything, keeps nothing but the number of rows.
//
// Safety: plain value; one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/session.h"

namespace connbench::engine {

class CountingSink : public ResultSink {
 public:
  void ParameterDescription(std::span<const Oid> /*types*/) override {}
  void RowDescription(std::span<const ColumnDescription> /*columns*/,
                      std::span<const WireFormat> /*formats*/) override {}
  void NoData() override {}
  Status DataRow(std::span<const WireValue> /*values*/) override {
    ++rows;
    return {};
  }
  void CommandComplete(std::string_view /*tag*/) override {}
  void EmptyQuery() override {}
  void PortalSuspended() override {}
  void CopyInResponse(WireFormat /*format*/, int /*columns*/) override {}
  void CopyOutResponse(WireFormat /*format*/, int /*columns*/) override {}
  Status CopyData(std::string_view /*bytes*/) override { return {}; }
  void CopyDone() override {}
  void Notice(std::string_view /*severity*/, const ErrorInfo& /*notice*/) override {}
  void ParameterStatus(std::string_view /*name*/, std::string_view /*value*/) override {}
  int64_t rows = 0;
};

}  // namespace connbench::engine
