"""Statements that the random tests do not make, one by one: PostgreSQL and connbench answer the
same, errors with their messages, positions and the names that they are about."""
import psycopg
import pytest

FIELD = psycopg.pq.DiagnosticField
ERROR_FIELDS = (FIELD.SQLSTATE, FIELD.MESSAGE_PRIMARY, FIELD.STATEMENT_POSITION, FIELD.SCHEMA_NAME,
                FIELD.TABLE_NAME, FIELD.COLUMN_NAME, FIELD.CONSTRAINT_NAME)
INT_ARRAY, BIGINT_ARRAY, NAME_ARRAY = 1007, 1016, 1003

SETUP = """
drop table if exists s, w, excluded;
create table s (k int primary key, v varchar(7), n numeric(6, 2), c char(3));
insert into s values (1, 'a', 1.5, 'x'), (2, 'b', 2, 'y'), (3, 'b', null, 'y');
create table excluded (k int primary key, v int);
insert into excluded values (1, 1)
"""

STATEMENTS = {
    "bounds of arrays": [
        "select '[2147483646:2147483646]={1}'::int[]",
        "select '[2147483646:2147483647]={1,2}'::int[]",
        "select '[-2147483648:-2147483647]={1,2}'::int[]",
        "select '[+1:2]={1,2}'::int[]",
        "select '[2147483646:2147483646]={1}'::int[] || 3",
        "select '[2147483646:2147483646]={1}'::int[] || '{3}'::int[]",
        "select array_append('[2147483646:2147483646]={1}'::int[], 3)",
        "select 3 || '[-2147483648:-2147483648]={1}'::int[]",
        "select array_prepend(3, '[-2147483647:-2147483647]={1}'::int[])",
    ],
    # What is malformed is so whatever its elements are.
    "texts of arrays": [
        r"select '{a\}'::text[]", r"select '{a\\}'::text[]", r"select '{\}}'::text[]",
        "select '{40000,x'::int2[]", "select '{x,1}}'::int[]", "select '{x}'::int[]",
        "select '[1:3]={x,1}'::int[]", "select '{a}b}'::text[]", "select '{} '::text[]",
        "select '{}}'::text[]", "select '{ }{}'::text[]",
        r"""select '{"a\"","\\",b\ ,"{,}"}'::text[]""",
    ],
    "types of arrays": [
        "select array[v, v], array[n], array[n, 1], array[c], array[c, null] from s where k = 1",
        "select (array[n])[1], array(select v from s where k = 1), coalesce(array[v]) from s",
        "select min(array[v, c]), max(array[n, k]), max(array[k]) filter (where k < 3) from s",
        "select max('{1}'), min(null) from s",
        "select c, max(array[k]) from s group by c order by max(array[k])",
    ],
    "sets that are made of distinct rows": [
        "select distinct on (v) unnest(array[k, -k]) from s order by v, k desc",
        "select distinct on (v) v, unnest(array[k, -k]) from s order by v desc, k limit 3",
        "select distinct on (v) unnest(array[k, -k]) from s order by v, 1",
        "select distinct unnest(array[k, 2]) from s order by 1",
    ],
    "functions in FROM": [
        "select * from generate_series(1, 3 order by 1)",
        "select * from generate_series(distinct 1, 3)",
        "select * from unnest(distinct array[1] order by 1)",
        "select * from unnest(array[1]) filter (where true)",
        "select * from unnest(array[1]) over ()",
    ],
    "ON CONFLICT": [
        "insert into excluded values (1, 1) on conflict (k) do update set v = excluded.v + 1",
        "insert into excluded values (1, 1) on conflict (k) do update set v = public.excluded.v",
        "insert into excluded values (1, 1) on conflict (k) do update set v = 5 where v = 1",
        "insert into excluded as e values (1, 1) on conflict (k) "
        "do update set v = excluded.v + e.v returning *",
        "insert into s as excluded values (1) on conflict (k) do update set v = excluded.v",
        "insert into s as excluded values (1) on conflict (k) do update set v = 'z' "
        "returning excluded.v",
        "insert into s values (1) on conflict (k) where k do nothing",
        "insert into s values (1) on conflict (k) where nowhere do nothing",
    ],
    "constraints": [
        "insert into s values (1)",
        "insert into s values (null)",
        "create table w (a int, constraint w_twice check (a > 0), "
        "constraint w_twice unique (a))",
        "create table w (a int, check (a > 0) deferrable)",
        "create table w (a int constraint positive check (a > 0), b int not null, unique (a))",
        "insert into w values (-1, 1)",
        "insert into w values (1, null)",
        "insert into w values (1, 1)",
        "insert into w values (1, 2)",
        "update w set a = -a",
        "alter table w add constraint positive unique (b)",
        "alter table w add check (a > 1)",
        "alter table w add check (nowhere > 1)",
        "alter table w add check (a)",
        "alter table w add check (sum(a) > 1)",
        "insert into w values (2, 1)",
        "alter table w add constraint w_a_key unique (b)",
        "alter table w add constraint w_a_key check (b > 0)",
        "alter table w add constraint one unique (b)",
        "drop table w",
    ],
    "cursors": [
        "declare c scroll no scroll cursor for select 1",
        "declare c insensitive asensitive cursor for select 1",
        "begin",
        "declare c insensitive cursor for select 1",
        "declare d insensitive cursor for select k from s for update",
        "rollback",
    ],
    "limits": [
        "select k from s limit -1 offset -1", "select k from s limit -1",
        "select k from s limit 'x' offset -1", "select k from s limit (select 1 / 0) offset -1",
    ],
    "names": [
        "select quote_ident(w) from unnest(array['select', 'name', 'user', 'a b', 'int', 'left', "
        "'zone', 'between', 'type', '', 'A', '1a', 'all', 'xmltable', 'value', 'none']) w",
    ],
}


def answer(connection, sql, result_format=0):
    result = connection.exec_params(sql.encode(), [], result_format=result_format)
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        return [result.error_field(field) for field in ERROR_FIELDS]
    columns = [(result.fname(i), result.ftype(i), result.fmod(i)) for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)]
            for row in range(result.ntuples)]
    return result.command_status, columns, rows


@pytest.mark.parametrize("area", STATEMENTS)
def test_both_answer_the_same(pair, area):
    for connection in pair:
        assert connection.exec_(SETUP.encode()).error_message == b""
    for sql in STATEMENTS[area]:
        for result_format in (0, 1) if sql.startswith("select") else (0,):
            expected, got = (answer(connection, sql, result_format) for connection in pair)
            assert got == expected, sql


def words(*numbers):
    return b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)


@pytest.mark.parametrize("kind, message", [
    (INT_ARRAY, words(1, 0, 23, 1, 2147483647, 4, 7)),  # its bounds end behind the last int
    (INT_ARRAY, words(1, 0, 23, 1, 2147483646, 4, 7)),
    (INT_ARRAY, words(1, 0, 23, 134217728, 1)),  # too many elements
    (INT_ARRAY, words(1, 0, 23, -1, 1)),
    (INT_ARRAY, words(1, 0, 23, 1, 1, 5, 7)),  # the element is longer than what is there
    (INT_ARRAY, words(1, 0, 23, 1, 1)),  # there is none
    (INT_ARRAY, words(1, 0, 20000, 1, 1, 4, 7)),  # the type is made by nobody here
    (INT_ARRAY, words(1, 0, 20, 1, 1, 4, 7)),
    (BIGINT_ARRAY, words(0, 0, 99999)),
    (NAME_ARRAY, words(1, 1, 19, 2, 5, -1) + words(1) + b"a"),
])
def test_both_take_or_refuse_an_array_in_binary(pair, kind, message):
    name = {INT_ARRAY: "int", BIGINT_ARRAY: "bigint", NAME_ARRAY: "name"}[kind]
    expected, got = (
        connection.exec_params(f"select $1::{name}[]".encode(), [message], [kind], [1], 1)
        for connection in pair)
    for field in (FIELD.SQLSTATE, FIELD.MESSAGE_PRIMARY):
        assert got.error_field(field) == expected.error_field(field)
    if expected.status == psycopg.pq.ExecStatus.TUPLES_OK:
        assert got.get_value(0, 0) == expected.get_value(0, 0)


def test_explain_analyze_counts_what_on_conflict_did(pair):
    """Costs and times differ; what hangs on INSERT does not."""
    for connection in pair:
        connection.exec_(SETUP.encode())
    explain = "explain (analyze, costs off, timing off, summary off) insert into s "
    for statement in ("values (1), (8), (9) on conflict do nothing",
                      "select k + 1 from s where k < 8 on conflict (k) do update set v = 'w' "
                      "where s.k > 2"):
        expected, got = (
            [row[0] for row in answer(connection, explain + statement)[2]
             if row[0][:2] == b"  " and row[0][2:3] not in b" -"] for connection in pair)
        assert got == expected, statement
        assert any(line.startswith(b"  Conflicting Tuples: ") for line in got)


def test_texts_that_arrays_become_are_no_longer_than_a_value(server):
    with server.connect() as connection:
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            connection.execute("select array_to_string('{1,2,3}'::int[], repeat('x', 600000000))")
        assert connection.execute("select 1").fetchone() == (1,)
