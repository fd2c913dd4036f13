"""Random expressions, evaluated, stored as defaults and grouped by, against PostgreSQL: the same
type, the same value, the same SQLSTATE."""
import contextlib
import random
import re

import psycopg
import pytest

from generated import cases, seed
from random_expressions import Expressions
from random_functions import Functions
from servers import Connbench

# What may differ, with its reason: a pattern of the statement, of PostgreSQL's answer, of ours.
ALLOWED = [
    (r"case|coalesce|in \(| and | or |default|greatest|least", r"^ERROR 22",
     r"^(\[|CREATE|INSERT|ALTER)",
     "PostgreSQL computes constants while it plans, also those that the answer does not need"),
    (r'"char"', r"^ERROR 22021", r".", "PostgreSQL 15 cuts a character to a byte that is no UTF-8"),
]


@contextlib.contextmanager
def plain_connection(server):
    """Answers as the wire's text: psycopg's own conversions are not what is tested."""
    with server.connect() as connection:
        yield connection.pgconn


def ask(connection, sql):
    """Rows as text, or "ERROR <SQLSTATE>"."""
    result = connection.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        return "ERROR " + result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode()
    if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
        return result.command_status.decode()
    return [tuple(None if (value := result.get_value(row, column)) is None
                  else value.decode(errors="replace")
                  for column in range(result.nfields)) for row in range(result.ntuples)]


def allowed(sql, expected, got):
    return any(re.search(pattern, sql, re.S) and re.search(theirs, str(expected)) and
               re.search(ours, str(got))
               for pattern, theirs, ours, _ in ALLOWED)


def same(reference, tested, sql):
    expected, got = ask(reference, sql), ask(tested, sql)
    return expected == got or allowed(sql, expected, got), expected, got


@pytest.fixture(scope="module")
def pair(postgres, binary):
    with Connbench(binary, "thread") as server, plain_connection(postgres) as reference, \
            plain_connection(server) as tested:
        for connection in (reference, tested):
            ask(connection, "set timezone = 'Europe/Berlin'")
        yield reference, tested


def report(different, total):
    lines = [f"{sql}\n    PostgreSQL: {expected}\n    connbench:  {got}"
             for sql, expected, got in sorted(different, key=lambda case: len(case[0]))[:20]]
    return f"{len(different)} of {total} differ; seed {seed()}\n" + "\n".join(lines)


@pytest.mark.generated
def test_random_expressions_have_postgresqls_type_and_value(pair):
    source = Expressions(random.Random(seed()))
    different = []
    total = cases(3000)
    for _ in range(total):
        expression = source.any(source.random.randrange(1, 4))
        fine, expected, got = same(*pair, f"select pg_typeof({expression}), {expression}")
        if not fine:
            different.append((expression, expected, got))
    assert not different, report(different, total)


@pytest.mark.generated
def test_random_patterns_and_pictures_mean_what_they_mean_in_postgresql(pair):
    source = Functions(random.Random(seed() + 3))
    different = []
    total = cases(3000)
    for _ in range(total):
        call = source.any()
        fine, expected, got = same(*pair, f"select {call}")
        if not fine:
            different.append((call, expected, got))
    assert not different, report(different, total)


# What a client sees of functions that return sets.
SETS = [
    "select * from regexp_matches('foobarbequebaz', 'ba.', 'g')",
    "select regexp_matches('foobarbequebaz', '(b)(a|e)', 'g')",
    "select regexp_matches('abc', 'x')",
    "select m[1], m[2], n from regexp_matches('k1=v1,k2=v2', '(\\w+)=(\\w+)', 'g') "
    "with ordinality as r(m, n)",
    "select v, m from (values ('a1'), ('b'), ('c22')) t(v) left join "
    "lateral regexp_matches(v, '\\d', 'g') m on true",
    "select pg_typeof(m) from regexp_matches('a', 'a') m",
    "select m from regexp_matches('b a', '\\w', 'g') m order by m",
    "select regexp_matches(v, '.') from (values ('b'), ('a')) t(v) order by v",
    "select * from regexp_split_to_table('the quick  brown', '\\s+')",
    "select regexp_split_to_table('abc', '')",
    "select * from string_to_table('a,b,,c', ',', '') with ordinality",
    "select generate_subscripts(array['a', 'b'], 1)",
    "select s from generate_subscripts(array[1, 2, 3], 1, true) s",
    "select * from generate_subscripts(array[1], 2)",
    "select * from generate_series(1, 2, 0.25)",
    "select * from generate_series(1.5, -1, -1)",
    "select * from generate_series(0.1, 3)",
    "select * from generate_series(1, 2, 0.0)",
    "select * from generate_series(1, 'nan'::numeric)",
    "select * from generate_series('-infinity'::numeric, 1)",
    "select * from generate_series(1, 2, 'infinity'::numeric)",
    "select a, b from generate_series(1, 2, 0.5) a, generate_series(a, a + 1, 0.5) b",
    "select sum(a), max(a) from generate_series(1.0, 1000.0) a",
    "select a from generate_series(1.0, 3.0) a where a > 1 order by a desc",
    "select format('%s', v) from (values (1), (2)) t(v)",
]


@pytest.mark.parametrize("sql", SETS)
def test_sets(pair, sql):
    fine, expected, got = same(*pair, sql)
    assert fine, f"PostgreSQL: {expected}, connbench: {got}"


@pytest.mark.generated
def test_stored_defaults_give_what_the_expression_gives(pair):
    source = Expressions(random.Random(seed() + 1))
    types = ["int", "bigint", "numeric", "numeric(9,3)", "float4", "float8", "text", "varchar(4)",
             "char(5)", "bpchar", "bool", "timestamp", "timestamptz", "name", '"char"', "interval",
             "interval(2)", "interval day to minute", "time", "time(1)"]
    different = []
    total = cases(300)
    for _ in range(total):
        kind = source.pick(types)
        expression = source.any(source.random.randrange(1, 4))
        for statement in (f"create table d (k int, c {kind} default ({expression}))",
                          "insert into d (k) values (1)",
                          "alter table d alter c set default (" + expression + ")",
                          "insert into d values (2, default)",
                          "select c from d order by k"):
            fine, expected, got = same(*pair, statement)
            if not fine:
                different.append((f"{kind} default {expression}: {statement[:20]}", expected, got))
                break
        for connection in pair:
            ask(connection, "drop table if exists d")
    assert not different, report(different, total)


@pytest.mark.generated
def test_groups_and_orders_by_literals_and_expressions(pair):
    rng = random.Random(seed() + 2)
    for connection in pair:
        ask(connection, "drop table if exists g")
        ask(connection, "create table g (a int, b bigint, c text, f float4)")
        ask(connection, "insert into g select i % 3, i % 2, 'x' || i % 2, i % 4 "
                        "from generate_series(1, 20) i")
    keys = ["a", "b", "c", "f", "1", "2", "a + 1", "b + 1", "a::bigint", "20::bigint", "'x'",
            "a + b", "lower(c)", "f * 2", "random() * 0", "true", "null", "20"]
    havings = ["count(*) = 20", "count(*) > 3", "sum(a) = 20", "max(c) = 'x1'",
               "count(*) = 20::bigint", "1 = 1", "a = 1", "20 = 20", "a + 1 = 2", "f = 1",
               "f > 0.5"]
    different = []
    total = cases(600)
    for _ in range(total):
        targets = [rng.choice(keys) for _ in range(rng.randrange(1, 3))]
        groups = [rng.choice(keys) for _ in range(rng.randrange(1, 3))]
        sql = (f"select {', '.join(targets)}, count(*) from g group by {', '.join(groups)}" +
               (f" having {rng.choice(havings)}" if rng.random() < 0.6 else "") +
               f" order by {', '.join(str(i + 1) for i in range(len(targets) + 1))}")
        fine, expected, got = same(*pair, sql)
        if not fine:
            different.append((sql, expected, got))
    assert not different, report(different, total)
