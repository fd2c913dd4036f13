// Calls libpg_query such that it cannot end the process.
#include "engine/sql/parser_memory.h"

#include <csetjmp>
#include <cstdlib>
#include <cstring>

// Of the parser, which is PostgreSQL's: its state in this thread.
extern "C" {
struct MemoryContextData;
extern __thread MemoryContextData* TopMemoryContext;
extern __thread MemoryContextData* CurrentMemoryContext;
extern __thread MemoryContextData* ErrorContext;
extern __thread void* PG_exception_stack;
extern __thread void* error_context_stack;
void MemoryContextInit(void);
void FlushErrorState(void);
void pg_query_exit_memory_context(MemoryContextData* context);
}

namespace connbench::engine {
namespace {

// Where to go on when the parser cannot; null outside of it.
constinit thread_local sigjmp_buf* way_out = nullptr;
// The parser's first memory could not be had: its state is still to be made.
constinit thread_local bool without_state = false;

// Returns if the parser was not called by ParseWithinMemory(): reading the tree back takes a null
// pointer for what it is.
void LeaveParser() {
  if (way_out != nullptr) siglongjmp(*way_out, 1);
}

void TidyUp() {
  PG_exception_stack = nullptr;
  error_context_stack = nullptr;
  if (TopMemoryContext == nullptr || ErrorContext == nullptr) {
    without_state = true;
    return;
  }
  FlushErrorState();
  // What was being parsed into. In the middle of an error's report it is another, and is not known
  // here.
  if (CurrentMemoryContext != TopMemoryContext && CurrentMemoryContext != ErrorContext) {
    pg_query_exit_memory_context(CurrentMemoryContext);
  }
  CurrentMemoryContext = TopMemoryContext;
}

}  // namespace

bool ParseWithinMemory(const char* sql, PgQueryProtobufParseResult& result) {
  sigjmp_buf here;
  // NOLINTNEXTLINE(cert-err52-cpp): the frames between are C's
  if (sigsetjmp(here, 0) != 0) {
    way_out = nullptr;
    TidyUp();
    return false;
  }
  way_out = &here;
  if (without_state) {
    TopMemoryContext = nullptr;
    MemoryContextInit();
    without_state = false;
  }
  result = pg_query_parse_protobuf(sql);
  way_out = nullptr;
  return true;
}

}  // namespace connbench::engine

extern "C" {

void* connbench_parser_malloc(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr && bytes != 0) connbench::engine::LeaveParser();
  return memory;
}

void* connbench_parser_realloc(void* old, size_t bytes) {
  void* memory = std::realloc(old, bytes);
  if (memory == nullptr && bytes != 0) connbench::engine::LeaveParser();
  return memory;
}

char* connbench_parser_strdup(const char* text) {
  char* copy = strdup(text);
  if (copy == nullptr) connbench::engine::LeaveParser();
  return copy;
}

void connbench_parser_exit(int /*status*/) {
  connbench::engine::LeaveParser();
  std::abort();
}
}
