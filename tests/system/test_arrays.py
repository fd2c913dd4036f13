"""Arrays: random queries against PostgreSQL, and what drivers send and get."""
import asyncio
import datetime
import decimal
import random

import asyncpg
import psycopg
import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_arrays import Arrays
from random_joins import FULL_JOIN_DIFFERS, Tables

# What may differ, with its reason: a pattern of the statement, of PostgreSQL's answer, of ours.
ALLOWED = [
    FULL_JOIN_DIFFERS,
    (r"/\* many \*/", r"^\(|21000", r"^\(|21000",
     "whether a subquery with a second row is run depends on the order of conditions"),
]
ROUND_TRIPS = [
    ("int", [1, 2, None]), ("int", []), ("bigint", [2**40]), ("float8", [1.5, None]),
    ("text", ["a", 'q"uo', "c,d", "", "null", None, "ä{}"]), ("bool", [True, False]),
    ("numeric", [decimal.Decimal("1.50"), decimal.Decimal("NaN")]),
    ("timestamp", [datetime.datetime(2024, 2, 29, 12), None]),
]


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index", "small_memory"])
def test_random_queries_with_arrays_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} arrays {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    if setting == "small_memory":
        ask(pair[1], "set work_mem = '64kB'")
    compare_on_tables(pair, source, Tables, Arrays, cases(400), 10, ALLOWED)
    ask(pair[1], "reset all")


@pytest.mark.parametrize("binary_format", [False, True])
def test_psycopg_sends_and_gets_arrays(server, binary_format):
    mark = "%b" if binary_format else "%t"
    with server.connect() as connection, connection.cursor(binary=binary_format) as cursor:
        for kind, value in ROUND_TRIPS:
            row = cursor.execute(f"select {mark}::{kind}[]", [value]).fetchone()
            assert str(row[0]) == str(value)
        rows = cursor.execute(f"select g from generate_series(1, 9) g where g = any({mark})",
                              [[2, 3, 11]]).fetchall()
        assert rows == [(2,), (3,)]
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="several dimensions"):
            cursor.execute(f"select {mark}::int[]", [[[1, 2], [3, 4]]])


def test_asyncpg_sends_and_gets_arrays(server):
    """About the types of most arrays it asks with a WITH RECURSIVE."""
    async def work():
        connection = await asyncpg.connect(host=server.host, port=server.port, user=server.user,
                                           database=server.database)
        try:
            value = ["a", "", None, 'q"uo']
            assert await connection.fetchval("select $1::text[]", value) == value
            rows = await connection.fetch(
                "select 'a' || g as c from generate_series(1, 9) g where 'a' || g = any($1)",
                ["a2", "a3", "b"])
            assert [row["c"] for row in rows] == ["a2", "a3"]
            assert await connection.fetchval("select $1::int4[]", [1, None]) == [1, None]
        finally:
            await connection.close()

    asyncio.run(work())


def test_an_index_finds_the_rows_of_an_array(server):
    with server.connect() as connection:
        connection.execute("create table found (id int primary key, c text)")
        connection.execute("insert into found select g, 'x' || g from generate_series(1, 2000) g")
        for condition in ("id = any('{7,1,7,null,9999}')", "id = any(array[7, 1])"):
            plan = "\n".join(line for (line,) in connection.execute(
                f"explain select c from found where {condition}"))
            assert "Index Scan using found_pkey" in plan
            assert connection.execute(
                f"select c from found where {condition} order by id").fetchall() == \
                [("x1",), ("x7",)]
        assert connection.execute("select c from found where id = any(%s) order by id desc",
                                  [[3, 4]]).fetchall() == [("x4",), ("x3",)]
        connection.execute("drop table found")


def test_an_array_of_a_subquery_keeps_within_work_mem(server):
    with server.connect() as connection:
        connection.execute("set work_mem = '1MB'")
        with pytest.raises(psycopg.errors.OutOfMemory):
            connection.execute("select cardinality(array(select g from"
                               " generate_series(1, 1000000) g))")
