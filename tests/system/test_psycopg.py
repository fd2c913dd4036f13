"""psycopg 3: its transactions, parameters, binary results, pipelines, COPY, cancel, notices."""
import threading

import psycopg
import pytest

from servers import cancelling
from test_psql import LONG_QUERY


@pytest.fixture
def connection(server):
    with server.connect() as one:
        yield one


@pytest.fixture
def table(connection):
    connection.execute("drop table if exists pg_items")
    connection.execute("create table pg_items (id int primary key, name text, price float8)")
    yield "pg_items"
    connection.execute("drop table if exists pg_items")


def test_parameters_of_many_types(connection):
    row = connection.execute(
        "select %s::int4, %s::int8, %s::int2, %s::text, %s::float8, %s::bool, %s::int4",
        [1, 2**40, 3, "äöü", 1.5, True, None]).fetchone()
    assert row == (1, 2**40, 3, "äöü", 1.5, True, None)


def test_binary_results(connection):
    with connection.cursor(binary=True) as cursor:
        cursor.execute("select %s::int4, %s::int8, %s::text, %s::float8, %s::bool",
                       [7, -2**50, "text", -0.25, False])
        assert cursor.fetchone() == (7, -2**50, "text", -0.25, False)


def test_a_statement_prepared_after_some_uses(connection, table):
    """From the sixth use psycopg prepares; the answers must not change."""
    connection.execute("insert into pg_items values (1, 'one', 1)")
    for _ in range(12):
        assert connection.execute("select name from pg_items where id = %s", [1]).fetchone() == \
            ("one",)


def test_transactions(server, table):
    with server.connect(autocommit=False) as writer, server.connect() as reader:
        writer.execute("insert into pg_items values (1, 'one', 1)")
        assert reader.execute("select count(*) from pg_items").fetchone() == (0,)
        writer.rollback()
        writer.execute("insert into pg_items values (2, 'two', 2)")
        writer.commit()
        assert reader.execute("select id from pg_items").fetchall() == [(2,)]


def test_savepoints(connection, table):
    with connection.transaction():
        connection.execute("insert into pg_items values (1, 'one', 1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            with connection.transaction():
                connection.execute("insert into pg_items values (1, 'again', 1)")
        connection.execute("insert into pg_items values (2, 'two', 2)")
    assert connection.execute("select count(*) from pg_items").fetchone() == (2,)


def test_errors_carry_their_state(connection):
    with pytest.raises(psycopg.errors.UndefinedTable) as error:
        connection.execute("select * from nope")
    assert error.value.diag.sqlstate == "42P01"
    assert error.value.diag.statement_position == "15"
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.execute("select %s / 0", [1])
    assert connection.execute("select 1").fetchone() == (1,)


def test_pipeline(connection, table):
    with connection.pipeline():
        cursors = [connection.execute("insert into pg_items values (%s, 'x', 0) returning id", [n])
                   for n in range(100)]
        assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(100)]
    assert connection.execute("select count(*) from pg_items").fetchone() == (100,)


def test_an_error_in_a_pipeline_skips_to_its_sync(connection, table):
    with pytest.raises(psycopg.errors.DivisionByZero):
        with connection.pipeline():
            connection.execute("insert into pg_items values (1, 'x', 0)")
            connection.execute("select 1 / 0")
            connection.execute("insert into pg_items values (2, 'x', 0)")
    # One Sync ended the batch, so it was one transaction.
    assert connection.execute("select count(*) from pg_items").fetchone() == (0,)


def test_executemany(connection, table):
    with connection.cursor() as cursor:
        cursor.executemany("insert into pg_items values (%s, %s, %s)",
                           [(n, f"name {n}", n / 2) for n in range(1000)])
    assert connection.execute("select count(*), sum(price) from pg_items").fetchone() == \
        (1000, 249750.0)


def test_copy(connection, table):
    with connection.cursor() as cursor:
        with cursor.copy("copy pg_items from stdin") as copy:
            for n in range(5000):
                copy.write_row((n, None if n % 7 == 0 else f"tab\t{n}", n * 0.5))
        with cursor.copy("copy pg_items to stdout") as copy:
            copy.set_types(["int4", "text", "float8"])
            rows = sorted(copy.rows())
    assert len(rows) == 5000
    assert rows[1] == (1, "tab\t1", 0.5)
    assert rows[7] == (7, None, 3.5)


def test_copy_given_up_by_the_client(connection, table):
    with pytest.raises(psycopg.errors.QueryCanceled, match="COPY from stdin failed"):
        with connection.cursor() as cursor, cursor.copy("copy pg_items from stdin") as copy:
            copy.write_row((1, "one", 1))
            raise ZeroDivisionError
    assert connection.execute("select count(*) from pg_items").fetchone() == (0,)


def test_copy_of_bad_rows(connection, table):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        with connection.cursor() as cursor, cursor.copy("copy pg_items from stdin") as copy:
            for n in range(10000):
                copy.write(f"{n}\tname\t{'x' if n == 500 else 1}\n")
    assert connection.execute("select count(*) from pg_items").fetchone() == (0,)


def test_cancel(connection):
    with cancelling(connection), pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(LONG_QUERY)
    assert connection.execute("select 1").fetchone() == (1,)


def test_cancel_while_waiting_for_a_row(server, connection, table):
    connection.execute("insert into pg_items values (1, 'one', 1)")
    with server.connect(autocommit=False) as holder, server.connect() as waiter:
        holder.execute("update pg_items set price = 2 where id = 1")
        with cancelling(waiter), pytest.raises(psycopg.errors.QueryCanceled):
            waiter.execute("update pg_items set price = 3 where id = 1")
        holder.commit()
    assert connection.execute("select price from pg_items").fetchone() == (2.0,)


def test_a_deadlock_has_one_victim(server, connection, table):
    connection.execute("insert into pg_items values (1, 'one', 0), (2, 'two', 0)")
    outcomes = []
    barrier = threading.Barrier(2)

    def work(first, second):
        with server.connect(autocommit=False) as session:
            session.execute("update pg_items set price = price + 1 where id = %s", [first])
            barrier.wait(timeout=30)
            try:
                session.execute("update pg_items set price = price + 1 where id = %s", [second])
                session.commit()
                outcomes.append("committed")
            except psycopg.errors.DeadlockDetected:
                session.rollback()
                outcomes.append("victim")

    threads = [threading.Thread(target=work, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["committed", "victim"]
    assert connection.execute("select sum(price) from pg_items").fetchone() == (2.0,)


def test_many_statements_and_portals(connection):
    """Named statements outlive transactions, are many, and can be given up one by one."""
    for n in range(500):
        connection.execute(f"prepare many_{n} as select {n}")
    assert connection.execute("execute many_499").fetchone() == (499,)
    connection.execute("deallocate many_499")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        connection.execute("execute many_499")
    connection.execute("deallocate all")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        connection.execute("execute many_1")


def test_settings_of_a_session(connection):
    connection.execute("set application_name = 'renamed'")
    assert connection.info.parameter_status("application_name") == "renamed"
    connection.execute("set statement_timeout = '3s'")
    assert connection.execute("show statement_timeout").fetchone() == ("3s",)
    connection.execute("discard all")
    assert connection.execute("show statement_timeout").fetchone() == ("0",)
