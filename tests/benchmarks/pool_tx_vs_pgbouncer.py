#!/usr/bin/env python3
"""What a pooler costs: `pool-tx` against its own backend model without a pooler, and PgBouncer in
front of `fork` against `fork` alone. Same work, clients over TCP, one interleaved run.

  tests/benchmarks/pool_tx_vs_pgbouncer.py [--rounds 5] [--seconds 5] [--clients 8,64]
                                           [--protocols simple,extended] [--idle 10000]

A backend of `pool-tx` runs what a process of `fork` runs, so that `fork` is what both are compared
with; both poolers have 20 backends in transaction mode. Each round visits the servers in a new
seeded order; ratios are taken round by round, then reported as median [min..max].

--idle N measures instead what N idle clients of `pool-tx` add to the server's private memory and
page tables (Pss_Anon and VmPTE of all its processes), beyond what it has with its backends alone.
"""
import argparse
import contextlib
import pathlib
import random
import re
import resource
import socket
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import wire  # noqa: E402
from servers import Connbench, PgBouncer  # noqa: E402

BACKENDS = 20
SPARE_CONNECTIONS = 50


def throughput(server, protocol, clients, seconds):
    output = server.pgbench("-n", "-S", "-M", protocol, "-j", 1,
                            "-c", clients, "-T", seconds).stdout
    return float(re.search(r"tps = ([\d.]+)", output)[1])


def compare(options):
    connections = max(options.clients) + SPARE_CONNECTIONS
    generator = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        def start(model):
            return stack.enter_context(
                Connbench(options.connbench, model, max_connections=connections))

        fork = start("fork")
        servers = {"fork": fork,
                   "pgbouncer": stack.enter_context(
                       PgBouncer(start("fork"), "transaction", default_pool_size=BACKENDS)),
                   "pool-tx": start("pool-tx")}
        for name, server in servers.items():
            (server.server if name == "pgbouncer" else server).pgbench("-i", "-q", "-s", "1")
        print("clients  protocol   " + "".join(f"{name + ' tps':>15}" for name in servers) +
              "   pgbouncer/fork            pool-tx/fork")
        for clients in options.clients:
            for protocol in options.protocols:
                rounds = []
                for _ in range(options.rounds):
                    order = list(servers)
                    generator.shuffle(order)
                    rounds.append({name: throughput(servers[name], protocol, clients,
                                                    options.seconds) for name in order})
                line = f"{clients:7}  {protocol:9}"
                line += "".join(f"{statistics.median(one[name] for one in rounds):15.0f}"
                                for name in servers)
                for name in ("pgbouncer", "pool-tx"):
                    ratios = sorted(one[name] / one["fork"] for one in rounds)
                    line += (f"   {statistics.median(ratios):.3f} "
                             f"[{ratios[0]:.3f}..{ratios[-1]:.3f}]")
                print(line, flush=True)


def private_kb(server):
    total = 0
    for pid in server.processes():
        smaps = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"Pss_Anon:\s+(\d+)", smaps)[1])
        total += int(re.search(r"VmPTE:\s+(\d+)", status)[1])
    return total


def hold_idle(options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = options.idle + 1000  # in each of the two processes that hold an end
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            sys.exit(f"{options.idle} clients need {needed} descriptors; the limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    with Connbench(options.connbench, "pool-tx", max_connections=options.idle + SPARE_CONNECTIONS,
                   listen_backlog=4096) as server, contextlib.ExitStack() as stack:
        # Every backend has served a session: what they take is there before the clients.
        with contextlib.ExitStack() as first:
            holders = [first.enter_context(server.connect(autocommit=False))
                                           for _ in range(BACKENDS)]
            for holder in holders:
                holder.execute("select 1")
        before = private_kb(server)
        startup = wire.startup(user=server.user, database=server.database)
        clients = []
        for _ in range(options.idle):
            client = stack.enter_context(socket.create_connection((server.host, server.port)))
            client.sendall(startup)
            clients.append(client)
        for client in clients:
            received = b""
            while not received.endswith(b"Z\0\0\0\5I"):
                part = client.recv(65536)
                assert part, "the server refused a client"
                received += part
        after = private_kb(server)
        # psycopg waits in select(), which ends at 1,024
        clients[-1].sendall(wire.query("select 1"))
        assert clients[-1].recv(65536), "the server does not answer an idle client"
        print(f"{options.idle} idle clients: {(after - before) / 1024:.1f} MB more than the "
              f"{before / 1024:.1f} MB without clients, "
              f"{(after - before) / options.idle:.2f} kB each")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--connbench", default=str(ROOT / "build/release/harness/connbench"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", default="8,64",
                        type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--protocols", default="simple,extended", type=lambda text: text.split(","))
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    hold_idle(options) if options.idle else compare(options)


if __name__ == "__main__":
    main()
