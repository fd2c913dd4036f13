// A server process with an event loop for every core.
#include "models/loop/reactor_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/server_log.h"
#include "models/loop/loop_connection.h"
#include "models/server_process.h"

namespace connbench::models {

ReactorServer::ReactorServer(const ModelContext& context, std::string_view name, MakeLoop make_loop)
    : context_(context),
      name_(name),
      make_loop_(make_loop),
      loop_count_(static_cast<int>(context.settings.reactor_loops != 0
                                       ? context.settings.reactor_loops
                                       : std::max(1u, std::thread::hardware_concurrency()))) {}

ResourceNeeds ReactorServer::Needs() const {
  const int64_t connections = context_.engine.config().max_connections;
  // Each session may be parked with a stack and its guard page.
  return {.descriptors = connections + 4 * int64_t{loop_count_},
          .tasks = loop_count_,
          .memory_mappings = 2 * connections};
}

Status ReactorServer::Start(ProcessSpawner& spawner) {
  CONNBENCH_RETURN_IF_ERROR(event_descriptors_.Open(loop_count_));
  return spawner.Fork(ChildKind::kServer, [this] { return Run(); }).status();
}

// The server process: its main thread waits for SIGTERM.
int ReactorServer::Run() {
  const TerminationSignal termination;
  const SessionEndSignal session_end;
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::thread> threads;
  Status status;
  for (int i = 0; i < loop_count_ && status.ok(); ++i) {
    loops.push_back(make_loop_(static_cast<size_t>(context_.settings.thread_stack_bytes),
                               event_descriptors_[i]));
    loops.back()->set_account(context_.engine.OpenPoolAccount(i, /*workers=*/1));
    status = loops.back()->Open();
    if (status.ok()) status = Listen(*loops.back(), i);
  }
  if (!status.ok()) {
    LogLine(fmt::format("{}: {}", name_, status.error().message));
    return 1;
  }
  threads.reserve(loops.size());
  for (const auto& loop : loops) threads.emplace_back([&loop]() noexcept { loop->Run(); });
  WaitForTermination(termination, session_end, [&] {
    for (const auto& loop : loops) loop->RequestSweep();
  });
  for (const auto& loop : loops) loop->RequestStop();
  for (std::thread& thread : threads) thread.join();
  return 0;
}

Status ReactorServer::Listen(EventLoop& loop, int number) {
  for (const Listener& listener : context_.listeners.Share(number)) {
    CONNBENCH_RETURN_IF_ERROR(
        LoopAcceptor::AddTo(loop, context_.engine, listener, nullptr, loop_count_ > 1));
  }
  return {};
}

}  // namespace connbench::models
