"""Data that are about five times as large as the buffer pool: statements, upkeep, crashes and
starts are what they are when everything is in memory."""
import concurrent.futures
import contextlib
import random
import threading

import psycopg
import pytest

from crash_torture import MODELS, kill_server, verify
from generated import seed as first_seed
from servers import CLIENT_TIMEOUT_S, Connbench

POOL = "4MB"
ROWS = 20_000  # of about a kilobyte
CLIENTS = 4
CHANGES = 150
PADDING = "x" * 950


def server_of(binary, model, folder, io_method, max_wal_size="16MB"):
    return Connbench(binary, model, data_directory=folder, shared_buffers=POOL,
                     io_method=io_method, max_wal_size=max_wal_size)


def load(server):
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (id int primary key, value int, pad text)")
        with connection.cursor() as cursor:
            with cursor.copy("copy t from stdin") as copy:
                for number in range(ROWS):
                    copy.write_row((number, 0, PADDING))


class Values:
    """What each row has by what the clients were told. A row has one writer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.known = {}    # id: value
        self.pending = {}  # id: value that was asked for, and not answered
        self.answered = 0

    def check(self, row, value):
        assert value == self.known.get(row, 0) or value == self.pending.get(row), row


def change(server, values, client, seed, count):
    """Point updates and selects of the client's own rows."""
    chance = random.Random(seed)
    with contextlib.suppress(psycopg.OperationalError):
        with server.connect(user="postgres") as connection:
            for _ in range(count):
                row = chance.randrange(ROWS // CLIENTS) * CLIENTS + client
                value = connection.execute("select value from t where id = %s",
                                           (row,)).fetchone()[0]
                values.check(row, value)
                wanted = chance.randrange(1, 1_000_000)
                with values.lock:
                    values.known[row] = value
                    values.pending[row] = wanted
                connection.execute("update t set value = %s where id = %s", (wanted, row))
                with values.lock:
                    values.known[row] = values.pending.pop(row)
                    values.answered += 1


def run_clients(server, values, seed, count=CHANGES, beside=None):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(change, server, values, client, seed * 100 + client, count)
                   for client in range(CLIENTS)]
        if beside is not None:
            beside()
        for client in running:
            client.result(CLIENT_TIMEOUT_S)


def check_all(server, values):
    with server.connect(user="postgres") as connection:
        found = 0
        with connection.cursor() as cursor:
            for row, value, length in cursor.execute("select id, value, length(pad) from t"):
                values.check(row, value)
                values.known[row] = value
                assert length == len(PADDING)
                found += 1
        assert found == ROWS
        values.pending.clear()
        # By the index, too.
        for row in range(0, ROWS, 371):
            assert connection.execute("select value from t where id = %s",
                                      (row,)).fetchone() == (values.known.get(row, 0),)
        assert connection.execute("select count(*) from t where id between 5000 and 8999"
                                  ).fetchone() == (4000,)


@pytest.mark.parametrize("io_method", ["sync", "worker", "io_uring"])
@pytest.mark.parametrize("durable_model", [*MODELS, "reactor-uring"])
def test_data_larger_than_the_pool(binary, tmp_path, durable_model, io_method):
    folder = tmp_path / "data"
    values = Values()
    seed = first_seed()
    with server_of(binary, durable_model, folder, io_method) as server:
        load(server)
        assert (folder / "pages").stat().st_size > 4 * 4 * 1024 * 1024

        def build_and_scan():
            with server.connect(user="postgres") as connection:
                assert connection.execute("select count(*), sum(length(pad)) from t"
                                          ).fetchone() == (ROWS, ROWS * len(PADDING))
                connection.execute("create index t_value on t (value)")
                connection.execute("vacuum t")

        run_clients(server, values, seed, beside=build_and_scan)
        assert values.answered == CLIENTS * CHANGES
        check_all(server, values)
    verify(server, binary, folder)

    server = server_of(binary, durable_model, folder, io_method, max_wal_size="2MB").start()
    enough = threading.Event()

    def kill_when_under_way():
        answered = values.answered
        while values.answered < answered + CHANGES:
            enough.wait(0.01)
        kill_server(server)

    run_clients(server, values, seed + 1, count=1_000_000, beside=kill_when_under_way)
    verify(server, binary, folder)
    with server_of(binary, durable_model, folder, io_method) as server:
        assert "was not shut down: recovered from checkpoint" in server.stderr()
        check_all(server, values)
        with server.connect(user="postgres") as connection:
            by_index = connection.execute("select sum(value), count(*) from t where value > 0"
                                          ).fetchone()
            changed = [value for value in values.known.values() if value > 0]
            assert by_index == (sum(changed), len(changed))
    verify(server, binary, folder)
