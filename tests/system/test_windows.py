"""Window functions against PostgreSQL: random queries on small tables, and large partitions that
work_mem cannot hold: the same columns, the same rows, the same SQLSTATE."""
import random
import time

import psycopg
import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_joins import FULL_JOIN_DIFFERS, Tables
from random_windows import Windows
from servers import CLIENT_TIMEOUT_S, wait_until

ROWS = 6_000  # some 300 kB
# One for each way in which rows of a partition are kept and read again.
LARGE = (
    "count(*) over (order by i rows between 50 preceding and 50 following)",
    "sum(n) over (order by i rows between 1000 preceding and 10 preceding)",
    "max(i) over (partition by i % 2 order by i rows between 3 preceding and 1 following)",
    "avg(i) over (order by i)",
    "row_number() over (order by t desc, i)",
    "lag(t, 4000, 'none') over (order by i)",
    "lead(i, i % 100) over (order by i)",
    "first_value(t) over (order by i rows between 2500 preceding and current row)",
    "nth_value(i, 3) over (order by i range between 100 preceding and 100 following)",
    "count(t) over (order by i / 10 groups between 2 following and 4 following exclude ties)",
    "last_value(i) over (order by i groups between 2 following and 4 following exclude ties)",
    "ntile(7) over (order by i), cume_dist() over (order by i / 100)",
    "percent_rank() over (partition by i % 3 order by i / 7)",
    "sum(i) over (order by i / 100 range between 3 preceding and 2 preceding exclude group)",
    "count(*) over (), min(t) over (partition by i % 5)",
)


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index", "small_memory"])
def test_random_windows_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    if setting == "small_memory":
        ask(pair[1], "set work_mem = '64kB'")
    compare_on_tables(pair, source, Tables, Windows, cases(400), 10, [FULL_JOIN_DIFFERS])
    ask(pair[1], "reset all")


def test_large_partitions_answer_as_postgresql(pair):
    for connection in pair:
        for statement in ("create table large (i int, n numeric, t text)",
                          "insert into large select i, i % 10 * 0.5, repeat('x', i % 40) || i "
                          f"from generate_series(1, {ROWS}) i"):
            assert not isinstance(ask(connection, statement), str)
    ask(pair[1], "set work_mem = '64kB'")
    for window in LARGE:
        expected, got = (ask(connection, f"select i, {window} from large") for connection in pair)
        assert not isinstance(expected, str), (window, expected)
        assert expected == got, window
    ask(pair[1], "reset all")
    for connection in pair:
        ask(connection, "drop table large")


# Each is quadratic, in PostgreSQL, too.
LONG = ("max(i) over (order by i rows between current row and unbounded following)",
        "count(*) over (order by i rows between unbounded preceding and unbounded following "
        "exclude current row)",
        "last_value(i) over (order by i, i + 1 groups between unbounded preceding and current row)"
        ", sum(i::float8) over (order by i rows between 30000 preceding and current row)")


@pytest.mark.parametrize("window", LONG)
def test_a_long_computation_ends_when_it_is_asked_to(pair, window):
    sql = f"select {window} from generate_series(1, 100000) i"
    ask(pair[1], "set statement_timeout = 200")
    begin = time.monotonic()
    assert ask(pair[1], sql) == "ERROR 57014"
    assert time.monotonic() - begin < 5
    ask(pair[1], "reset statement_timeout")


def test_a_long_computation_is_cancelled(pair):
    connection = pair[1]
    connection.send_query(
        f"select {LONG[0]} from generate_series(1, 100000) i".encode())

    def answers_a_cancel():
        """One that comes before the query has begun means nothing."""
        connection.get_cancel().cancel()
        connection.consume_input()
        return not connection.is_busy()

    wait_until(answers_a_cancel, CLIENT_TIMEOUT_S, "the computation ends")
    result = connection.get_result()
    assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
    while connection.get_result() is not None:
        pass
