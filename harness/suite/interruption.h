// Ctrl-C, SIGTERM and SIGHUP (unless nohup has it ignored) as something to poll for instead of
// something that strikes anywhere: the run
// ends its trial in order, writes what there is and exits 130.
//
// Safety: made by the main thread before any other thread starts (the signals are blocked in all
// threads made later); Requested() by any thread. Children unblock the signals for themselves.
#pragma once

#include <csignal>

namespace connbench::suite {

class Interruption {
 public:
  Interruption();
  ~Interruption();  // puts the signal mask back
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Whether one of the signals has come since the start; stays true.
  bool Requested();
  // Readable when one has come: for poll().
  int descriptor() const { return descriptor_; }

 private:
  sigset_t previous_;
  void (*pipe_before_)(int) = nullptr;
  int descriptor_ = -1;
  bool requested_ = false;
};

}  // namespace connbench::suite
