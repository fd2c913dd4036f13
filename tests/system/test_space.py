"""Space is used again: clients change and replace rows for far longer than the buffer pool could
hold the versions they make, and readers see exactly the right rows meanwhile, through the table and
through each index. Without upkeep the pool here is full after some 18,000 new versions."""
import threading

import psycopg
import pytest

from generated import cases, seed

WRITERS = 3
# Of 600 changes, those that must get through: without upkeep the pool is full after a third of
# them. How many of the others do depends on how long a reader's snapshots take.
MOST = 250
ROWS_EACH = 30
POOL = "1MB"


class Clients:
    """Threads with a connection each; the first error of one ends all, and the test."""

    def __init__(self, server):
        self.server = server
        self.stop = threading.Event()
        self.errors = []
        self.writers = []
        self.readers = []

    def start(self, kind, work, *arguments):
        def body():
            try:
                with self.server.connect() as connection:
                    work(connection, *arguments)
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)
                self.stop.set()

        thread = threading.Thread(target=body)
        kind.append(thread)
        thread.start()

    def join(self):
        for thread in self.writers:
            thread.join()
        self.stop.set()
        for thread in self.readers:
            thread.join()
        assert not self.errors, f"seed {seed()}: {self.errors[0]!r}"


def tries(connection, *statements):
    """Runs a transaction. While a reader holds an old snapshot the pool may be too small for a
    moment."""
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
        return True
    except psycopg.errors.DiskFull:
        return False


def read_all(connection, stop, query, check):
    """The rows of one snapshot, through the table and in both directions of each index."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.autocommit = False
    while not stop.is_set():
        answers = [sorted(connection.execute(query.format(rest)).fetchall())
                   for rest in ("", "where v > -1 order by v", "where v > -1 order by v desc",
                                "where k >= '' order by k", "where k >= '' order by k desc")]
        connection.rollback()
        check(answers[0])
        for answer in answers[1:]:
            assert answer == answers[0]


@pytest.mark.generated
@pytest.mark.parametrize("order", ["ascending", "descending", "scattered"])
def test_updates_of_indexed_columns_go_on_for_ever(start_server, order):
    server = start_server(shared_buffers=POOL)
    value = {"ascending": "{n}", "descending": "1000000000 - {n}",
             "scattered": "({n} * 7919) % 1000003"}[order]
    with server.connect() as setup:
        setup.execute("create table t (id int primary key, owner int, v int, k text)")
        setup.execute("create index on t (v)")
        setup.execute("create index on t (k, v)")
        setup.execute(f"insert into t select g, g % {WRITERS}, 0, 'k' "
                      f"from generate_series(1, {WRITERS * ROWS_EACH}) g")

    def write(connection, owner):
        done = 0
        for number in range(1, cases(600)):
            done += tries(connection, f"update t set v = {value.format(n=number)}, "
                                      f"k = 'k' || {number} where owner = {owner}")
        assert done > cases(MOST)

    def check(rows):
        assert len(rows) == WRITERS * ROWS_EACH
        assert len({row[0] for row in rows}) == len(rows)
        # A writer's rows change together.
        assert len({row[1:] for row in rows}) == WRITERS

    clients = Clients(server)
    for owner in range(WRITERS):
        clients.start(clients.writers, write, owner)
    clients.start(clients.readers, read_all, clients.stop,
                  "select id, owner, v, k from t {}", check)
    clients.join()


@pytest.mark.generated
def test_inserts_and_deletes_go_on_for_ever(start_server):
    server = start_server(shared_buffers=POOL)
    with server.connect() as setup:
        setup.execute("create table t (id serial primary key, owner int, v int, k text unique)")
        setup.execute("create index on t (v)")
        for owner in range(WRITERS):
            setup.execute(f"insert into t (owner, v, k) select {owner}, 0, '{owner} ' || g "
                          f"from generate_series(1, {ROWS_EACH}) g")

    def write(connection, owner):
        done = 0
        for number in range(1, cases(600)):
            done += tries(
                connection, f"delete from t where owner = {owner}",
                f"insert into t (owner, v, k) select {owner}, {number}, '{owner} ' || g "
                f"from generate_series(1, {ROWS_EACH}) g")
        assert done > cases(MOST)

    def check(rows):
        assert len(rows) == WRITERS * ROWS_EACH
        assert len({row[1:3] for row in rows}) == WRITERS

    clients = Clients(server)
    for owner in range(WRITERS):
        clients.start(clients.writers, write, owner)
    clients.start(clients.readers, read_all, clients.stop,
                  "select id, owner, v, k from t {}", check)
    clients.join()


@pytest.mark.generated
def test_a_full_pool_is_full_only_as_long_as_a_snapshot_needs_it(start_server):
    server = start_server(shared_buffers=POOL)
    with server.connect() as writer, server.connect() as reader:
        writer.execute("create table t (id int primary key, v int)")
        writer.execute("create index on t (v)")
        writer.execute("insert into t select g, g from generate_series(1, 100) g")
        for _ in range(cases(2)):
            with reader.transaction():
                reader.execute("set transaction isolation level repeatable read")
                before = reader.execute("select id, v from t order by v").fetchall()
                with pytest.raises(psycopg.errors.DiskFull):
                    for _ in range(10_000):
                        writer.execute("update t set v = v + 1")
                assert reader.execute("select id, v from t order by v").fetchall() == before
                assert reader.execute("select id, v from t where v > 0 order by v desc"
                                      ).fetchall() == before[::-1]
            assert sum(tries(writer, "update t set v = v + 1") for _ in range(300)) >= 297
    with server.connect() as connection:
        assert connection.execute(
            "select count(*), count(distinct v) from t").fetchone() == (100, 100)


@pytest.mark.generated
def test_tables_come_and_go_for_ever(start_server):
    server = start_server(shared_buffers=POOL)

    def work(connection, number):
        for _ in range(cases(60)):
            connection.execute(f"create table t{number} (id serial primary key, v text)")
            connection.execute(f"create index on t{number} (v)")
            connection.execute(f"insert into t{number} (v) select 'x' from generate_series(1, 500)")
            connection.execute(f"truncate t{number}")
            connection.execute(f"insert into t{number} (v) values ('y')")
            assert connection.execute(f"select count(*) from t{number}").fetchone() == (1,)
            connection.execute(f"drop table t{number}")

    clients = Clients(server)
    for number in range(WRITERS):
        clients.start(clients.writers, work, number)
    clients.join()
