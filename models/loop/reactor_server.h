// A server process with an event loop for every core, each with listeners and sessions of its own:
// what `reactor` and `reactor-uring` have in common. The essay is in reactor_model.cc.
//
// Safety: as models/model.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "models/loop/event_descriptors.h"
#include "models/loop/event_loop.h"
#include "models/model.h"

namespace connbench::models {

class ReactorServer : public Model {
 public:
  // event_fd: of the loop, as EventLoop's constructor has it.
  using MakeLoop = std::unique_ptr<EventLoop> (*)(size_t stack_bytes, int event_fd);
  // name: of the model, in messages; outlives it.
  ReactorServer(const ModelContext& context, std::string_view name, MakeLoop make_loop);

  ResourceNeeds Needs() const override;
  Status Start(ProcessSpawner& spawner) override;
  bool OneServerProcess() const override { return true; }
  int64_t AcceptingTasks() const override { return loop_count_; }
  AcceptStrategy OwnAcceptStrategy() const override { return AcceptStrategy::kReusePort; }

 private:
  int Run();
  Status Listen(EventLoop& loop, int number);

  const ModelContext context_;
  const std::string_view name_;
  const MakeLoop make_loop_;
  const int loop_count_;
  EventDescriptors event_descriptors_;  // one for each loop
};

}  // namespace connbench::models
