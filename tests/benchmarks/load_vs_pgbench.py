#!/usr/bin/env python3
"""`connbench load` beside pgbench on the same PostgreSQL, interleaved: where pgbench measures soundly
the two must agree, and the client must cost less.

  tests/benchmarks/load_vs_pgbench.py [--rounds 7] [--transactions 4000] [--socket]

PostgreSQL runs from a private cluster in a temporary folder, fsync off. Each round runs both programs in
an order drawn from the seed; ratios are taken round by round (connbench / pgbench) and reported as
median [min..max], so that a machine that drifts drifts for both.

  select   -S -M prepared -c 32 -j 1 -t N     throughput, mean latency, client CPU per transaction
  connect  -C -S -c 4 -j 1 -T S               throughput, mean connect time, client CPU per connection

Client CPU is user + system time of the whole process, as wait4() reports it; N is large enough that starting
up does not show. --socket takes a Unix socket instead of TCP.
"""
import argparse
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from models_vs_postgres import ROOT, Postgres  # noqa: E402

SCALE = 10


def run(command, environment):
    """Output and CPU seconds of a program."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}:\n{text}")
    return text, usage.ru_utime + usage.ru_stime


def number(pattern, text, what):
    match = re.search(pattern, text)
    if not match:
        raise SystemExit(f"no {what} in:\n{text}")
    return float(match[1])


def milliseconds(pattern, text, what):
    match = re.search(pattern + r" ([0-9.e+]+) (ns|us|ms|s)\b", text)
    if not match:
        raise SystemExit(f"no {what} in:\n{text}")
    return float(match[1]) * {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}[match[2]]


def pgbench_figures(arguments, environment, connects):
    text, cpu = run(["pgbench", "-n", "-S", *arguments], environment)
    done = number(r"transactions actually processed: (\d+)", text, "count")
    figures = {"tps": number(r"tps = ([0-9.]+)", text, "tps"), "cpu_us": cpu / done * 1e6}
    if connects:
        figures["connect_ms"] = number(r"average connection time = ([0-9.]+) ms", text, "connect")
    else:
        figures["latency_ms"] = number(r"latency average = ([0-9.]+) ms", text, "latency")
    return figures


def connbench_figures(binary, arguments, environment, connects):
    text, cpu = run([binary, "load", "select-only", "-q", "-s", str(SCALE), "--warmup", "0",
                     *arguments], environment)
    done = number(r"transactions +\d+ = (\d+) ok", text, "count")
    figures = {"tps": number(r"throughput +([0-9.]+)", text, "tps"), "cpu_us": cpu / done * 1e6}
    if connects:
        figures["connect_ms"] = milliseconds(r"connect latency +mean", text, "connect")
    else:
        figures["latency_ms"] = milliseconds(r"transaction latency +mean", text, "latency")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--connbench", default=str(ROOT / "build/release/harness/connbench"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--transactions", type=int, default=4000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--socket", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    cases = {
        "select": ["-M", "prepared", "-c", "32", "-j", "1", "-t", str(options.transactions)],
        "connect": ["-M", "simple", "-C", "-c", "4", "-j", "1", "-T", str(options.seconds)],
    }
    rng = random.Random(options.seed)
    server = Postgres(100, "128MB", sockets=options.socket)
    try:
        environment = {**os.environ, "PGHOST": server.folder if options.socket else "127.0.0.1",
                       "PGPORT": str(server.port), "PGUSER": server.user,
                       "PGDATABASE": "postgres"}
        subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE)], env=environment, check=True,
                       stderr=subprocess.DEVNULL)
        ratios = {}
        for turn in range(options.rounds):
            for case, arguments in cases.items():
                connects = case == "connect"
                programs = {
                    "pgbench": lambda: pgbench_figures(arguments, environment, connects),
                    "connbench": lambda: connbench_figures(options.connbench, arguments,
                                                           environment, connects)}
                order = list(programs)
                rng.shuffle(order)
                figures = {name: programs[name]() for name in order}
                for name, value in figures["connbench"].items():
                    base = figures["pgbench"][name]
                    ratios.setdefault((case, name), []).append(value / base)
                    print(f"round {turn + 1} {case:8} {name:10} pgbench {base:10.3f} "
                          f"connbench {value:10.3f} ratio {value / base:.3f}", flush=True)
        print("\nconnbench / pgbench, median [min..max] of", options.rounds, "rounds")
        for (case, name), values in ratios.items():
            print(f"{case:8} {name:10} {statistics.median(values):.3f} "
                  f"[{min(values):.3f}..{max(values):.3f}]")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
