#!/usr/bin/env python3
"""Every model beside two floors, of one thread and one connection at a time each:

  floor/session   accept() and then the same session of the same engine, but no model: what a
                  model costs more is the price of staffing the connection (floor_model.cc)
  floor/bytes     the same bytes from memory, without protocol, session and engine: what any
                  server pays on this machine (floor_bytes.cc)

  tests/benchmarks/models_vs_floor.py [--rounds 7] [--seconds 1] [--models fork,thread,...]
                                      [--placement apart|together|free] [--counters]

  connect   connbench load connect-only -c 1: connect() until ReadyForQuery, p50 and mean
  statement connbench load select-only -M prepared -c 1: one point select, p50 and mean

One client, one connection at a time: nothing queues, so that a difference is the server's own path.
Where client and server run decides more than any model (a round trip within one CPU is half of one
between two), and the scheduler changes its mind; so all servers are pinned to the first CPU and the
client to the last (apart) or all to the first (together). Servers
stay up for the whole run; each round visits them in a new seeded order, and ratios are taken round
by round, then reported as median [min..max]. --counters runs once more, untimed, under strace -c
and the kernel's own counters, and prints system calls, context switches and page faults per connect
or statement. """
import argparse
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from models_vs_postgres import ROOT, Connbench, spread  # noqa: E402

DIRECT = "fork,fork-exec,prefork,thread,thread-cached,hybrid"
CASES = {
    "connect": ["connect-only", "-M", "simple"],
    "statement": ["select-only", "-M", "prepared"],
}


class Floor:
    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r"port[ =](\d+)", self.process.stdout.readline())[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)


def microseconds(text, what, figure):
    match = re.search(rf"^{what} latency .*?{figure} +([0-9.e+]+) (ns|us|ms|s)\b", text,
                      re.S | re.M)
    if not match:
        raise SystemExit(f"no {what} latency {figure} in:\n{text}")
    return float(match[1]) * {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}[match[2]]


def measure(binary, server, case, seconds, warmup="200ms"):
    """(p50, mean) in microseconds, and how many there were."""
    command = [binary, "load", *CASES[case], "-q", "-h", "127.0.0.1", "-p", str(server.port), "-U",
               "postgres", "-d", "postgres", "-c", "1", "-j", "1", "--warmup", warmup,
               "--warmup-max", warmup, "-T", f"{seconds}s"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if result.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} exited with {result.returncode}:\n"
                         f"{result.stdout}{result.stderr}")
    what = "connect" if case == "connect" else "transaction"
    done = int(re.search(r"transactions +\d+ = (\d+) ok", result.stdout)[1])
    return microseconds(result.stdout, what, "p50"), microseconds(result.stdout, what, "mean"), done


def tree(root):
    """Pids of a process and its descendants."""
    pids = [root]
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
            try:
                pids += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return pids


def tree_counters(root):
    """(context switches, minor faults) of all tasks of a process and its descendants; of children
    that have ended, the faults only."""
    switches = faults = 0
    for pid in tree(root):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            statuses = [path.read_text()
                                       for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status")]
        except OSError:
            continue
        faults += int(fields[7]) + int(fields[8])
        switches += sum(int(n) for status in statuses
                        for n in re.findall(r"ctxt_switches:\s+(\d+)", status))
    return switches, faults


def counters(binary, server, case):
    """System calls, switches of living tasks and faults per connect or statement. strace slows what
    it looks at, so nothing here is a time."""
    before = tree_counters(server.process.pid)
    _, _, done = measure(binary, server, case, 1, warmup="0")
    time.sleep(0.2)  # children are waited for
    after = tree_counters(server.process.pid)
    per = [(b - a) / done for a, b in zip(before, after)]
    attached = [word for pid in tree(server.process.pid) for word in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-qq", "-S", "calls", "-o", "/dev/stdout",
                               *attached],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    _, _, done = measure(binary, server, case, 1, warmup="0")
    tracer.send_signal(signal.SIGINT)
    table, _ = tracer.communicate(timeout=20)
    calls = {m[2]: int(m[1]) for m in re.finditer(
        r"^ *[0-9.]+ +[0-9.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", table, re.M) if m[2] != "total"}
    often = {name: n / done for name, n in calls.items() if n / done > 0.05}
    listed = ", ".join(f"{name} {n:.1f}" for name, n in sorted(often.items(), key=lambda i: -i[1]))
    return f"switches {per[0]:.2f}, faults {per[1]:.1f}; system calls: {listed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--connbench", default=str(ROOT / "build/release/harness/connbench"))
    parser.add_argument("--floors", default=str(ROOT / "build/release/tests"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--models", default=DIRECT)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--placement", choices=["apart", "together", "free"], default="apart")
    parser.add_argument("--counters", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    cpus = sorted(os.sched_getaffinity(0))
    places = {"apart": (cpus[:1], cpus[-1:]), "together": (cpus[:1],
                        cpus[:1]), "free": (cpus, cpus)}
    for_servers, for_client = places[options.placement]
    rng = random.Random(options.seed)
    servers = []
    try:
        os.sched_setaffinity(0, for_servers)  # whoever is started from here on inherits it
        for model in options.models.split(","):
            servers.append(Connbench(options.connbench, model, "real", 10, "64MB"))
        servers.append(Floor("floor/session",
                             [f"{options.floors}/floor_model", "max_connections=30",
                              "shared_buffers=64MB"]))
        for server in servers:
            subprocess.run(["pgbench", "-i", "-q", "-h", "127.0.0.1", "-p", str(server.port), "-U",
                            "postgres", "postgres"], check=True, capture_output=True)
        servers.append(
            Floor("floor/bytes", [f"{options.floors}/floor_bytes", str(servers[0].port)]))
        os.sched_setaffinity(0, for_client)
        for case in options.cases.split(","):
            measure(options.connbench, servers[-1], case, 1)  # it hears each request once before
            figures = {server.name: [] for server in servers}
            for _ in range(options.rounds):
                for server in rng.sample(servers, len(servers)):
                    figures[server.name].append(
                        measure(options.connbench, server, case, options.seconds)[:2])
            print(f"\n{case}: connbench load {' '.join(CASES[case])} -c 1, "
                  f"{options.rounds} rounds of {options.seconds} s, {options.placement}")
            print(f"{'server':<22}{'p50 us [min..max]':<28}{'p50 / floor/session':<24}"
                  f"{'p50 / floor/bytes':<24}{'mean / floor/bytes':<24}")
            for server in servers:
                p50, mean = zip(*figures[server.name])
                middle = f"{statistics.median(p50):.1f} [{min(p50):.1f}..{max(p50):.1f}]"
                ratios = [spread([own[i] / floor[i] for own, floor in
                                  zip(figures[server.name], figures[name])])
                          for name, i in (("floor/session", 0), ("floor/bytes", 0),
                                          ("floor/bytes", 1))]
                print(f"{server.name:<22}{middle:<28}" + "".join(f"{r:<24}" for r in ratios),
                      flush=True)
            if options.counters:
                for server in servers:
                    print(f"  {server.name}: {counters(options.connbench, server, case)}",
                          flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
