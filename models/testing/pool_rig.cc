// A pooler with its backends in one process, as `pool-tx-thread` has them.
#include "models/testing/pool_rig.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "models/loop/epoll_loop.h"
#include "models/loop/loop_connection.h"

namespace connbench::models::testing {
namespace {

constexpr int kClients = 16;
constexpr size_t kStackBytes = 1 << 20;

void Require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "pool rig: %s\n", status.ToString().c_str());
  std::abort();
}

engine::EngineConfig SmallEngine() {
  engine::EngineConfig config;
  config.segment_backing = engine::SegmentBacking::kAnonymous;
  config.shared_buffers_bytes = int64_t{16} << 20;
  config.max_connections = kClients;
  config.superuser_reserved_connections = 0;
  return config;
}

}  // namespace

PoolRig::PoolRig(PoolMode mode, int backends) : PoolRig(PoolLimits{.mode = mode}, backends) {}

PoolRig::PoolRig(const PoolLimits& limits, int backends, int reserve, Backend backend)
    : backend_(std::move(backend)) {
  char folder[] = "/tmp/connbench-pool-rig.XXXXXX";
  if (mkdtemp(folder) == nullptr) Require(Status::System("mkdtemp", errno));
  folder_ = folder;
  Result<std::unique_ptr<engine::Engine>> engine = engine::Engine::Create(SmallEngine());
  Require(engine.status());
  engine_ = std::move(*engine);
  ListenOptions options;
  options.hosts = "";
  options.socket_directory = folder_;
  options.backlog = kClients;
  Result<ListenerSet> listeners = ListenerSet::Open(options);
  Require(listeners.status());
  listeners_ = std::move(*listeners);
  Require(event_descriptor_.Open(1));
  Require(mark_.Make());
  loop_ = std::make_unique<EpollLoop>(kStackBytes, event_descriptor_[0]);
  pooler_ = std::make_unique<Pooler>(*engine_, *loop_, limits, mark_);
  pooler_->KeepAccount(backends);
  Require(loop_->Open());
  for (int i = 0; i < backends + reserve; ++i) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      Require(Status::System("socketpair", errno));
    }
    Require(pooler_->AddBackend(ends[0], /*reserved=*/i >= backends));
    backend_ends_.push_back(ends[1]);
    stops_.push_back(std::make_unique<ConnectionStop>(ends[1]));
    threads_.emplace_back([this, &stop = *stops_.back()] { backend_(*engine_, mark_, stop); });
  }
  for (const Listener& listener : listeners_.listeners()) {
    Require(LoopAcceptor::AddTo(*loop_, *engine_, listener, pooler_.get()));
  }
  threads_.emplace_back([this] { loop_->Run(); });
}

PoolRig::~PoolRig() {
  engine_->RequestShutdown();
  loop_->RequestStop();
  threads_.back().join();
  threads_.pop_back();
  for (const auto& stop : stops_) stop->Request();
  for (std::thread& thread : threads_) thread.join();
  for (const int end : backend_ends_) close(end);
  listeners_.CloseAndRemove();
  rmdir(folder_.c_str());
}

}  // namespace connbench::models::testing
