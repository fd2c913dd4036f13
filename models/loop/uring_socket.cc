// Sockets and listeners whose calls the kernel carries out (models/loop/uring_loop.h).
#include "models/loop/uring_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "models/connection.h"

namespace connbench::models {

UringSocket::~UringSocket() { close(fd_); }

void UringSocket::StartReceive(bool expect_bytes) {
  receiving_ = true;
  io_uring_sqe& call = loop_.ring().NextCall();
  io_uring_prep_recv(&call, fd_, nullptr, 0, 0);
  call.flags |= IOSQE_BUFFER_SELECT;
  call.buf_group = UringRing::kBufferGroup;
  // The client has only just been answered: to look before it could have asked again is in vain.
  if (!expect_bytes) call.ioprio |= IORING_RECVSEND_POLL_FIRST;
  loop_.Start(call, *this, UringCall::kReceive);
}

LoopSocket::Received UringSocket::Receive(std::span<char> buffer, size_t& count) {
  count = 0;
  if (!has_buffer_) return ended_ ? Received::kEnded : Received::kNothing;
  const std::string_view came = loop_.ring().Buffer(buffer_, buffer_bytes_);
  std::memcpy(buffer.data(), came.data(), came.size());
  count = came.size();
  has_buffer_ = false;
  loop_.ring().GiveBack(buffer_);
  return Received::kBytes;
}

void UringSocket::AwaitInput() {
  if (!receiving_ && !ended_) StartReceive(/*expect_bytes=*/false);
}

void UringSocket::OnReceived(const UringCompletion& completion) {
  receiving_ = false;
  const bool bytes = completion.result > 0;
  if (completion.has_buffer() && (task_ == nullptr || !bytes)) {
    loop_.ring().GiveBack(completion.buffer());
  }
  if (task_ == nullptr) return;
  if (completion.result == -ENOBUFS) {
    receiving_ = true;
    loop_.WaitForBuffer(*this);
    return;
  }
  if (completion.result == -EINTR || completion.result == -EAGAIN) {
    StartReceive(/*expect_bytes=*/false);
    return;
  }
  has_buffer_ = bytes;
  if (bytes) {
    buffer_ = completion.buffer();
    buffer_bytes_ = static_cast<uint32_t>(completion.result);
  }
  ended_ = !bytes;
  loop_.OnNews(*task_, /*look_again=*/false);
}

Status UringSocket::Send(std::string& bytes) {
  CONNBENCH_RETURN_IF_ERROR(Drain());
  unsent_ = loop_.TakeSpare();
  unsent_.swap(bytes);
  sent_bytes_ = 0;
  StartSend(/*wait=*/false);
  return {};
}

Status UringSocket::Drain() {
  while (sending_) {
    if (UringLoop::IsStopping(*task_)) return ClientGone();
    loop_.Park(kNoDeadline);
  }
  return gone_ ? ClientGone() : Status();
}

void UringSocket::StartSend(bool wait) {
  sending_ = true;
  send_waits_ = wait;
  io_uring_sqe& call = loop_.ring().NextCall();
  io_uring_prep_send(&call, fd_, unsent_.data() + sent_bytes_, unsent_.size() - sent_bytes_,
                     MSG_NOSIGNAL | (wait ? MSG_WAITALL : MSG_DONTWAIT));
  loop_.Start(call, *this, UringCall::kSend);
}

void UringSocket::OnSent(int32_t result) {
  if (result == -EAGAIN || result == -EINTR) result = 0;
  gone_ = result < 0;
  if (!gone_) sent_bytes_ += static_cast<size_t>(result);
  if (!gone_ && sent_bytes_ < unsent_.size() && task_ != nullptr) {
    StartSend(/*wait=*/true);
    return;
  }
  sending_ = false;
  loop_.GiveSpare(std::move(unsent_));
  if (task_ != nullptr) loop_.Wake(*task_);
}

void UringSocket::OnCompletion(UringCall call, const UringCompletion& completion) {
  if (call == UringCall::kReceive) {
    OnReceived(completion);
  } else {
    OnSent(completion.result);
  }
}

void UringSocket::Release() {
  task_ = nullptr;
  if (has_buffer_) loop_.ring().GiveBack(buffer_);
  if (receiving_) loop_.Cancel(*this, UringCall::kReceive);
  if (sending_ && send_waits_) loop_.Cancel(*this, UringCall::kSend);
  loop_.Release(*this);
}

UringListener::~UringListener() {
  for (size_t i = next_; i < accepted_.size(); ++i) close(accepted_[i]);
}

void UringListener::Begin() {
  accepting_ = true;
  io_uring_sqe& call = loop_.ring().NextCall();
  // One client for each call: a call that stays would have all that come in turn, and would accept
  // while the loop has no place for another.
  io_uring_prep_accept(&call, listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
  loop_.Start(call, *this, UringCall::kAccept);
}

Listener::AcceptResult UringListener::Accept(engine::ConnectionLog& log,
                                             AcceptedConnection& connection) {
  while (next_ < accepted_.size()) {
    if (listener_.Adopt(log, accepted_[next_++], connection)) {
      return Listener::AcceptResult::kAccepted;
    }
  }
  accepted_.clear();
  next_ = 0;
  if (std::exchange(exhausted_, false)) return Listener::AcceptResult::kExhausted;
  if (!accepting_) Begin();
  return Listener::AcceptResult::kNone;
}

void UringListener::OnCompletion(UringCall /*call*/, const UringCompletion& completion) {
  if (completion.last()) accepting_ = false;
  if (completion.result >= 0) {
    accepted_.push_back(completion.result);
  } else if (completion.result != -ECONNABORTED && completion.result != -EINTR) {
    exhausted_ = true;  // or something that will not be over at once, either
  }
  if (task_ != nullptr) loop_.OnNews(*task_, /*look_again=*/false);
}

void UringListener::Release() {
  task_ = nullptr;
  if (accepting_) loop_.Cancel(*this, UringCall::kAccept);
  loop_.Release(*this);
}

}  // namespace connbench::models
