#!/usr/bin/env python3
"""Kills whole servers under transfers, with tables that come and go, vacuum and checkpoints beside
them, and holds what is there afterwards against what the clients were told.

  tests/system/crash_torture.py --connbench PROGRAM [--kills N] [--model MODEL...] [--seed N]

N servers are killed for each model. After each kill `connbench verify` must find nothing, and after
the recovery every transfer that was acknowledged is there, what else is there was begun, and the
sums agree. Exit status: 0 no failure, 1 a failure, which names the seed.

test_durability.py does the same with few kills, `./connbench torture` with many."""
import argparse
import concurrent.futures
import contextlib
import pathlib
import random
import secrets
import sys
import tempfile
import threading
import time

import psycopg

from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

MODELS = ["fork", "thread", "thread-pool", "reactor", "pool-tx"]
ACCOUNTS = 50
CLIENTS = 6


def durable(binary, model, folder, **settings):
    return Connbench(binary, model, data_directory=folder, shared_buffers="32MB", **settings)


class Ledger:
    """What the clients were told: kept outside of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begun = {}  # transfer: (from, to, amount)
        self.acknowledged = set()
        self.tables = set()  # that may be there beside


def transfer_until_gone(server, ledger, seed):
    """Transfers between accounts until the server is gone. Each leaves a row that names it."""
    chance = random.Random(seed)
    with contextlib.suppress(psycopg.OperationalError):
        with server.connect(user="postgres") as connection:
            for count in range(1_000_000):
                name = f"{seed}.{count}"
                source, target = sorted(chance.sample(range(ACCOUNTS), 2))
                amount = chance.randrange(1, 100)
                with ledger.lock:
                    ledger.begun[name] = (source, target, amount)
                with connection.transaction():
                    connection.execute("update accounts set balance = balance - %s where id = %s",
                                       (amount, source))
                    connection.execute("update accounts set balance = balance + %s where id = %s",
                                       (amount, target))
                    connection.execute("insert into transfers values (%s, nextval('numbers'))",
                                       (name,))
                with ledger.lock:
                    ledger.acknowledged.add(name)


def change_tables_until_gone(server, ledger, seed):
    """Tables come, change and go, vacuum and checkpoints run, beside the transfers."""
    chance = random.Random(seed)
    with contextlib.suppress(psycopg.OperationalError):
        with server.connect(user="postgres") as connection:
            for count in range(1_000_000):
                table = f"other_{seed}_{count}"
                ledger.tables.add(table)
                connection.execute(f"create table {table} (a int primary key)")
                connection.execute(f"insert into {table} select g from generate_series(1, 500) g")
                if chance.random() < 0.5:
                    connection.execute(f"alter table {table} add b text default 'b', "
                                       "alter a type bigint, add c serial unique")
                    connection.execute(f"alter table {table} drop b")
                if chance.random() < 0.3:
                    kind = chance.choice(("int", "bigint"))
                    connection.execute(f"alter table accounts alter balance type {kind}")
                if chance.random() < 0.7:
                    connection.execute(f"drop table {table}")
                if chance.random() < 0.3:
                    connection.execute("vacuum")
                if chance.random() < 0.3:
                    connection.execute("checkpoint")


def check_against(server, ledger):
    """Everything acknowledged is there; what else is there was begun; the sums agree."""
    with server.connect(user="postgres") as connection:
        rows = connection.execute("select name, number from transfers").fetchall()
        names = [name for name, _ in rows]
        assert len(set(names)) == len(names)
        assert len({number for _, number in rows}) == len(rows), "a sequence's value came twice"
        missing = ledger.acknowledged - set(names)
        assert not missing, f"{len(missing)} acknowledged transfers are lost: {sorted(missing)[:5]}"
        assert set(names) <= set(ledger.begun)
        expected = [1000] * ACCOUNTS
        for name in names:
            source, target, amount = ledger.begun[name]
            expected[source] -= amount
            expected[target] += amount
        balances = connection.execute("select balance from accounts order by id").fetchall()
        assert [balance for (balance,) in balances] == expected
        # By the index, too.
        for name in names[:100]:
            assert connection.execute("select count(*) from transfers where name = %s",
                                      (name,)).fetchone() == (1,)
        # So that the next rounds do not run out of room.
        while ledger.tables:
            connection.execute(f"drop table if exists {ledger.tables.pop()}")


def kill_server(server):
    """As when somebody kills the supervisor: the kernel ends the others."""
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not server.processes(), CLIENT_TIMEOUT_S, "its processes follow it")
    server.kill_everything()


def run_clients(server, ledger, seed, seconds, end):
    """All of them, until end() has ended the server. What a client did not expect is raised."""
    before = len(ledger.acknowledged)
    with concurrent.futures.ThreadPoolExecutor(CLIENTS + 1) as pool:
        running = [pool.submit(transfer_until_gone, server, ledger, seed + client)
                   for client in range(CLIENTS)]
        running.append(pool.submit(change_tables_until_gone, server, ledger, seed))
        # A crash that loses nothing proves something only if there was something to lose.
        wait_until(lambda: len(ledger.acknowledged) > before or any(one.done() for one in running),
                   CLIENT_TIMEOUT_S, "the first transfer is acknowledged")
        time.sleep(seconds)  # not waited for anything: the moment of the crash is random
        end()
        for client in running:
            client.result(CLIENT_TIMEOUT_S)


def verify(server, binary, folder):
    verified = server.run(binary, "verify", "--data", folder, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "sound" in verified.stdout


def torture(binary, model, folder, kills, seed):
    """Raises for what is wrong. Returns how many transfers were acknowledged."""
    ledger = Ledger()
    with durable(binary, model, folder) as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table accounts (id int primary key, balance int)")
            connection.execute("insert into accounts select g, 1000 from "
                               f"generate_series(0, {ACCOUNTS - 1}) g")
            connection.execute("create table transfers (name text primary key, number bigint)")
            connection.execute("create sequence numbers")
    for number in range(seed, seed + kills):
        # Small, so that the log asks for checkpoints as well.
        server = durable(binary, model, folder, max_wal_size="2MB").start()
        chance = random.Random(number)
        before = len(ledger.acknowledged)
        run_clients(server, ledger, 100 * number, chance.uniform(0.3, 1.5),
                    lambda server=server: kill_server(server))
        assert len(ledger.acknowledged) > before
        verify(server, binary, folder)
        with durable(binary, model, folder) as server:
            assert "was not shut down: recovered from checkpoint" in server.stderr()
            check_against(server, ledger)
    with durable(binary, model, folder) as server:
        assert "recovered" not in server.stderr()
        check_against(server, ledger)
    verify(server, binary, folder)
    return len(ledger.acknowledged)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connbench", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--seed", type=int, default=secrets.randbits(20))
    arguments = parser.parse_args()
    failed = 0
    for model in arguments.model:
        with tempfile.TemporaryDirectory() as folder:
            try:
                transfers = torture(arguments.connbench.resolve(), model,
                                    pathlib.Path(folder) / "data", arguments.kills, arguments.seed)
                print(f"{model}: {arguments.kills} kills, {transfers} transfers acknowledged, "
                      "none lost", flush=True)
            except Exception as problem:  # noqa: BLE001: the other models shall run, too
                failed += 1
                print(f"{model}: {problem!r} (--model {model} --seed {arguments.seed})",
                      file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
