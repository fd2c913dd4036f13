/* A slow-down on purpose, for tests/benchmarks/gate_power.py: preloaded into a server, it burns CPU
 * time in the query path (at each receive that brings bytes) or in the connect path (at each
 * accept). How much is a number of turns of a loop, so that the same work is done however busy the
 * machine is:
 *
 *   LD_PRELOAD=planted_burn.so PLANTED_TURNS_PER_RECEIVE=N PLANTED_TURNS_PER_ACCEPT=N
 *
 * With -DPLANTED_MAIN it is a program that prints the nanoseconds of CPU time that a turn takes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

static void Burn(long turns) {
  for (volatile long turn = 0; turn < turns; ++turn) {
  }
}

#ifdef PLANTED_MAIN

int main(void) {
  enum { kTurns = 20 * 1000 * 1000 };
  struct timespec begin;
  struct timespec end;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
  Burn(kTurns);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  const double ns =
      (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
  printf("%.4f\n", ns / kTurns);
  return 0;
}

#else

static long turns_per_receive;
static long turns_per_accept;
static ssize_t (*real_recv)(int, void*, size_t, int);
static int (*real_accept4)(int, struct sockaddr*, socklen_t*, int);

static long TurnsOf(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? 0 : atol(text);
}

__attribute__((constructor)) static void Begin(void) {
  turns_per_receive = TurnsOf("PLANTED_TURNS_PER_RECEIVE");
  turns_per_accept = TurnsOf("PLANTED_TURNS_PER_ACCEPT");
  *(void**)&real_recv = dlsym(RTLD_NEXT, "recv");
  *(void**)&real_accept4 = dlsym(RTLD_NEXT, "accept4");
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  const ssize_t got = real_recv(fd, buffer, size, flags);
  if (got > 0) Burn(turns_per_receive);
  return got;
}

int accept4(int fd, struct sockaddr* address, socklen_t* size, int flags) {
  const int accepted = real_accept4(fd, address, size, flags);
  if (accepted >= 0) Burn(turns_per_accept);
  return accepted;
}

#endif
