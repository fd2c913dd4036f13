"""Columns of interval, time and json against PostgreSQL: texts in every IntervalStyle, COPY in both
directions, parameters in both formats, errors with their details."""
import random

import psycopg
import pytest

from generated import cases, seed
from random_expressions import CLOCKS, INTERVALS, JSONS
from servers import Connbench

STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]
PIECES = ["1", "-1", "+2", "1.5", "-.5", "day", "days", "mon", "year", "hr", "h", "m", "s", "ago",
          "week", "1:02", "-1:02:03.4", "1-2", "-1-2", "2:3.5", "P", "T", "1Y", "2M", "3D", "4H",
          ",", "@", "us", "ms", "1e2", ":", ".", "at", "mm", "d", "century", "999999999",
          "99999999999"]
BROKEN = ["{", "}", "[", "]", ",", ":", '"a"', '"b\\n"', "1", "-2.5e3", "true", "null", " ", "\n",
          "x", '"', "\\", '"\\u00e4"', '"\\ud800"', "01", "1.", "tru", "\t"]


@pytest.fixture(scope="module")
def pair(postgres, binary):
    with Connbench(binary, "thread") as server, postgres.connect(autocommit=True) as reference, \
            server.connect(autocommit=True) as tested:
        yield reference, tested


def answer(connection, sql, value):
    try:
        return connection.execute(sql, [value]).fetchall()
    except psycopg.Error as error:
        found = error.diag
        return (found.sqlstate, found.message_primary, found.message_detail, found.context)


def compare(pair, sql, values):
    different = []
    for value in values:
        expected, got = (answer(connection, sql, value) for connection in pair)
        if expected != got:
            different.append(f"{value!r}\n    PostgreSQL: {expected}\n    connbench:  {got}")
    assert not different, f"{len(different)} differ; seed {seed()}\n" + "\n".join(different[:20])


@pytest.mark.generated
@pytest.mark.parametrize("style", STYLES)
def test_texts_of_intervals(pair, style):
    rng = random.Random(seed())
    for connection in pair:
        connection.execute(f"set intervalstyle = {style}")
    texts = INTERVALS + [rng.choice(["", " "]).join(rng.choices(PIECES, k=rng.randrange(1, 6)))
                         for _ in range(cases(1000))]
    compare(pair, "select (%s::text)::interval::text", texts)
    fields = ["year", "year to month", "day", "day to minute", "second(1)", "minute to second"]
    for each in fields:
        compare(pair, f"select (%s::text)::interval {each}::text", texts[:100])
    for connection in pair:
        connection.execute("reset intervalstyle")


@pytest.mark.generated
def test_texts_of_json(pair):
    rng = random.Random(seed())
    texts = JSONS + ["".join(rng.choices(BROKEN, k=rng.randrange(1, 9)))
                     for _ in range(cases(2000))]
    compare(pair, "select (%s::text)::json::text", texts)
    compare(pair, "select (%s::text)::json #>> '{}'", texts)


def test_columns_are_copied_and_read_in_both_formats(pair):
    rows = []
    for connection in pair:
        connection.execute("drop table if exists c")
        connection.execute("create table c (id int, i interval, t time, j json, p interval(1),"
                           " q interval hour to minute, r time(2))")
        with connection.cursor().copy("copy c from stdin") as copy:
            for number, (i, t, j) in enumerate(zip(INTERVALS, CLOCKS * 3, JSONS * 2)):
                copy.write_row([number, i, t, j, i, i, t])
        with connection.cursor().copy("copy c to stdout") as copy:
            text = b"".join(bytes(part) for part in copy)
        read = [connection.cursor(binary=binary).execute("select * from c order by id").pgresult
                for binary in (False, True)]
        values = [[result.get_value(row, column) for row in range(result.ntuples)
                   for column in range(result.nfields)] for result in read]
        types = [(read[0].ftype(column), read[0].fmod(column), read[0].fsize(column))
                 for column in range(read[0].nfields)]
        rows.append((text, values, types))
        connection.execute("drop table c")
    assert rows[0] == rows[1]
