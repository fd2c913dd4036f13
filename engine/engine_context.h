// What a real session needs of the engine in its process: where everything shared is.
//
// Safety: private to a process, made once by engine.cc, unchanged afterwards; outlives the
// sessions.
#pragma once

#include "engine/config.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

class Segment;
class Storage;  // engine/storage/storage.h

struct EngineContext {
  EngineConfig config;
  Segment* segment = nullptr;
  TransactionSystem transactions;
  Storage* storage = nullptr;
};

}  // namespace connbench::engine
