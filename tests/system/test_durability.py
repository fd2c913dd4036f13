"""A data directory: what was answered is there after the server was killed, and a directory that
cannot be used is refused."""
import concurrent.futures
import contextlib
import os
import random
import signal
import threading
import time

import psycopg
import pytest

from generated import cases, seed as first_seed
from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

ACCOUNTS = 50
CLIENTS = 6
SETTINGS = {"shared_buffers": "32MB"}


def durable(binary, model, folder, **settings):
    return Connbench(binary, model, data_directory=folder, **SETTINGS, **settings)


class Ledger:
    """What the clients were told: kept outside of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begun = {}  # transfer: (from, to, amount)
        self.acknowledged = set()


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


def change_tables_until_gone(server, seed):
    """Tables come and go, vacuum and checkpoints run, beside the transfers."""
    chance = random.Random(seed)
    with contextlib.suppress(psycopg.OperationalError):
        with server.connect(user="postgres") as connection:
            for count in range(1_000_000):
                table = f"other_{seed}_{count}"
                connection.execute(f"create table {table} (a int primary key)")
                connection.execute(f"insert into {table} select g from generate_series(1, 500) g")
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


def kill_server(server):
    """As when somebody kills the supervisor: the kernel ends the others."""
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not server.processes(), CLIENT_TIMEOUT_S, "its processes follow it")
    server.kill_everything()


def run_clients(server, ledger, seed, seconds, end):
    """All of them, until end() has ended the server. What a client did not expect is raised."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS + 1) as pool:
        running = [pool.submit(transfer_until_gone, server, ledger, seed + client)
                   for client in range(CLIENTS)]
        running.append(pool.submit(change_tables_until_gone, server, seed))
        time.sleep(seconds)  # not waited for anything: the moment of the crash is random
        end()
        for client in running:
            client.result(CLIENT_TIMEOUT_S)


@pytest.mark.generated
@pytest.mark.parametrize("durable_model", ["fork", "thread"])
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(binary, tmp_path, durable_model):
    folder = tmp_path / "data"
    ledger = Ledger()
    with durable(binary, durable_model, folder) as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table accounts (id int primary key, balance int)")
            connection.execute("insert into accounts select g, 1000 from "
                               f"generate_series(0, {ACCOUNTS - 1}) g")
            connection.execute("create table transfers (name text primary key, number bigint)")
            connection.execute("create sequence numbers")
    for seed in range(first_seed(), first_seed() + cases(3)):
        server = durable(binary, durable_model, folder).start()
        chance = random.Random(seed)
        before = len(ledger.acknowledged)
        run_clients(server, ledger, 100 * seed, chance.uniform(0.3, 1.5),
                    lambda server=server: kill_server(server))
        assert len(ledger.acknowledged) > before
        with durable(binary, durable_model, folder) as server:
            assert "was not shut down: recovered from checkpoint" in server.stderr()
            check_against(server, ledger)
    with durable(binary, durable_model, folder) as server:
        assert "recovered" not in server.stderr()
        check_against(server, ledger)


def test_a_backend_that_is_killed_costs_no_data(binary, model, tmp_path):
    server = durable(binary, model, tmp_path / "data").start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (a int)")
        connection.execute("insert into t select g from generate_series(1, 1000) g")
        os.kill(server.children()[-1], signal.SIGKILL)  # the youngest: a backend, or the server
    wait_until(lambda: "ready again" in server.stderr(), CLIENT_TIMEOUT_S, "it starts again")
    assert "recovering the data" in server.stderr()
    assert server.query("select count(*), sum(a) from t", user="postgres") == [(1000, 500500)]
    server.process.terminate()
    assert server.process.wait(CLIENT_TIMEOUT_S) == 0
    server.kill_everything()


def test_a_directory_in_use_is_refused(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder) as server:
        refused = server.run(binary, "serve", "-p", "0", "--data", folder, check=False)
        assert refused.returncode == 2
        assert f"{folder} is in use by the server with pid {server.process.pid}" in refused.stderr


def test_a_damaged_control_file_is_refused_and_kept(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder):
        pass
    damaged = bytearray((folder / "control").read_bytes())
    damaged[20] ^= 1
    (folder / "control").write_bytes(damaged)
    refused = Connbench(binary, "thread").run(binary, "serve", "-p", "0", "--data", folder,
                                              check=False)
    assert refused.returncode == 2
    assert f"{folder}/control, offset 64: the checksum is wrong" in refused.stderr
    assert (folder / "control").read_bytes() == damaged


def test_the_log_does_not_grow_for_ever(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder, max_wal_size="2MB") as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int primary key, b text)")
            connection.execute("insert into t select g, repeat('x', 200) from "
                               "generate_series(1, 2000) g")
            for _ in range(40):
                connection.execute("update t set b = repeat('y', 200)")
        # The checkpointer works beside the commits, so that it may be a little behind.
        wait_until(lambda: len(list((folder / "wal").iterdir())) <= 2 and
                   len(list(folder.glob("checkpoint.*"))) == 1, CLIENT_TIMEOUT_S,
                   "what is not needed is gone")
    with durable(binary, "thread", folder) as server:
        assert server.query("select count(*), min(b) from t", user="postgres") == [
            (2000, "y" * 200)]
