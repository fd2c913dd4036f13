// Sequences: their counters live in the storage slot, outside of every transaction.
#include <fmt/format.h>

#include "engine/storage/catalog.h"
#include "engine/storage/storage.h"

namespace connbench::engine {
namespace {

Status LimitReached(const RelationInfo& sequence, bool ascending) {
  return Status::Error(
      sqlstate::kSequenceGeneratorLimitExceeded,
      fmt::format("nextval: reached {} value of sequence \"{}\" ({})",
                  ascending ? "maximum" : "minimum", sequence.name,
                  ascending ? sequence.sequence.maximum : sequence.sequence.minimum));
}

}  // namespace

Result<int64_t> Catalog::NextValue(const RelationRef& sequence) {
  StorageSlot* slot = storage_->Find(sequence->storage);
  if (slot == nullptr) return Storage::StaleStorage(sequence->storage);
  const SequenceInfo& info = sequence->sequence;
  ExclusiveLatchGuard latch(slot->extension);
  int64_t value = slot->sequence_value.load(std::memory_order_relaxed);
  if (slot->sequence_called.load(std::memory_order_relaxed) != 0) {
    const bool ascending = info.increment > 0;
    const bool overflow = __builtin_add_overflow(value, info.increment, &value);
    if (overflow || value > info.maximum || value < info.minimum) {
      if (!info.cycle) return LimitReached(*sequence, ascending);
      value = ascending ? info.minimum : info.maximum;
    }
  }
  slot->sequence_value.store(value, std::memory_order_relaxed);
  slot->sequence_called.store(1, std::memory_order_relaxed);
  storage_->LogSequence(sequence->storage, *slot);
  return value;
}

bool Catalog::LastValue(const RelationRef& sequence, int64_t& value) const {
  StorageSlot* slot = storage_->Find(sequence->storage);
  if (slot == nullptr) return false;
  ExclusiveLatchGuard latch(slot->extension);
  value = slot->sequence_value.load(std::memory_order_relaxed);
  return slot->sequence_called.load(std::memory_order_relaxed) != 0;
}

Status Catalog::SetValue(const RelationRef& sequence, int64_t value, bool called) {
  StorageSlot* slot = storage_->Find(sequence->storage);
  if (slot == nullptr) return Storage::StaleStorage(sequence->storage);
  const SequenceInfo& info = sequence->sequence;
  if (value < info.minimum || value > info.maximum) {
    return Status::Error(
        sqlstate::kNumericValueOutOfRange,
        fmt::format("setval: value {} is out of bounds for sequence \"{}\" ({}..{})", value,
                    sequence->name, info.minimum, info.maximum));
  }
  ExclusiveLatchGuard latch(slot->extension);
  slot->sequence_value.store(value, std::memory_order_relaxed);
  slot->sequence_called.store(called ? 1 : 0, std::memory_order_relaxed);
  storage_->LogSequence(sequence->storage, *slot);
  return {};
}

}  // namespace connbench::engine
