// An event loop that hands the kernel the calls themselves (receive, send.
#include "models/loop/uring_loop.h"

#include <poll.h>

#include <utility>

#include "models/loop/uring_socket.h"

namespace connbench::models {
namespace {

constexpr uint64_t kCallMask = 7;
static_assert(alignof(UringEndpoint) > kCallMask);

// Strings that are kept for the next sends, and up to which capacity.
constexpr size_t kSpares = 64;
constexpr size_t kSpareBytes = 16 << 10;

uint64_t UserData(const UringEndpoint* endpoint, UringCall kind) {
  return reinterpret_cast<uint64_t>(endpoint) | static_cast<uint64_t>(kind);
}

}  // namespace

UringLoop::UringLoop(size_t stack_bytes, int event_fd, const UringOptions& options)
    : EventLoop(stack_bytes, event_fd), options_(options) {}

UringLoop::~UringLoop() {
  // If it never ran there are still tasks, and endpoints whose calls were never submitted.
  DropTasks();
  ring_.Close();
}

Status UringLoop::Open() {
  CONNBENCH_RETURN_IF_ERROR(ring_.Open(options_));
  WatchEventDescriptor();
  return {};
}

void UringLoop::WatchEventDescriptor() {
  // Every ring is an edge: nobody needs to read the count.
  io_uring_sqe& call = ring_.NextCall();
  io_uring_prep_poll_multishot(&call, event_fd(), POLLIN);
  io_uring_sqe_set_data64(&call, UserData(nullptr, UringCall::kRing));
}

Result<LoopSocketHandle> UringLoop::OpenSocket(LoopTask& task, int fd) {
  auto* socket = new UringSocket(*this, task, fd);
  Keep(*socket);
  socket->Begin();
  return LoopSocketHandle(socket);
}

Result<LoopListenerHandle> UringLoop::OpenListener(LoopTask& task, const Listener& listener) {
  auto* opened = new UringListener(*this, task, listener);
  Keep(*opened);
  opened->Begin();
  return LoopListenerHandle(opened);
}

void UringLoop::Keep(UringEndpoint& endpoint) {
  endpoint.index_ = endpoints_.size();
  endpoints_.emplace_back(&endpoint);
}

void UringLoop::Free(UringEndpoint& endpoint) {
  const size_t index = endpoint.index_;
  endpoints_.back()->index_ = index;
  std::swap(endpoints_[index], endpoints_.back());
  endpoints_.pop_back();
}

void UringLoop::Start(io_uring_sqe& call, UringEndpoint& endpoint, UringCall kind) {
  io_uring_sqe_set_data64(&call, UserData(&endpoint, kind));
  ++endpoint.calls_;
}

void UringLoop::Cancel(UringEndpoint& endpoint, UringCall kind) {
  io_uring_sqe& call = ring_.NextCall();
  io_uring_prep_cancel64(&call, UserData(&endpoint, kind), 0);
  io_uring_sqe_set_data64(&call, UserData(nullptr, UringCall::kCancel));
}

void UringLoop::Release(UringEndpoint& endpoint) {
  std::erase(without_buffer_, &endpoint);
  endpoint.released_ = true;
  if (endpoint.calls_ == 0) Free(endpoint);
}

std::string UringLoop::TakeSpare() {
  if (spares_.empty()) return {};
  std::string spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void UringLoop::GiveSpare(std::string&& spare) {
  if (spares_.size() >= kSpares || spare.capacity() > kSpareBytes) return;
  spare.clear();
  spares_.push_back(std::move(spare));
}

void UringLoop::WaitForBuffer(UringEndpoint& endpoint) {
  ++buffer_shortages_;
  without_buffer_.push_back(&endpoint);
}

void UringLoop::ServeThoseWithoutBuffer() {
  asked_again_.clear();
  asked_again_.swap(without_buffer_);
  for (UringEndpoint* endpoint : asked_again_) static_cast<UringSocket*>(endpoint)->Begin();
}

void UringLoop::BeginRun() { ring_.Enable(); }

void UringLoop::Poll(MonotonicNs deadline) {
  if (!without_buffer_.empty() && ring_.has_free_buffers()) ServeThoseWithoutBuffer();
  ring_.Submit(deadline);
  ring_.TakeCompletions(completions_);
  for (const UringCompletion& completion : completions_) OnCompletion(completion);
}

void UringLoop::OnCompletion(const UringCompletion& completion) {
  const auto kind = static_cast<UringCall>(completion.user_data & kCallMask);
  if (kind == UringCall::kCancel) return;
  if (kind == UringCall::kRing) {
    OnRung();
    if (completion.last()) WatchEventDescriptor();
    return;
  }
  auto& endpoint = *reinterpret_cast<UringEndpoint*>(completion.user_data & ~kCallMask);
  if (completion.last()) --endpoint.calls_;
  endpoint.OnCompletion(kind, completion);
  if (endpoint.released_ && endpoint.calls_ == 0) Free(endpoint);
}

}  // namespace connbench::models
