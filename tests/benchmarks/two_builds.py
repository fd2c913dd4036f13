#!/usr/bin/env python3
"""What a change costs: two builds of connbench, measured in turn on the same machine.

    tests/benchmarks/two_builds.py BASE CANDIDATE [--models fork,thread] [--rounds 7]

BASE and CANDIDATE are build folders, as build/release. In each round every model of both builds
serves, in random order, point selects of pgbench (-S -M prepared), a connection for each of them
(-C), and idle connections that have run one statement each. What is printed is the candidate's
figure divided by the base's, round by round: the median, and in brackets the least and the most.
Quiet machines only; noise shows as the spread.
"""
import argparse
import os
import random
import socket
import statistics
import subprocess
import time

import psycopg

PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
CLIENTS = 8
IDLE = 100
START_LIMIT_S = 10
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stat_fields(process):
    """/proc/PID/stat from the state on; None if the process has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def tree(root):
    """The process ids of root and all below it."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        if (fields := stat_fields(entry)) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, open_ids = [], [root]
    while open_ids:
        process = open_ids.pop()
        found.append(process)
        open_ids += children.get(process, [])
    return found


def cpu_s(root):
    """CPU time of the tree, ended children included."""
    all_fields = [stat_fields(process) for process in tree(root)]
    return sum(sum(map(int, fields[11:15])) for fields in all_fields if fields) / TICKS


def private_kb(root):
    total = 0
    for process in tree(root):
        try:
            with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file
                             if line.startswith("Pss_Anon:"))
        except OSError:
            continue
    return total


class Server:
    def __init__(self, build, model):
        self.port = free_port()
        self.process = subprocess.Popen(
            [f"{build}/harness/connbench", "serve", "--model", model, "--port", str(self.port),
             "--set", f"max_connections={2 * IDLE}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self.connect().close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise

    def dsn(self):
        return f"host=127.0.0.1 port={self.port} user=bench dbname=bench"

    def connect(self):
        return psycopg.connect(self.dsn(), autocommit=True)

    def pgbench(self, *arguments):
        """Transactions per second and server CPU in us for each."""
        before = cpu_s(self.process.pid)
        done = subprocess.run(
            [PGBENCH, "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-n", "-S",
             "-c", str(CLIENTS), "-j", "2", *arguments, "bench"],
            check=True, capture_output=True, text=True).stdout
        cpu = cpu_s(self.process.pid) - before
        count = next(int(line.split(":")[1].split("/")[0]) for line in done.splitlines()
                     if line.startswith("number of transactions actually processed"))
        tps = next(float(line.split("=")[1].split()[0]) for line in done.splitlines()
                   if line.startswith("tps"))
        return tps, cpu / count * 1e6

    def idle_kb(self):
        """Private memory of a connection that has run one statement."""
        before = private_kb(self.process.pid)
        connections = [self.connect() for _ in range(IDLE)]
        for connection in connections:
            connection.execute("select abalance from pgbench_accounts where aid = 1")
        after = private_kb(self.process.pid)
        for connection in connections:
            connection.close()
        return (after - before) / IDLE

    def stop(self):
        self.process.terminate()
        self.process.wait(START_LIMIT_S)


def measure(build, model, seconds):
    server = Server(build, model)
    try:
        subprocess.run([PGBENCH, "-h", "127.0.0.1", "-p", str(server.port), "-U", "bench", "-i",
                        "-q", "bench"], check=True, capture_output=True)
        server.pgbench("-M", "prepared", "-T", "1")
        figures = {}
        figures["select tps"], figures["select CPU"] = server.pgbench("-M", "prepared", "-T",
                                                                      str(seconds))
        figures["connect tps"], figures["connect CPU"] = server.pgbench("-C", "-T", str(seconds))
        figures["idle kB"] = server.idle_kb()
        return figures
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("candidate")
    parser.add_argument("--models", default="fork,thread,hybrid,reactor,thread-pool,pool-tx")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    for model in options.models.split(","):
        ratios = {}
        for _ in range(options.rounds):
            sides = [("base", options.base), ("candidate", options.candidate)]
            random.shuffle(sides)
            figures = {side: measure(build, model, options.seconds) for side, build in sides}
            for name, value in figures["candidate"].items():
                base = figures["base"][name]
                ratios.setdefault(name, []).append(value / base if base > 0 else float("nan"))
        text = ", ".join(f"{name} {statistics.median(values):.3f} "
                         f"[{min(values):.2f}..{max(values):.2f}]"
                         for name, values in ratios.items())
        print(f"{model:14} {text}", flush=True)


if __name__ == "__main__":
    main()
