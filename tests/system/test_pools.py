"""Models with fewer workers than clients: whoever holds a lock gets to run, nothing stands still
for longer than the model says, and the account that each keeps adds up."""
import pathlib
import socket
import tempfile
import threading
import time

import psycopg
import pytest

import wire
from servers import Connbench, wait_until
from test_pgbench import balance, check_run

WORKERS = 4
CLIENTS = 4 * WORKERS
# A model, its settings with WORKERS workers, and pgbench's options.
SHARED = {
    "thread-pool groups": ("thread-pool", {"workers": WORKERS, "thread_pool_groups": 2}, []),
    "thread-pool": ("thread-pool", {"workers": WORKERS}, []),
    "fdpass": ("fdpass", {"fdpass_workers": WORKERS}, []),
    "reactor": ("reactor", {"reactor_loops": WORKERS}, []),
    "reactor-uring": ("reactor-uring", {"reactor_loops": WORKERS}, []),
    "pool-tx": ("pool-tx", {"pool_size": WORKERS}, []),
    "pool-tx session": ("pool-tx", {"pool_size": WORKERS, "pool_mode": "session"}, []),
    "pool-tx-thread": ("pool-tx-thread", {"pool_size": WORKERS}, []),
    "pool-tx-thread session":
        ("pool-tx-thread", {"pool_size": WORKERS, "pool_mode": "session"}, []),
}
# A session has its worker to itself: more clients than workers must leave before others can come.
TAKING_TURNS = {
    "prefork": ("prefork", {"prefork_processes": WORKERS}, ["-C"]),
    "hybrid": ("hybrid", {"hybrid_processes": 2, "hybrid_threads": WORKERS // 2}, ["-C"]),
    "poco": ("poco", {"poco_threads": WORKERS}, ["-C"]),
}
# A connection has a process or thread made for it: nobody waits for anybody's.
NOT_POOLED = ["fork", "fork-exec", "thread", "thread-cached"]
# pgbench's options, and the places in balance() of the tables that are written: their sums must
# agree.
SCRIPTS = {"tpcb-like": ([], [0, 1, 2, 3]), "simple-update": (["-N"], [0, 3])}
# Longer than any stall that a model allows itself (thread-pool: stall_limit, 60 ms; the others
# none). For as long as the machine keeps everybody waiting is not their fault: Heartbeat measures
# that.
LONGEST_STANDSTILL_S = 1.0


class Heartbeat:
    """A thread that looks at the clock every 10 ms, and the longest time that it could not."""

    def __init__(self):
        self.longest_s = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat)

    def _beat(self):
        last = time.monotonic()
        while not self._done.wait(0.01):
            now = time.monotonic()
            self.longest_s = max(self.longest_s, now - last)
            last = now

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def longest_standstill(folder):
    """Of all clients together, between the ends of two transactions."""
    ends = sorted(int(line.split()[4]) + int(line.split()[5]) / 1e6
                  for log in pathlib.Path(folder).iterdir()
                  for line in log.read_text().splitlines())
    return max(later - earlier for earlier, later in zip(ends, ends[1:]))


@pytest.mark.every_model
def test_every_model_has_its_case(model):
    assert model in NOT_POOLED + [name for name, _, _ in [*SHARED.values(), *TAKING_TURNS.values()]]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("case", [*SHARED, *TAKING_TURNS])
def test_four_clients_for_each_worker(binary, case, script):
    """Of scale 1: every transaction of tpcb-like updates the same row."""
    name, settings, options = {**SHARED, **TAKING_TURNS}[case]
    script_options, written = SCRIPTS[script]
    with Connbench(binary, name, **settings) as server, tempfile.TemporaryDirectory() as folder:
        server.pgbench("-i", "-q", "-s", "1")
        threads = CLIENTS if "-C" in options else 2
        transactions = 5 if "-C" in options else 20
        with Heartbeat() as heartbeat:
            result = server.pgbench("-n", "-c", CLIENTS, "-j", threads, "-t", transactions,
                                    *options, *script_options,
                                    "-l", "--log-prefix", f"{folder}/log")
        check_run(result, CLIENTS * transactions)
        sums = balance(server)
        assert len({sums[table] for table in written}) == 1, sums
        assert longest_standstill(folder) < LONGEST_STANDSTILL_S + heartbeat.longest_s


def pools(server):
    with server.connect() as connection:
        cursor = connection.execute("select * from connbench_pools")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


@pytest.mark.every_model
def test_pools_are_shown_by_every_model(binary, model):
    settings = next((settings for name, settings, _ in SHARED.values() if name == model), {})
    with Connbench(binary, model, **settings) as server:
        server.query("select 1")
        shown = pools(server)
        if not any(name == model for name, _, _ in SHARED.values()) and model != "reactor-uring":
            assert shown == []
            return
        if settings:
            assert sum(pool["workers"] for pool in shown) == WORKERS
        assert sum(pool["services"] for pool in shown) > 0
        for pool in shown:
            assert 0 <= pool["service_us_p50"] <= pool["service_us_p99"] <= pool["service_us_max"]
            assert pool["waits"] >= pool["services"]
            assert pool["busy_us"] <= pool["service_us"] + pool["reset_us"] + 1


def test_a_pool_accounts_for_what_keeps_its_backends(binary):
    with Connbench(binary, "pool-tx", pool_size=1) as server:
        with server.connect(autocommit=False) as holder:
            holder.execute("select 1")
            began = time.monotonic()
            before = pools_of_one(server, holder)
            time.sleep(0.2)
            holder.execute("select 1")
            held = pools_of_one(server, holder)
            elapsed_us = (time.monotonic() - began) * 1e6
            pinned_us = held["pinned_us"] - before["pinned_us"]
            assert pinned_us >= 200_000
            # What it was held for it was not busy.
            assert held["busy_us"] - before["busy_us"] + pinned_us <= elapsed_us
            holder.rollback()
        # Another user's session cannot be had without a new one behind it.
        resets = pools(server)[0]["resets"]
        server.query("select 1", user="postgres")
        assert pools(server)[0]["resets"] > resets


def pools_of_one(server, connection):
    cursor = connection.execute("select pinned_us, busy_us from connbench_pools")
    return dict(zip(("pinned_us", "busy_us"), cursor.fetchone()))


@pytest.mark.every_model
def test_an_end_behind_pipelined_messages_is_seen(binary, model):
    """It comes while the session waits for a row, together with another statement."""
    with Connbench(binary, model) as server, server.connect(autocommit=False) as holder:
        holder.execute("create table t (k int primary key, v int)")
        holder.execute("insert into t values (1, 0)")
        holder.commit()
        holder.execute("update t set v = 1")
        with wire.Client(server) as client:
            client.start(user=server.user, database=server.database)
            client.send(wire.query("update t set v = 2"))
            time.sleep(0.1)  # it waits by now; if not, this test sees less
            client.send(wire.query("select v from t"))
            time.sleep(0.1)
            client.socket.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
            holder.commit()
            kinds = []
            while (message := client.next()) is not None:
                kinds.append(message[0])
            assert "".join(kinds) == "CZTDCZ"


POOLERS = ["pool-tx", "pool-tx-thread"]


def pool_clients(server):
    """How many clients of the pooler are in which state, asked by a superuser."""
    return dict(server.query("select state, count(*) from connbench_pool_clients group by state",
                             user="postgres"))


@pytest.mark.parametrize("pooler", POOLERS)
def test_a_client_that_left_the_line_has_nothing_run(binary, pooler):
    """Over TCP, where the end of what a client says does not tell whether it is gone."""
    with Connbench(binary, pooler, pool_size=1) as server, \
            server.connect(autocommit=False) as holder:
        holder.execute("create table t (k int)")
        holder.commit()
        holder.execute("select 1")
        for leave in (lambda client: client.socket.close(), lambda client: client.vanish()):
            client = wire.Client(server)
            client.start(user=server.user, database=server.database)
            client.send(wire.query("insert into t values (1)"))
            wait_until(lambda: pool_clients(server).get("waiting") == 1, 10, "it waits")
            leave(client)
            wait_until(lambda: "waiting" not in pool_clients(server), 10, "it has left the line")
        # One that has only finished sending still gets its answer.
        with wire.Client(server) as client:
            client.start(user=server.user, database=server.database)
            client.send(wire.query("select 5"))
            wait_until(lambda: pool_clients(server).get("waiting") == 1, 10, "it waits")
            client.socket.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
            holder.commit()
            kinds = "".join(kind for kind, _ in client.until_closed())
            assert kinds in ("TDCZ", "STDCZ")
        assert holder.execute("select count(*) from t").fetchone() == (0,)


@pytest.mark.parametrize("pooler", POOLERS)
def test_clients_that_do_not_read_hold_no_backend_for_ever(binary, pooler):
    with Connbench(binary, pooler, pool_size=2, client_write_timeout="300ms") as server:
        stuck = []
        for _ in range(6):
            client = wire.Client(server)
            client.start(user=server.user, database=server.database)
            client.send(wire.query("select repeat('x', 10000) from generate_series(1, 3000)"))
            stuck.append(client)
        with server.connect() as other:
            began = time.monotonic()
            assert other.execute("select 1").fetchone() == (1,)
            assert time.monotonic() - began < 10
        for client in stuck:
            client.socket.close()


@pytest.mark.parametrize("pooler", POOLERS)
def test_a_statement_whose_client_has_left_is_cancelled(binary, pooler):
    with Connbench(binary, pooler, pool_size=1, query_wait_timeout="20s") as server:
        client = wire.Client(server)
        client.start(user=server.user, database=server.database)
        client.send(wire.query("select pg_sleep(1000)"))
        wait_until(lambda: pool_clients(server).get("active")
                   == 2, 10, "it runs beside the one who asks")
        client.socket.close()
        assert server.query("select 1") == [(1,)]


@pytest.mark.parametrize("pooler", POOLERS)
def test_waiting_for_a_backend_has_a_bound(binary, pooler):
    with Connbench(binary, pooler, pool_size=1, query_wait_timeout="200ms") as server, \
            server.connect(autocommit=False) as holder:
        holder.execute("select 1")
        with server.connect(options="-c work_mem=1MB", user="postgres") as superuser:
            assert superuser.execute("show work_mem").fetchone() == ("1MB",)
        with pytest.raises(psycopg.OperationalError, match="no backend of the pool was free"):
            server.connect(application_name="another kind, which needs a backend to connect")
        with pytest.raises(psycopg.OperationalError, match="no backend of the pool was free"):
            server.query("select 1")
        holder.commit()
        assert server.query("select 1") == [(1,)]
