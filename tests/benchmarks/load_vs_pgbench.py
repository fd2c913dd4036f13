#!/usr/bin/env python3
"""`connbench load` beside pgbench on the same PostgreSQL, interleaved: where pgbench measures
soundly the two must agree within 5 %, and the client must cost less.

  tests/benchmarks/load_vs_pgbench.py [--rounds 5] [--seconds 3] [--socket] [--cases one,tpcb,...]

PostgreSQL runs from a private cluster in a temporary folder, fsync off. Each round runs both
programs in an order drawn from the seed; ratios are taken round by round (connbench / pgbench) and
reported as median [min..max], so that a machine that drifts drifts for both. All with -j 1.

Agreement, where both do the same. The server has the first CPU for itself and the client the last,
so that neither program decides how much CPU time is left for the server:

  one      -S -M prepared -c 1            one statement in flight: throughput, mean latency
  server   -S -M prepared -c 32           the server's CPU is busy: throughput, mean latency
  tpcb     tpcb-like -M prepared -c 4     seven statements with writes: throughput, mean latency
  paced    -S -M prepared -c 16 -R 2000   Poisson arrivals: throughput, median of latency less
  schedule lag
                                          (as root both with the lowest real-time priority)
  connect  -S -M simple -C -c 1           one connect in flight: connects per second, mean connect
  time

Cost, as a user would run them, with all CPUs for both:

  select   -S -M prepared -c 32           client CPU per transaction, the server's beside it
  churn    -S -M simple -C -c 4           client CPU per connect + query + close

There throughputs need not agree: what one client does not use, the server does; and pgbench has one
connect in flight in each thread while connbench has one for each client. With --floor a loop that
does nothing but send() and recv() the same bytes (bare_client.c) is a third contender of `select`:
what any client pays for the sockets alone.

Client CPU is user + system time of the whole process, as wait4() reports it, less that of a run of
the same program for one transaction: starting a program is not what a transaction costs. --socket
takes a Unix socket instead of TCP.
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
AGREED = 0.05
TICKS = os.sysconf("SC_CLK_TCK")

# name -> (connbench's workload, pgbench's script options, options of both, what is compared)
AGREEMENT = {
    "one": ("select-only", ["-S"], ["-M", "prepared", "-c", "1"], "latency"),
    "server": ("select-only", ["-S"], ["-M", "prepared", "-c", "32"], "latency"),
    "tpcb": ("tpcb", [], ["-M", "prepared", "-c", "4"], "latency"),
    "paced": ("select-only", ["-S"], ["-M", "prepared", "-c", "16", "-R", "2000"], "service"),
    "connect": ("select-only", ["-S"], ["-M", "simple", "-C", "-c", "1"], "connect"),
}
COST = {
    "select": ("select-only", ["-S"], ["-M", "prepared", "-c", "32"], "cpu"),
    "churn": ("select-only", ["-S"], ["-M", "simple", "-C", "-c", "4"], "cpu"),
}


class Run:
    """Output and CPU seconds of a program, and what the server used meanwhile."""

    def __init__(self, command, environment, cpus, server, punctual=False):
        before = server_cpu(server)

        def prepare():
            os.sched_setaffinity(0, cpus)
            if punctual:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                       env=environment, preexec_fn=prepare)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            self.text = output.read()
        # 3: connbench's self-checks object; what they object to is in the text.
        if process.returncode not in (0, 3):
            raise SystemExit(f"{' '.join(command)} exited with {process.returncode}:\n{self.text}")
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.server_cpu_s = server_cpu(server) - before

    def number(self, pattern, default=None):
        match = re.search(pattern, self.text)
        if not match and default is None:
            raise SystemExit(f"nothing like {pattern} in:\n{self.text}")
        return float(match[1]) if match else default

    def milliseconds(self, pattern):
        match = re.search(pattern + r" ([0-9.e+]+) (ns|us|ms|s)\b", self.text)
        if not match:
            raise SystemExit(f"nothing like {pattern} in:\n{self.text}")
        return float(match[1]) * {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}[match[2]]

    def per_transaction(self, done, start):
        """start: a run of the same program that is over at once."""
        return {"client_cpu_us": (self.cpu_s - start.cpu_s) / done * 1e6,
                "server_cpu_us": self.server_cpu_s / done * 1e6}


def server_cpu(server):
    """Seconds of CPU of the postmaster, its children, and those that it has waited for."""
    postmaster = int(pathlib.Path(server.data, "postmaster.pid").read_text().split()[0])
    pids = [postmaster]
    pids += map(int, pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
                .split())
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended; its parent has its time
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def pgbench(case, options, context):
    _, script, arguments, compared = case
    # The program itself: what Debian has on PATH is a script that looks for it.
    command = [f"{context[2].bin}/pgbench", "-n", "-j", "1",
               f"--random-seed={options.program_seed}", *script]
    log = f"{options.folder}/log" if compared == "service" else None
    ran = Run([*command, "-T", str(options.seconds), *arguments,
               *(["--log", f"--log-prefix={log}"] if log else [])], *context,
              # connbench takes this priority by itself where it keeps a schedule.
              punctual=compared == "service" and os.geteuid() == 0)
    figures = {"tps": ran.number(r"tps = ([0-9.]+)")}
    if compared == "connect":
        figures["connect_ms"] = ran.number(r"average connection time = ([0-9.]+) ms")
    elif compared == "latency":
        figures["latency_ms"] = ran.number(r"latency average = ([0-9.]+) ms")
    elif compared == "service":
        figures["service_ms"] = median_service_ms(pathlib.Path(options.folder))
    else:
        start = Run([*command, "-t", "1", "-c", "1"], *context)
        figures.update(ran.per_transaction(ran.number(r"actually processed: (\d+)"), start))
    return figures


def median_service_ms(folder):
    """Of the transactions in pgbench's logs, which are removed: latency less schedule lag."""
    services = []
    for log in folder.glob("log.*"):
        for line in log.read_text().splitlines():
            fields = line.split()  # client, transaction, latency, script, seconds, us, lag
            services.append(int(fields[2]) - int(fields[6]))
        log.unlink()
    return statistics.median(services) / 1e3


def connbench(case, options, context):
    workload, _, arguments, compared = case
    command = [options.connbench, "load", workload, "-q", "-s", str(SCALE), "--warmup", "0",
               "-j", "1", f"--seed={options.program_seed}"]
    ran = Run([*command, "-T", str(options.seconds), *arguments,
               *(["--arrival", "poisson"] if compared == "service" else [])], *context)
    figures = {"tps": ran.number(r"throughput +([0-9.]+)")}
    if compared == "connect":
        figures["connect_ms"] = ran.milliseconds(r"connect latency +mean")
    elif compared == "latency":
        figures["latency_ms"] = ran.milliseconds(r"transaction latency +mean")
    elif compared == "service":
        figures["service_ms"] = ran.milliseconds(r"service time .*\n +p50 +")
    else:
        start = Run([*command, "-t", "1", "-c", "1"], *context)
        figures.update(ran.per_transaction(ran.number(r"transactions +\d+ = (\d+) ok"), start))
    return figures


def bare(case, options, context):
    arguments = case[2]
    connections = arguments[arguments.index("-c") + 1]
    reconnects = ["connect"] if "-C" in arguments else []
    ran = Run([options.bare, connections, str(options.seconds), *reconnects], *context)
    start = Run([options.bare, "1", "0", *reconnects], *context)
    return {"tps": ran.number(r"tps = ([0-9.]+)"),
            **ran.per_transaction(ran.number(r"transactions = (\d+)"), start)}


def build_bare_client(folder):
    program = f"{folder}/bare_client"
    include = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True,
                             check=False).stdout.strip() or "/usr/include/postgresql"
    subprocess.run(["cc", "-O2", "-Wall", f"-I{include}", "-o", program,
                    str(ROOT / "tests/benchmarks/bare_client.c"), "-lpq"], check=True)
    return program


def run_case(name, case, programs, options, context, ratios, rng):
    order = list(programs)
    rng.shuffle(order)
    figures = {program: programs[program](case, options, context) for program in order}
    for program in order:
        print(f"  {name:8} {program:10}",
              "  ".join(f"{key} {value:.3f}" for key, value in figures[program].items()),
              flush=True)
        if program == "pgbench":
            continue
        for key, value in figures[program].items():
            ratios.setdefault((name, program, key), []).append(value / figures["pgbench"][key])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--connbench", default=str(ROOT / "build/release/harness/connbench"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--socket", action="store_true")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--cases", default=",".join([*AGREEMENT, *COST]))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cases = options.cases.split(",")
    if unknown := [name for name in cases if name not in AGREEMENT | COST]:
        parser.error(f"no case {unknown[0]}; there are {', '.join(AGREEMENT | COST)}")

    rng = random.Random(options.seed)
    all_cpus = os.sched_getaffinity(0)
    server_cpus, client_cpus = {min(all_cpus)}, {max(all_cpus)}
    ratios = {}

    def run_cases(wanted, for_server, for_client):
        wanted = {name: case for name, case in wanted.items() if name in cases}
        if not wanted:
            return
        os.sched_setaffinity(0, for_server)  # which the server inherits
        server = Postgres(100, "512MB", sockets=options.socket)
        try:
            os.sched_setaffinity(0, all_cpus)
            # Without TLS to ask for: libpq would spend a round trip on being refused.
            environment = {**os.environ, "PGHOST": server.folder if options.socket else "127.0.0.1",
                           "PGPORT": str(server.port), "PGUSER": server.user,
                           "PGDATABASE": "postgres", "PGSSLMODE": "disable",
                           "PGGSSENCMODE": "disable"}
            subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE)], env=environment, check=True,
                           stderr=subprocess.DEVNULL)
            # All rows in the buffer pool, so that neither finds what the other has read in.
            subprocess.run(["psql", "-q", "-c", "CREATE EXTENSION pg_prewarm", "-c",
                            "SELECT sum(pg_prewarm(oid)) FROM pg_class "
                            "WHERE relname LIKE 'pgbench%' AND relkind IN ('r', 'i')"],
                           env=environment, check=True, stdout=subprocess.DEVNULL)
            context = (environment, for_client, server)
            for turn in range(options.rounds):
                print(f"round {turn + 1}", flush=True)
                options.program_seed = rng.randrange(1, 1 << 31)  # other rows in each round
                for name, case in wanted.items():
                    programs = {"pgbench": pgbench, "connbench": connbench}
                    if name in COST and options.floor:
                        programs["bare"] = bare
                    run_case(name, case, programs, options, context, ratios, rng)
        finally:
            os.sched_setaffinity(0, all_cpus)
            server.stop()

    with tempfile.TemporaryDirectory() as options.folder:
        if options.floor:
            options.bare = build_bare_client(options.folder)
        run_cases(AGREEMENT, server_cpus, client_cpus)
        run_cases(COST, all_cpus, all_cpus)
    print("\nratio to pgbench, median [min..max] of", options.rounds, "rounds")
    for (name, program, key), values in ratios.items():
        median = statistics.median(values)
        verdict = ""
        if name in AGREEMENT:
            verdict = "agrees" if abs(median - 1) <= AGREED else f"differs by {median - 1:+.1%}"
        print(f"{name:8} {program:10} {key:14} {median:.3f} "
              f"[{min(values):.3f}..{max(values):.3f}] {verdict}")


if __name__ == "__main__":
    main()
