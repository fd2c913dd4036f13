"""Parallel workers in a server: the rows that PostgreSQL gives, in every model; and that errors,
cancels, LIMIT and crashes leave no worker behind."""
import os
import pathlib
import re
import signal
import threading
import time

import psycopg
import pytest

from servers import CLIENT_TIMEOUT_S, Connbench, cancelling, wait_until

WORKERS = 2
# PostgreSQL plans as many workers as connbench, and both have a Gather wherever one is possible.
FORCED = ("set parallel_setup_cost = 0", "set parallel_tuple_cost = 0",
          "set min_parallel_table_scan_size = 0",
          f"set max_parallel_workers_per_gather = {WORKERS}")
ROWS = 20_000
TABLE = (
    "create table t (a int, b int, c text, n numeric, w timestamptz, d interval)",
    "insert into t select g, case when g % 10 = 0 then null else g % 7 end, 'row ' || g, g * 1.50,"
    " '2020-01-01'::timestamptz + g * '1 hour'::interval, g * '1 minute'::interval"
    f" from generate_series(1, {ROWS}) g")
QUERIES = [
    "select * from t",
    "select a * 2, c || 'x' from t where a % 5 = 1",
    "select a from t where a < 0",
    "select count(*), count(b), sum(a), sum(b), avg(a), min(a), max(a), sum(a::bigint) from t",
    "select sum(n), avg(n), min(n), max(n), min(c), max(c), min(w), max(w) from t",
    "select sum(d), avg(d), min(d), max(d), bool_and(a > 0), bool_or(a < 0), every(b > 3) from t",
    "select count(*), sum(a), min(c), avg(n) from t where a < 0",
    "select b, count(*), sum(a), avg(n), min(c), max(d) from t group by b",
    "select b, count(*) filter (where a > 100) from t group by b having sum(a) > 28000000",
    "select a % 1000, sum(n) from t group by 1",
    "select a, c from t order by a desc limit 20",
    "select distinct b from t",
    "select x.b, x.m from (select b, max(a) as m from t group by b) x where x.m > 19995",
    "select count(*) from t union all select sum(a) from t",
    "with x as (select b, count(*) as k from t group by b) select sum(k), count(*) from x",
    "select current_user::text, now() = max(now()) from t group by 1",
]
SLOW = "select count(*) from t where length(repeat(c, 100000)) < a"


def prepare(connection):
    for statement in FORCED:
        connection.execute(statement)


def answer(connection, sql):
    """The rows in any order, or the SQLSTATE."""
    try:
        cursor = connection.execute(sql)
        return [column.name for column in cursor.description], sorted(cursor.fetchall(), key=str)
    except psycopg.Error as error:
        return error.sqlstate


def launched(connection, sql="select count(*) from t"):
    """How many workers helped with the query."""
    plan = connection.execute(f"explain (analyze, costs off, timing off) {sql}").fetchall()
    found = re.search(r"Workers Launched: (\d+)", "\n".join(line for (line,) in plan))
    return int(found[1]) if found else None


def wait_for_workers(connection):
    wait_until(lambda: launched(connection) == WORKERS, CLIENT_TIMEOUT_S, "all workers are idle")


@pytest.fixture
def parallel(binary, model):
    """A server with workers, and the table in it."""
    with Connbench(binary, model, max_parallel_workers=WORKERS) as server:
        with server.connect() as connection:
            for statement in TABLE:
                connection.execute(statement)
            prepare(connection)
            wait_for_workers(connection)
        yield server


@pytest.fixture(scope="module")
def expected(postgres):
    """PostgreSQL's answers."""
    with postgres.connect() as connection:
        for statement in (*TABLE, "analyze t", *FORCED):
            connection.execute(statement)
        yield {sql: answer(connection, sql) for sql in QUERIES}


@pytest.mark.every_model
def test_rows_are_postgresqls(parallel, expected):
    with parallel.connect() as connection:
        prepare(connection)
        for takes_part in ("on", "off"):
            connection.execute(f"set parallel_leader_participation = {takes_part}")
            for sql in QUERIES:
                assert answer(connection, sql) == expected[sql], sql
                assert launched(connection, sql) == WORKERS, sql
            with connection.transaction():
                connection.execute("delete from t where a > 10000")
                assert connection.execute("select count(*), max(a) from t where a > %s",
                                          [9000]).fetchall() == [(1000, 10000)]
                raise psycopg.Rollback


def test_plans_are_postgresqls(binary, postgres):
    queries = ["select count(*) from t where a > 1", "select a, c from t where a % 3 = 1",
               "select sum(a) + 1, min(c) from t having count(*) > 0"]

    def plans(connection):
        prepare(connection)
        return [connection.execute(f"explain (costs off) {sql}").fetchall() for sql in queries]

    with Connbench(binary, "thread", max_parallel_workers=WORKERS) as server, \
            server.connect() as ours, postgres.connect() as theirs:
        for connection in (ours, theirs):
            connection.execute("drop table if exists t")
            for statement in TABLE:
                connection.execute(statement)
        theirs.execute("analyze t")
        assert plans(ours) == plans(theirs)


def test_an_error_in_a_worker_is_the_statements(parallel, postgres, expected):
    def failed(connection):
        prepare(connection)
        connection.execute("set parallel_leader_participation = off")
        with pytest.raises(psycopg.errors.DivisionByZero) as raised:
            connection.execute("select sum(1 / (a - 7000)) from t")
        diagnosis = raised.value.diag
        return diagnosis.sqlstate, diagnosis.message_primary, diagnosis.context, diagnosis.severity

    with parallel.connect() as connection, postgres.connect() as reference:
        assert failed(connection) == failed(reference)
        wait_for_workers(connection)


def test_cancel_timeout_and_termination_end_the_workers(parallel):
    with parallel.connect() as watcher:
        prepare(watcher)
        for takes_part in ("on", "off"):
            with parallel.connect() as connection:
                prepare(connection)
                connection.execute(f"set parallel_leader_participation = {takes_part}")
                with cancelling(connection), pytest.raises(psycopg.errors.QueryCanceled):
                    connection.execute(SLOW)
                wait_for_workers(watcher)
                connection.execute("set statement_timeout = 100")
                with pytest.raises(psycopg.errors.QueryCanceled):
                    connection.execute(SLOW)
                wait_for_workers(watcher)
                connection.execute("set statement_timeout = 0")
                pid = connection.info.backend_pid
                end = threading.Timer(
                    0.3, lambda: watcher.execute("select pg_terminate_backend(%s)", [pid]))
                end.start()
                with pytest.raises(psycopg.OperationalError):
                    connection.execute(SLOW)
                end.join()
            wait_for_workers(watcher)


def test_limit_ends_the_workers(parallel):
    with parallel.connect() as connection:
        prepare(connection)
        for _ in range(20):
            assert len(connection.execute("select *, repeat(c, 50) from t limit 3").fetchall()) == 3
            assert launched(connection) == WORKERS


def test_activity_shows_workers_and_their_leader(parallel):
    with parallel.connect() as leader, parallel.connect() as watcher:
        prepare(leader)
        query = threading.Thread(target=lambda: answer(leader, SLOW))
        query.start()
        rows = wait_until(
            lambda: watcher.execute(
                "select pid, leader_pid, state, query, usename from pg_stat_activity"
                " where backend_type = 'parallel worker'").fetchall(),
            CLIENT_TIMEOUT_S, "workers are shown")
        leader.cancel()
        query.join()
        for pid, leader_pid, state, text, user in rows:
            assert leader_pid == leader.info.backend_pid
            assert pid != leader_pid
            assert (state, text) == ("active", SLOW)
            assert user is None or user == "alice"
        wait_until(lambda: not watcher.execute("select 1 from pg_stat_activity where leader_pid"
                                               " is not null").fetchall(),
                   CLIENT_TIMEOUT_S, "workers are gone")


@pytest.mark.parametrize("crashing", ["fork", "pool-tx", "fdpass"])
def test_a_killed_worker_is_a_crash(binary, crashing):
    """As the end of any process that shares memory: everybody starts again, with workers."""
    server = Connbench(binary, crashing, max_parallel_workers=WORKERS).start()
    try:
        def worker_pids():
            return [pid for pid in server.processes()
                    if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "parallel worker"]

        def ready():
            with server.connect() as connection:
                connection.execute("select 1")
            return True

        workers = wait_until(lambda: found if len(found := worker_pids()) == WORKERS else None,
                             CLIENT_TIMEOUT_S, "the workers are there")
        with server.connect() as connection:
            for statement in TABLE:
                connection.execute(statement)
            prepare(connection)
            wait_for_workers(connection)
            kill = threading.Timer(0.3, lambda: os.kill(workers[0], signal.SIGKILL))
            kill.start()
            with pytest.raises(psycopg.OperationalError):
                connection.execute(SLOW)
            kill.join()

        def served_again():
            try:
                return ready()
            except psycopg.Error:
                return False

        wait_until(served_again, CLIENT_TIMEOUT_S, "the server is back")
        wait_until(lambda: len(set(worker_pids()) - set(workers)) == WORKERS, CLIENT_TIMEOUT_S,
                   "there are new workers")
        with server.connect() as connection:
            for statement in TABLE:
                connection.execute(statement)
            prepare(connection)
            wait_for_workers(connection)
    finally:
        server.send_signal(signal.SIGTERM)
        server.process.wait(timeout=CLIENT_TIMEOUT_S)
        assert not server.processes()
        assert not server.segment.exists()


@pytest.mark.parametrize("threaded", ["thread", "thread-pool", "reactor"])
def test_workers_are_threads_where_sessions_are(binary, threaded):
    with Connbench(binary, threaded, max_parallel_workers=WORKERS) as server:
        def names():
            return [comm.read_text().strip() for pid in server.processes()
                    for comm in pathlib.Path(f"/proc/{pid}/task").glob("*/comm")]

        wait_until(lambda: names().count("parallel worker") == WORKERS, CLIENT_TIMEOUT_S,
                   "the workers are there")


def test_workers_help_with_what_is_on_disk(binary, model, tmp_path):
    with Connbench(binary, model, data_directory=tmp_path / "data", max_parallel_workers=WORKERS,
                   shared_buffers="4MB", fsync="off") as server, server.connect() as connection:
        for statement in TABLE:
            connection.execute(statement)
        prepare(connection)
        wait_for_workers(connection)
        connection.execute("set parallel_leader_participation = off")
        assert connection.execute("select count(*), sum(a) from t").fetchall() == [
            (ROWS, ROWS * (ROWS + 1) // 2)]


def test_many_leaders_share_few_workers(parallel):
    """Under load most leaders find no idle worker, and every answer is right."""
    wrong = []

    def lead():
        with parallel.connect() as connection:
            prepare(connection)
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline and not wrong:
                rows = connection.execute("select count(*), sum(a), max(c) from t").fetchall()
                if rows != [(ROWS, ROWS * (ROWS + 1) // 2, "row 9999")]:
                    wrong.append(rows)

    leaders = [threading.Thread(target=lead) for _ in range(6)]
    for leader in leaders:
        leader.start()
    for leader in leaders:
        leader.join()
    assert not wrong
    with parallel.connect() as connection:
        prepare(connection)
        wait_for_workers(connection)
