// A parallel worker's job, and errors, as bytes.
#include "engine/parallel/job.h"

#include "engine/parallel/byte_stream.h"
#include "engine/parallel/error_bytes.h"

namespace connbench::engine {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void WritePairs(ByteWriter& out, const Pairs& pairs) {
  out.Number(static_cast<uint32_t>(pairs.size()));
  for (const auto& [name, value] : pairs) {
    out.Text(name);
    out.Text(value);
  }
}

Pairs ReadPairs(ByteReader& in) {
  Pairs pairs;
  const auto count = in.Number<uint32_t>();
  for (uint32_t i = 0; i < count && in.complete(); ++i) {
    std::string name(in.Text());
    pairs.emplace_back(std::move(name), std::string(in.Text()));
  }
  return pairs;
}

}  // namespace

std::string ParallelJob::Write() const {
  ByteWriter out;
  out.Text(sql);
  out.Number(statement);
  out.Number(gather);
  out.Number(fingerprint);
  out.Number(takes_parameters);
  out.Number(static_cast<uint32_t>(parameter_types.size()));
  for (const uint32_t type : parameter_types) out.Number(type);
  out.Text(parameters);
  out.Text(user);
  out.Text(database);
  out.Number(role);
  out.Number(superuser);
  WritePairs(out, startup);
  WritePairs(out, settings);
  out.Number(isolation);
  out.Number(read_only);
  out.Number(transaction_start_us);
  out.Number(statement_start_us);
  out.Number(csn);
  out.Number(command);
  out.Number(backend);
  return out.Take();
}

std::optional<ParallelJob> ParallelJob::Read(std::string_view bytes) {
  ByteReader in(bytes);
  ParallelJob job;
  job.sql = in.Text();
  job.statement = in.Number<uint32_t>();
  job.gather = in.Number<uint32_t>();
  job.fingerprint = in.Number<uint64_t>();
  job.takes_parameters = in.Number<bool>();
  const auto types = in.Number<uint32_t>();
  for (uint32_t i = 0; i < types && in.complete(); ++i) {
    job.parameter_types.push_back(in.Number<uint32_t>());
  }
  job.parameters = in.Text();
  job.user = in.Text();
  job.database = in.Text();
  job.role = in.Number<uint32_t>();
  job.superuser = in.Number<bool>();
  job.startup = ReadPairs(in);
  job.settings = ReadPairs(in);
  job.isolation = in.Number<IsolationLevel>();
  job.read_only = in.Number<bool>();
  job.transaction_start_us = in.Number<int64_t>();
  job.statement_start_us = in.Number<int64_t>();
  job.csn = in.Number<Csn>();
  job.command = in.Number<CommandId>();
  job.backend = in.Number<BackendNumber>();
  if (!in.complete()) return std::nullopt;
  return job;
}

std::string WriteError(const ErrorInfo& error) {
  ByteWriter out;
  for (const std::string* text : {&error.code, &error.message, &error.detail, &error.hint,
                                  &error.context, &error.table, &error.column, &error.constraint}) {
    out.Text(*text);
  }
  out.Number(error.position);
  return out.Take();
}

Status ReadError(std::string_view bytes) {
  ByteReader in(bytes);
  ErrorInfo error;
  for (std::string* text : {&error.code, &error.message, &error.detail, &error.hint, &error.context,
                            &error.table, &error.column, &error.constraint}) {
    *text = in.Text();
  }
  error.position = in.Number<int>();
  if (!in.complete()) {
    return Status::Error(sqlstate::kInternalError, "lost connection to parallel worker");
  }
  error.context += error.context.empty() ? "parallel worker" : "\nparallel worker";
  Status status = Status::Error(error.code, std::move(error.message), error.position)
                      .WithDetail(std::move(error.detail))
                      .WithHint(std::move(error.hint))
                      .WithContext(std::move(error.context));
  if (!error.constraint.empty()) {
    return std::move(status).OfConstraint(std::move(error.table), std::move(error.constraint));
  }
  if (error.table.empty()) return status;
  return std::move(status).OfColumn(std::move(error.table), std::move(error.column));
}

}  // namespace connbench::engine
