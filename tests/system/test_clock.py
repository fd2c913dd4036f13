"""Clocks that jump and a client that stands still: neither may bend a figure without saying so.
What measures reads CLOCK_MONOTONIC alone (tests/style.sh looks for others); a machine that slept is
found by CLOCK_BOOTTIME."""
import json
import os
import signal
import subprocess
import time

import pytest

from load_process import LoadProcess
from servers import Connbench

# Every second reading of the wall clock is a day later than the one before, the next a day earlier.
JUMPING_CLOCK = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static int calls;
int clock_gettime(clockid_t clock, struct timespec* now) {
  const long status = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME && __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 2) {
    now->tv_sec += 86400;
  }
  return (int)status;
}
int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
time_t time(time_t* out) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (out) *out = exact.tv_sec;
  return exact.tv_sec;
}
"""
RATE = 200


def test_a_wall_clock_that_jumps_bends_no_figure(binary, tmp_path):
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(JUMPING_CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    jump = subprocess.run(
        ["/usr/bin/python3", "-c", "import time; print(abs(time.time() - time.time()))"],
        env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, check=True)
    assert float(jump.stdout) > 86000, "the clock does not jump"
    with Connbench(binary, "thread") as server, LoadProcess(
            binary, server, tmp_path, "-R", str(RATE), "--arrival", "constant", "-T", "1s",
            LD_PRELOAD=str(library)) as load:
        output = load.finish()
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["window_end_ns"] - result["window_begin_ns"] == 1_000_000_000, output
    assert result["transactions_all"] == RATE, output
    assert result["transactions_ok"] + result["transactions_skipped"] == RATE, output
    assert not [reason for reason in result["invalid_reasons"] if reason.startswith("clock")]
    assert result["run_end_ns"] - result["run_begin_ns"] < 60e9


@pytest.mark.parametrize("schedule", [[], ["-R", str(RATE)]], ids=["closed", "open"])
def test_a_client_that_was_stopped_says_so(binary, tmp_path, schedule):
    with Connbench(binary, "thread") as server, \
            LoadProcess(binary, server, tmp_path, *schedule, "-T", "3s") as load:
        load.begin()
        time.sleep(0.5)
        os.kill(load.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(load.pid, signal.SIGCONT)
        output = load.finish()
    assert load.returncode == 3, output
    result = json.loads((tmp_path / "result.json").read_text())
    assert 0.8e9 < result["client_stall_ns"] < 3e9
    reasons = dict(reason.split(": ", 1) for reason in result["invalid_reasons"])
    assert reasons["client_stall"].startswith("a client thread did not look")
    if schedule:
        assert "schedule_lag" in reasons  # a third of its arrivals were late by its own fault
