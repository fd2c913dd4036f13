"""Views against PostgreSQL: random ones over random tables, with definitions that change between;
single statements with all of their errors; psql's commands; recovery of a killed server's views."""
import random
import re
import signal

import psycopg
import pytest

from compared import ask
from crash_torture import durable
from generated import cases, seed
from random_joins import COLUMNS, FULL_JOIN_DIFFERS, Tables
from random_subqueries import Subqueries
from servers import Connbench

FIELD = psycopg.pq.DiagnosticField
ERROR_FIELDS = (FIELD.SQLSTATE, FIELD.MESSAGE_PRIMARY, FIELD.MESSAGE_DETAIL, FIELD.MESSAGE_HINT,
                FIELD.STATEMENT_POSITION)

SETUP = """
drop table if exists t, u, moved cascade;
create table t (a int primary key, b text, c numeric(6, 2));
create table u (x int, y varchar(5));
insert into t values (1, 'one', 1.5), (2, 'two', 2.5), (3, null, null);
insert into u values (1, 'p'), (3, 'q'), (4, 'r')
"""

STATEMENTS = {
    "using them": [
        "create view v as select * from t",
        "create view v2(p, q) as select v.a, u.y from v left join u on v.a = u.x",
        "select * from v2 order by 1", "select b, a + 1 from v where a > 1 order by a desc",
        "select p from v2 join v on p = a where b = 'one'",
        "select v.*, s.* from v, lateral (select count(*) from v2 where p < a) s order by a",
        "with w as (select * from v2) select * from w where p = 1",
        "select * from v union all select a, 'k', 3 from v order by 1, 2",
        "insert into u select a, 'z' from v where a = 2 returning *",
        "delete from u using v where x = a and b = 'two'",
        "update u set y = v.b from v where v.a = u.x",
        "select * from u order by 1",
        "create view lim as select a from t order by a desc limit 2", "select * from lim",
        "create view un as select a from t union select x from u", "select * from un order by 1",
        "create view cte as with q as (select a from t) select q.a, q2.a as b from q, q q2 "
        "where q.a = q2.a", "select * from cte order by 1",
        "create view vals as values (1, 'a'), (2, 'b')", "select * from vals order by 1",
        "create view ex as select a from t where exists (select * from u where x = a)",
        "select * from ex order by 1", "select nowhere from v", "select v.nowhere from v",
        "select t.a from v", "select a from v x(k)", "select k from v x(k) order by k",
    ],
    "making them": [
        "create view v as select * from t", "create view v as select 1",
        "create or replace view v as select 1", "create or replace view v as select a, b from t",
        "create or replace view v as select a, b as bb, c from t",
        "create or replace view v as select a, b, c::text from t",
        "create or replace view v as select a, b, c::numeric(7, 2) from t",
        "create or replace view v as select a, b, c, a * 2 as d from t",
        "create or replace view t as select 1", "select * from v order by 1",
        "create view w (a, b, c) as select 1", "create view w as select 1 as a, 2 as a",
        "create view w as select $1", "create view w as select * from nosuch",
        "create view w as select nosuch from t",
        "create view w as select 'x' as k, null as n, 1.5 as m, array[1] as r",
        "select * from w", "drop table v", "drop view t", "drop view nosuch",
        "drop view if exists nosuch", "drop view v, w",
    ],
    "what stands in the way": [
        "create view v as select * from t", "create view w as select a from v",
        "create view x as select u.y, t.a from u, t",
        "create view pk as select a, b from t group by a",
        "drop table t", "drop table t restrict", "drop table u, t", "drop view v",
        "alter table t drop constraint t_pkey", "alter table t drop constraint t_pkey cascade",
        "select * from pk", "drop view v cascade", "drop table u cascade", "drop table t cascade",
    ],
    "renaming": [
        "create view v as select *, a as d from t where b <> 'two'",
        "create view w as select * from v natural join (select 1 as a) s",
        "alter table t rename to moved", "alter table moved rename column a to z",
        "alter table moved rename b to a", "select * from v order by 1", "select * from w",
        "alter view v rename to vv", "alter view vv rename column d to dd",
        "alter table vv rename a to first", "select * from vv order by 1", "select * from w",
        "alter view moved rename to x", "alter view w rename to vv", "alter view vv rename b to c",
        "alter view vv rename nosuch to c", "alter view vv rename c to ctid",
        "alter view if exists nosuch rename to x", "alter table moved rename z to xmin",
        "drop table moved cascade",
    ],
    "not writing them": [
        "create view ag as select b, count(*) from t group by b",
        "create view v2 as select t.a from t, u", "create view lim as select a from t limit 1",
        "create view dis as select distinct a from t", "create view vals as values (1)",
        "create view expr as select a + 1 as n from t",
        "create view cte as with q as (select a from t) select * from q",
        "insert into ag values (1)", "update ag set b = 1", "delete from ag",
        "insert into v2 values (1)", "update lim set a = 1", "delete from dis",
        "delete from cte", "insert into vals values (1)", "insert into expr values (1)",
        "truncate ag", "create index on ag (b)", "vacuum ag", "analyze ag", "copy ag to stdout",
        "alter table ag add constraint k check (b > '')", "alter table ag drop constraint k",
        "alter table ag add column k int", "begin", "lock table ag", "lock ag in share mode nowait",
        "rollback",
    ],
    "tables from queries": [
        "create table m as select a, b || '!' as s, c * 2 from t", "select * from m order by 1",
        "create table n (k, v) as values (1, 'x') with no data", "select * from n",
        "select a into o from t where a = 2", "select * from o",
        "create table o as select 1", "create table if not exists o as select 1",
        "create table p (a, b) as select 1", "create table p as select 1 as a, 2 as a",
        "create table p as select 1 as ctid",
        "create table p as select null, 'x', 1.5::numeric(4, 1)",
        "select * from p", "select 1 union select 2 into z", "select (select 1 into z)",
        "select a into z from t union select 9 order by 1", "select * from z order by 1",
        "prepare q as select a from t where a > $1", "create table e as execute q(1)",
        "select * from e order by 1", "create table e2 as execute nosuch",
        "prepare q2 as insert into u values (1)", "create table e2 as execute q2",
        "create table e2 as select x from nosuch", "deallocate all",
        "explain (costs off) create table e2 as select 1", "select * from e2",
        "drop table m, n, o, p, z, e",
    ],
}


def answer(connection, sql):
    notices = []
    connection.notice_handler = lambda notice: notices.append(
        [notice.error_field(field) for field in ERROR_FIELDS])
    result = connection.exec_(sql.encode())
    connection.notice_handler = None
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        return [result.error_field(field) for field in ERROR_FIELDS], notices
    columns = [(result.fname(i), result.ftype(i), result.fmod(i)) for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)]
            for row in range(result.ntuples)]
    return result.command_status, columns, rows, notices


@pytest.mark.parametrize("area", STATEMENTS)
def test_both_answer_the_same(pair, area):
    for connection in pair:
        assert connection.exec_(SETUP.encode()).error_message == b""
    for sql in STATEMENTS[area]:
        expected, got = (answer(connection, sql) for connection in pair)
        assert got == expected, sql
    for connection in pair:
        drop_all_views(connection)


def views_of(connection):
    """Those in the schema public, the newest last."""
    result = connection.exec_(b"select relname from pg_class where relkind = 'v' and "
                              b"relnamespace = 2200 order by oid")
    return [result.get_value(row, 0).decode() for row in range(result.ntuples)]


def drop_all_views(connection):
    for view in views_of(connection):
        connection.exec_(f'drop view if exists "{view}" cascade'.encode())


def both_say(pair, sql, allowed=()):
    expected, got = (ask(connection, sql) for connection in pair)
    same = expected == got or any(
        re.search(pattern, sql) and re.search(theirs, str(expected)) and re.search(ours, str(got))
        for pattern, theirs, ours, _ in allowed)
    assert same, f"{sql}\n    PostgreSQL: {expected}\n    connbench:  {got}\n    seed {seed()}"
    return expected, got


@pytest.mark.generated
def test_random_views_answer_as_postgresql(pair):
    """Their answers stay the same when what they read is renamed, and their texts have the same
    meaning."""
    source = random.Random(f"{seed()} views")
    made = 0
    for _ in range(cases(4)):
        tables = Tables(source)
        for statement in tables.statements:
            both_say(pair, statement)
        base = list(tables.names)
        views = []
        for number in range(14):
            queries = Subqueries(source, tables)
            name = f"view{number}"
            if number % 2 == 0:
                queries.aliases, queries.outer, queries.with_names = [], [], []
                queries.parameters, queries.depth, queries.relations = [], 1, 0
                definition = f"{name} ({', '.join(COLUMNS)}) as {queries._all_columns()}"
            else:
                query, parameters = queries.query()
                if parameters:
                    continue
                definition = f"{name} as {query}"
            expected, got = both_say(pair, f"create view {definition}", [FULL_JOIN_DIFFERS])
            if isinstance(expected, str):
                continue
            if isinstance(got, str):
                ask(pair[0], f"drop view {name}")
                continue
            views.append(name)
            if number % 2 == 0:
                tables.names.append(name)
        made += len(views)
        for view in views:
            both_say(pair, f"select * from {view}", [FULL_JOIN_DIFFERS])
        renamed = source.sample(base, 2)
        for table in renamed:
            both_say(pair, f"alter table {table} rename to new_{table}")
            for column in source.sample(list(COLUMNS), 2):
                both_say(pair, f"alter table new_{table} rename {column} to {column}_2")
        both_say(pair, f"create table {renamed[0]} (other int)")
        for view in views:
            _, answered = both_say(pair, f"select * from {view}", [FULL_JOIN_DIFFERS])
            text = pair[1].exec_(f"select pg_get_viewdef('{view}')".encode()).get_value(0, 0)
            read_back = ask(pair[1], text.decode())
            assert read_back[1] == answered[1], text
        both_say(pair, f"drop table new_{renamed[1]}")
        both_say(pair, f"drop table new_{renamed[1]} cascade")
        assert views_of(pair[0]) == views_of(pair[1])
        for view in views:
            both_say(pair, f"select * from {view}", [FULL_JOIN_DIFFERS])
        for connection in pair:
            drop_all_views(connection)
            left = [table for table in base if table not in renamed]
            ask(connection, f"drop table {renamed[0]}, new_{renamed[0]}, {', '.join(left)}")
    assert made > 5 * cases(4), "most views must be right, or little is compared"


PSQL_COMMANDS = [r"\dv", r"\d v", r"\d w", r"\d t", r"\dp v"]


def test_psql_shows_them(postgres, binary):
    script = "create table t (a int primary key, b varchar(3)); " \
             "create view v as select a, b as bb, a + 1.5 as n from t; create view w as values (1)"
    with Connbench(binary, "thread") as server:
        answers = []
        for each in (postgres, server):
            each.run("psql", "-X", "-U", "postgres", "-c", "drop table if exists t cascade",
                     "-c", "drop view if exists v, w", "-c", script)
            answers.append([each.run("psql", "-X", "-U", "postgres", "-c", command).stdout
                            for command in PSQL_COMMANDS])
            for command in (r"\d+ v", r"\sv v", "select * from pg_views where viewname = 'v'"):
                assert "from t" in each.run("psql", "-X", "-U", "postgres", "-c",
                                            command).stdout.lower()
            with each.connect(user="postgres") as connection:
                answers[-1].append(connection.execute(
                    "select refobjid::regclass::text, refobjsubid, deptype from pg_depend d "
                    "join pg_rewrite r on r.oid = d.objid and d.classid = 2618 "
                    "where ev_class = 'v'::regclass order by 1, 2, 3").fetchall())
                connection.execute("drop table t cascade; drop view w")
        assert answers[0] == answers[1]


def test_they_survive_a_killed_server(binary, model, tmp_path):
    folder = tmp_path / "data"
    server = durable(binary, model, folder).start()
    with server.connect(user="postgres", autocommit=True) as connection:
        connection.execute("create table t (a int); insert into t values (1), (2)")
        connection.execute("create view v as select a * 10 as b from t")
        connection.execute("create view gone as select 1; create view w as select * from v")
        connection.execute("create or replace view v as select a * 100 as b from t")
        connection.execute("alter table t rename to moved; drop view gone")
        connection.execute("create table copied as select * from w")
    other = server.connect(user="postgres")
    other.execute("begin; create view unfinished as select 2")
    server.send_signal(signal.SIGKILL)
    server.kill_everything()
    other.close()
    assert server.run(binary, "verify", "--data", folder, check=False).returncode == 0
    with durable(binary, model, folder) as server:
        assert server.query("select * from w order by 1", user="postgres") == [(100,), (200,)]
        assert server.query("select * from copied order by 1",
                            user="postgres") == [(100,), (200,)]
        assert server.query("select relname from pg_class where relkind = 'v' and relnamespace = "
                            "2200 order by 1", user="postgres") == [("v",), ("w",)]
