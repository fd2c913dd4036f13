// What a row and a key cost on the way in and out of the heap and an index.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/executor/key_codec.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {
namespace {

constexpr Oid kAccounts[] = {type_oid::kInt4, type_oid::kInt4, type_oid::kInt4, type_oid::kBpchar};

std::string AccountsRow(const RowCodec& codec) {
  const std::string filler(84, ' ');
  const Value values[] = {Value::Integer(4711), Value::Integer(1), Value::Integer(-99),
                          Value::Text(filler)};
  std::string row(codec.EncodedSize(values), '\0');
  codec.Encode(values, row.data());
  return row;
}

void DecodeOneColumn(benchmark::State& state) {
  const RowCodec codec(kAccounts);
  const std::string row = AccountsRow(codec);
  const uint16_t needed[] = {2};
  Value values[4];
  for (auto _ : state) {
    codec.Decode(row, needed, values);
    benchmark::DoNotOptimize(values[2]);
  }
}
BENCHMARK(DecodeOneColumn);

void DecodeWholeRow(benchmark::State& state) {
  const RowCodec codec(kAccounts);
  const std::string row = AccountsRow(codec);
  Value values[4];
  for (auto _ : state) {
    codec.DecodeAll(row, values);
    benchmark::DoNotOptimize(values);
  }
}
BENCHMARK(DecodeWholeRow);

void EncodeRow(benchmark::State& state) {
  const RowCodec codec(kAccounts);
  std::string row = AccountsRow(codec);
  Value values[4];
  const std::string source = row;
  codec.DecodeAll(source, values);
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec.EncodedSize(values));
    codec.Encode(values, row.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(EncodeRow);

void EncodeIntegerKey(benchmark::State& state) {
  KeyBuffer key;
  const Value value = Value::Integer(4711);
  for (auto _ : state) {
    key.Clear();
    AppendKey(type_oid::kInt4, value, key);
    benchmark::DoNotOptimize(key.view().data());
  }
}
BENCHMARK(EncodeIntegerKey);

void EncodeTextKey(benchmark::State& state) {
  KeyBuffer key;
  const Value value = Value::Text("a text of usual length, 40 characters...");
  for (auto _ : state) {
    key.Clear();
    AppendKey(type_oid::kText, value, key);
    benchmark::DoNotOptimize(key.view().data());
  }
}
BENCHMARK(EncodeTextKey);

}  // namespace
}  // namespace connbench::engine
