"""What types a statement's parameters get, or why there is none: Parse and Describe are answered as
PostgreSQL answers them, field by field."""
import pytest

import wire
import wire_comparison

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
    ("select $1", []), ("select count(distinct $1)", []), ("select $1::text is null", []),
    ("select coalesce($1, $2)", []), ("select $1 = $2", []), ("select $1 is true", []),
    ("select $1 is distinct from $2", []), ("select nullif($1, 1)", []), ("select min($1)", []),
    ("select a from w where a in ($1, $2)", []), ("select 1 limit $1", []),
    ("select a from w where z > $1 and t < $2 and n = $3 and f = $4", []),
    ("select string_agg($1, $2)", []), ("values ($1), (1)", []), ("select 1 order by $1", []),
    ("select $1 + $2", []), ("select $1 || 'a'", []), ("insert into w values ($1, $2)", []),
]


def answer(server, sql, types):
    with wire.Client(server, timeout_s=15) as client:
        client.start(user=server.user, database=server.database)
        client.send(wire.parse("s", sql, types), wire.describe("S", "s"), wire.SYNC)
        return [wire_comparison.describe(message) for message in client.until_ready()]


@pytest.fixture(scope="module")
def both(postgres, server):
    for one in (postgres, server):
        one.psql(TABLE, "-q")
    return postgres, server


@pytest.mark.parametrize("sql, types", UNDECIDED + DECIDED)
def test_parameters_get_the_types_that_postgresql_gives(both, sql, types):
    postgres, server = both
    assert answer(server, sql, types) == answer(postgres, sql, types)
