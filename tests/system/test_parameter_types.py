"""What types a statement's parameters get, or why there is none: Parse and Describe are answered as
PostgreSQL answers them, field by field."""
import contextlib

import pytest

import wire
import wire_comparison
from servers import Connbench

TABLE = ("drop table if exists w; create table w (a int primary key, b text, n numeric, "
         "t timestamp, z timestamptz, f float8)")

BOOL, INT4, UNKNOWN = 16, 23, 705

# Nothing in these says what $1 is, or not in time.
UNDECIDED = [
    ("select $1 is null", []), ("select $1 is not null", []), ("select count($1)", []),
    ("select concat($1)", []), ("select concat($1, 'a')", []), ("select concat($1, $2)", []),
    ("select concat_ws(',', $1)", []), ("select concat_ws($1, 'a')", []),
    ("select $1 is distinct from null", []), ("select null is not distinct from $1", []),
    ("select $1 is null, $1::int", []), ("select $1::int, $1 is null", []),
    ("select $1 is null or $1 = 3", []), ("select $1 = 3 or $1 is null", []),
    ("select concat($1), $1::text", []), ("select count($1), sum($1::int)", []),
    ("select a from w where $1 is null or a = $1", []),
    ("select a from w where a = $1 or $1 is null", []),
    ("select a from w where $2 is null and b = $1", []),
    ("insert into w (a, b) select $1, $2 where $3 is null", []),
    ("update w set b = $1 where $2 is null", []), ("delete from w where $1 is null", []),
    ("update w set b = $1 where $1 is null", []), ("explain select $1 is null", []),
    ("select case when $1 is null then $2 end", []), ("select $2", []),
    ("select $1 is null", [INT4]), ("select $1 is null", [UNKNOWN]), ("select $1", [UNKNOWN]),
    ("select $1 is null, $2 is null", [INT4]), ("select $1 is null, $2 is null", [0, INT4]),
    ("begin", [0]), ("select 1", [0, INT4]),
]
# The place decides.
DECIDED = [
    ("select to_timestamp('a', 'b')", []), ("select substring(b, $1) from w", []),
    ("select substring(b from 'x') from w", []),
    ("select substring('a' similar 'b' escape '#')", []),
    ("select $1", []), ("select count(distinct $1)", []), ("select $1::text is null", []),
    ("select coalesce($1, $2)", []), ("select $1 = $2", []), ("select $1 is true", []),
    ("select $1 is distinct from $2", []), ("select nullif($1, 1)", []), ("select min($1)", []),
    ("select a from w where a in ($1, $2)", []), ("select 1 limit $1", []),
    ("select a from w where z > $1 and t < $2 and n = $3 and f = $4", []),
    ("select string_agg($1, $2)", []), ("values ($1), (1)", []), ("select 1 order by $1", []),
    ("select $1 + $2", []), ("select $1 || 'a'", []), ("insert into w values ($1, $2)", []),
] + [
    # Too many meanings, also of types that connbench lacks.
    ("select sum($1)", []), ("select avg('1')", []), ("select date_trunc('day', $1)", []),
    ("select date_part($1, $2)", []), ("select isfinite('infinity')", []),
    ("select trunc($1)", []), ("select - $1", []), ("select + $1", []),
    ("select date_trunc('day'::text, $1)", []), ("select * from generate_series($1, $2)", []),
    # Intervals and times.
    ("select now() + $1", []), ("select now() - $1", []), ("select z + '1 day' from w", []),
    ("select t - $1 from w", []), ("select $1 + now()", []), ("select null - t from w", []),
    ("select z - t from w", []), ("select t - t from w", []), ("select sum(t - t) from w", []),
    ("select $1 + interval '1 day'", []), ("select $1 - interval '1 day'", []),
    ("select interval '1 day' * $1", []), ("select interval '1 day' / $1", []),
    ("select $1 * interval '1 day'", []), ("select time '12:00' + $1", []),
    ("select $1 - time '12:00'", []), ("select current_date + $1", []),
    ("select current_date - $1", []), ("select age($1)", []), ("select age($1, $2)", []),
    ("select age($1, now())", []), ("select justify_days($1)", []),
    ("select date_trunc('day', $1::interval)", []), ("select $1::interval(3)", []),
    ("select extract(hour from $1::time)", []), ("select extract(hour from $1)", []),
    ("select - $1::interval", []), ("select avg($1::interval)", []),
    ("select now() at time zone $1", []), ("select make_interval($1, days => $2)", []),
    ("select make_interval(nope => 1)", []), ("select make_interval(days => 1, days => 2)", []),
    ("select make_interval(days => 1, 2)", []), ("select make_interval(1, years => 2)", []),
    ("select make_interval(days => 1.5)", []), ("select interval '1 day' + 1", []),
    ("select interval '1 day' * interval '1 day'", []), ("select time '1:00' * 2", []),
    ("select time '1:00' + time '1:00'", []), ("select 1 - interval '1 day'", []),
    ("select * from generate_series($1, now(), $2)", []),
    ("select * from generate_series($1, $2, interval '1 day')", []),
    ("select * from generate_series(current_date, $1, '1 day')", []),
    ("select * from generate_series('a'::text, 'b')", []),
    ("select * from generate_series(now(), now())", []),
    # json.
    ("select $1::json", []), ("select $1::json -> $2", []), ("select $1 -> 'a'", []),
    ("select $1::json #> $2", []), ("select json_build_array($1)", []),
    ("select json_build_array($1, 'a')", []), ("select to_json($1)", []),
    ("select to_json('a')", []),
    ("select json_agg($1)", []), ("select $1::json = '1'", []), ("select json_typeof($1)", []),
    # None.
    ("select now() + 1", []), ("select t + t from w", []), ("select now() * $1", []),
    ("select now() + b from w", []), ("select date_trunc('day', now(), 5)", []),
    ("select count()", []), ("select date_trunc(5, now())", []),
    ("select date_trunc('day', t, $1) from w", []), ("select date_trunc($1, $2, $3)", []),
]
# PostgreSQL has these; connbench lacks them, and says so.
LACKING = [
    "select pg_terminate_backend(1, 2)", "select length($1, $2)",
    "select extract(hour from $1::timetz)",
]


def answer(client, sql, types):
    client.send(wire.close("S", "s"), wire.parse("s", sql, types), wire.describe("S", "s"),
                wire.SYNC)
    (first, _), *answers = [wire_comparison.describe(one) for one in client.until_ready()]
    assert first == "3"
    return answers


@pytest.fixture(scope="module")
def both(binary, postgres):
    """A client of PostgreSQL and one of connbench; all models have the same parse analysis."""
    with Connbench(binary, "thread") as ours, contextlib.ExitStack() as stack:
        clients = []
        for server in (postgres, ours):
            client = stack.enter_context(wire.Client(server, timeout_s=15))
            client.start(user=server.user, database=server.database)
            client.send(wire.query(TABLE))
            assert not [kind for kind, _ in client.until_ready() if kind == "E"]
            clients.append(client)
        yield clients


@pytest.mark.parametrize("sql, types", UNDECIDED + DECIDED)
def test_parameters_get_the_types_that_postgresql_gives(both, sql, types):
    reference, ours = both
    assert answer(ours, sql, types) == answer(reference, sql, types)


@pytest.mark.parametrize("sql", LACKING)
def test_what_is_lacking_is_not_called_nonexistent(both, sql):
    reference, ours = both
    assert [kind for kind, _ in answer(reference, sql, [])] == ["1", "t", "T", "Z"]
    (kind, fields), (last, _) = answer(ours, sql, [])
    assert (kind, last) == ("E", "Z")
    assert dict(fields)["C"] == "0A000" and int(dict(fields)["P"]) > 0


@pytest.mark.parametrize("unit", ["hour", "day", "week", "month", "century"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "-03:30", "EST"])
def test_date_trunc_in_a_zone(both, unit, zone):
    times = ["2024-03-31 01:30:00+00", "2023-12-31 23:45:12+00", "infinity", "0099-01-01 00:00+00"]
    sql = ", ".join(f"date_trunc('{unit}', '{time}'::timestamptz, '{zone}')" for time in times)
    rows = []
    for client in both:
        client.send(wire.query(f"set timezone = 'Asia/Tokyo'; select {sql}"))
        rows.append([body for kind, body in client.until_ready() if kind in "DE"])
    assert rows[0] == rows[1]
