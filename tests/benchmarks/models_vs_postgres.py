#!/usr/bin/env python3
"""Every model with the engine, the same model with the canned engine (its floor), and PostgreSQL
15, driven by the same pgbench in one interleaved run: throughput and its ratios with their spread.

  tests/benchmarks/models_vs_postgres.py [--rounds 5] [--seconds 5] [--clients 8,64,256]
                                         [--models fork,thread,thread-pool] [--connect]
                                         [--floors-only]

PostgreSQL runs from a private cluster in a temporary folder, as an unprivileged user, with the same
shared_buffers, fsync off and no logging; every server listens on a free loopback port. Servers stay
up for the whole run (an idle server costs no CPU); each round visits them in a new seeded order, so
that a machine that drifts drifts for all. Ratios are taken round by round, then reported as median
[min..max].

  -S -M prepared -j 1 is the point select; --connect adds -C -c 8 -j 2.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Connbench:
    """One of our servers; `engine` is real or canned."""

    def __init__(self, binary, model, engine, connections, shared_buffers):
        self.name = f"{model}/{engine}"
        self.loads_data = engine == "real"
        self.process = subprocess.Popen(
            [binary, "serve", "--model", model, "-p", "0",
             "--set", f"max_connections={connections + 20}",
             "--set", f"shared_buffers={shared_buffers}", "--set", f"engine={engine}"],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.search(r"port[ =](\d+)", line)
        if not match:
            raise SystemExit(f"{self.name} did not start: {line!r}")
        self.port = int(match.group(1))
        self.user = "postgres"

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)


class Postgres:
    """A private PostgreSQL 15 cluster."""

    name = "postgres"
    loads_data = True
    user = "postgres"

    def __init__(self, connections, shared_buffers, sockets=False):
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not programs:
            raise SystemExit("PostgreSQL is not installed; the Debian package is postgresql")
        self.bin = programs[-1].parent
        self.folder = tempfile.mkdtemp(prefix="connbench-pg.")
        os.chmod(self.folder, 0o755)
        self.port = free_port()
        data = f"{self.folder}/data"
        os.mkdir(data)
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
        self.run([f"{self.bin}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"])
        if sockets and os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        options = (f"-p {self.port} -c listen_addresses=127.0.0.1 "
                   f"-c unix_socket_directories={self.folder if sockets else ''} "
                   f"-c max_connections={connections + 20} -c shared_buffers={shared_buffers} "
                   "-c fsync=off -c synchronous_commit=off -c full_page_writes=off "
                   "-c autovacuum=off -c max_wal_size=4GB -c log_min_messages=fatal")
        self.run([f"{self.bin}/pg_ctl", "-D", data, "-w", "-l", f"{data}/log", "-o", options,
                  "start"])
        self.data = data

    def run(self, command):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        subprocess.run((as_user if os.geteuid() == 0 else []) + command, check=True,
                       stdout=subprocess.DEVNULL, cwd="/")

    def stop(self):
        self.run([f"{self.bin}/pg_ctl", "-D", self.data, "-m", "immediate", "stop"])
        shutil.rmtree(self.folder, ignore_errors=True)


def connect_allowance_seconds(server, clients):
    """pgbench's -T begins before its clients connect, and its tps leaves their connecting out: so
    that connecting leaves a window, some 8 ms each are added where a connect takes that long."""
    slow = server.name == "postgres" or server.name.startswith("fork-exec/")
    return clients * (8 if slow else 1) // 1000


def pgbench(server, arguments, seconds):
    command = ["pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, "-n",
               "-T", str(seconds), *arguments, "postgres"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120)
    match = re.search(r"tps = ([0-9.]+)", result.stdout)
    if result.returncode != 0 or not match:
        raise SystemExit(f"{server.name}: {' '.join(command)} ended with {result.returncode}:\n"
                         f"{result.stdout[-1000:]}{result.stderr[-2000:]}")
    failed = re.search(r"number of failed transactions: (\d+)", result.stdout)
    if failed and int(failed.group(1)):
        raise SystemExit(f"{' '.join(command)}: {failed.group(0)}")
    return float(match.group(1))


def spread(values):
    return f"{statistics.median(values):.2f} [{min(values):.2f}..{max(values):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--connbench", default=str(ROOT / "build/release/harness/connbench"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", default="8,64,256")
    parser.add_argument("--models", default="fork,thread,thread-pool")
    parser.add_argument("--shared-buffers", default="256MB")
    parser.add_argument("--connect", action="store_true", help="also -C -c 8 -j 2")
    parser.add_argument("--floors-only", action="store_true", help="without PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # Being stopped runs the cleaning up below, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    clients = [int(word) for word in options.clients.split(",")]
    models = options.models.split(",")
    servers = []
    rng = random.Random(options.seed)
    try:
        if not options.floors_only:
            servers.append(Postgres(max(clients), options.shared_buffers))
        for model in models:
            for engine in ("real", "canned"):
                servers.append(Connbench(options.connbench, model, engine, max(clients),
                                         options.shared_buffers))
        for server in servers:
            if server.loads_data:
                subprocess.run(["pgbench", "-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p",
                                str(server.port), "-U", server.user, "postgres"], check=True,
                               capture_output=True)
        cells = [(f"-S -M prepared -c {c} -j 1", ["-S", "-M", "prepared", "-c", str(c), "-j", "1"],
                  c) for c in clients]
        if options.connect:
            cells.append(("-S -C -c 8 -j 2", ["-S", "-C", "-c", "8", "-j", "2"], 0))
        for name, arguments, connecting in cells:
            tps = {server.name: [] for server in servers}
            for _ in range(options.rounds):
                for server in rng.sample(servers, len(servers)):
                    seconds = options.seconds + connect_allowance_seconds(server, connecting)
                    tps[server.name].append(pgbench(server, arguments, seconds))
            print(f"\npgbench {name}, {options.rounds} rounds of {options.seconds} s")
            print(f"{'server':<22}{'tps median [min..max]':<34}"
                  f"{'/ its floor':<24}{'' if options.floors_only else '/ PostgreSQL':<24}")
            for server in servers:
                values = tps[server.name]
                middle = f"{statistics.median(values):.0f} [{min(values):.0f}..{max(values):.0f}]"
                model, _, engine = server.name.partition("/")
                floor = ""
                if engine == "real":
                    floor = spread([a / b for a, b in zip(values, tps[f"{model}/canned"])])
                against = ""
                if not options.floors_only:
                    against = spread([a / b for a, b in zip(values, tps["postgres"])])
                print(f"{server.name:<22}{middle:<34}{floor:<24}{against:<24}", flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
