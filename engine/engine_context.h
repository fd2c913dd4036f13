// What a real session needs of the engine in its process: where everything shared is.
//
// Safety: private to a process, made once by engine.cc, unchanged afterwards; outlives the
// sessions.
#pragma once

#include <memory>

#include "engine/config.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

class Checkpointer;  // engine/recovery/checkpointer.h
class Segment;
class Storage;           // engine/storage/storage.h
struct SettingDefaults;  // engine/sql/settings.h

struct EngineContext {
  EngineConfig config;
  Segment* segment = nullptr;
  TransactionSystem transactions;
  Storage* storage = nullptr;
  Checkpointer* checkpointer = nullptr;  // null: data live in memory only
  std::shared_ptr<const SettingDefaults> setting_defaults;
};

}  // namespace connbench::engine
