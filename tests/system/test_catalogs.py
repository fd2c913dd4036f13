"""The system catalogs: psql's commands answer as with PostgreSQL for the same schema."""
import os
import re
import socket

import psycopg
import pytest

from servers import Connbench

SCHEMA = """
create table accounts (aid int not null, bid int, abalance int, filler char(84),
                       primary key (aid)) with (fillfactor = 100);
create table "Mixed Case" (id serial, "Select" varchar(20) default 'it''s' not null,
                           price numeric(8,2) default 1.5, unique (id, price));
create table history (tid bigint generated always as identity, at timestamptz default now(),
                      ok bool default true, note text, ratio double precision default 0.5,
                      small smallint default -1, c char(3) default '');
create index history_at on history (at, tid);
create unique index history_note on history (note);
create sequence counter as int increment 2 minvalue 1 maxvalue 100 cycle;
create role reader login;
grant select, insert on accounts to reader;
grant select on history to public;
grant usage on sequence counter to reader;
create table child (id int primary key, aid int references accounts (aid) on delete cascade,
  "x y" text, foreign key (id) references child on update set null on delete set default (id)
  deferrable initially deferred, constraint later foreign key (aid) references accounts match full);
alter table child add constraint unchecked foreign key (id) references accounts not valid;
"""

# psql's commands whose answers are the same.
COMMANDS = [
    r"\d", r"\dt", r"\dt a*", r"\dt *Case*", r"\dt public.*", r"\dt nope", r"\di", r"\di history*",
    r"\ds", r"\dv", r"\dm", r"\dE", r"\dt pg_catalog.pg_class", r"\dn nope", r"\dtis",
    r"\dx nope", r"\d history", r"\d+ history", r'\d "Mixed Case"', r'\d+ "Mixed Case"',
    r"\d counter", r"\d+ counter", r"\d history_at", r"\d+ accounts_pkey", r"\d history_tid_seq",
    r"\dp", r"\z accounts", r"\dT", r"\dT nope", r"\ddp", r"\drds", r"\d accounts", r"\d child",
    r"\d+ child",
]

# Queries of people and of programs.
QUERIES = [
    "select relname, relkind, case relkind when 'S' then 0 else relnatts end, relhasindex,"
    " relpersistence, relreplident, relacl from pg_class where relnamespace = 2200 order by 1",
    "select attname, format_type(atttypid, atttypmod), attnum, attlen, attbyval, attalign,"
    " attstorage, attnotnull, atthasdef, attidentity, attcollation from pg_attribute"
    " join pg_class on pg_class.oid = attrelid where relname in ('accounts', 'history',"
    " 'Mixed Case', 'history_at') and attnum > 0 order by relname, attnum",
    "select relname, pg_get_expr(adbin, adrelid, true), pg_get_expr(adbin, adrelid)"
    " from pg_attrdef join pg_class on pg_class.oid = adrelid order by relname, adnum",
    "select c.relname, indkey, indnatts, indnkeyatts, indisunique, indisprimary, indcollation,"
    " pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 0, true),"
    " pg_get_indexdef(indexrelid, 1, false)"
    " from pg_index join pg_class c on c.oid = indexrelid where indrelid >= 16384"
    " and c.relname !~ '^pg_toast' order by 1",
    "select conname, contype, conkey, confkey, conrelid::regclass, conindid::regclass,"
    " confrelid::regclass, condeferrable, condeferred, convalidated, confupdtype, confdeltype,"
    " confmatchtype, confdelsetcols, pg_get_constraintdef(oid) from pg_constraint"
    " where conrelid >= 16384 order by 1",
    "select * from pg_tables where schemaname = 'public' order by 2",
    "select * from pg_indexes where schemaname = 'public' order by 3",
    "select * from pg_sequences order by 2",
    "select seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin,"
    " seqcache, seqcycle from pg_sequence order by 1::text",
    "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
    " rolconnlimit, rolpassword from pg_roles where rolname in ('postgres', 'reader') order by 1",
    "select typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign,"
    " typstorage, typcollation from pg_type where typname in ('bool', 'char', 'name', 'int8',"
    " 'int2', 'int4', 'text', 'oid', 'float4', 'float8', 'unknown', 'bpchar', 'varchar',"
    " 'timestamp', 'timestamptz', 'numeric', 'regclass', 'regtype', '_text', 'xid', 'void',"
    " 'int2vector', 'oidvector', 'pg_node_tree', 'inet', '_char', '_name', '_int2', '_oid',"
    " '_aclitem', 'anyarray', 'bytea', 'regproc', 'any', 'aclitem', '_bool', '_int4', '_int8',"
    " '_float4', '_float8', '_bpchar', '_varchar', '_timestamp', '_timestamptz', '_numeric',"
    " '_regclass', '_regtype', 'date', 'uuid', '_bytea', '_date', '_uuid', 'time',"
    " '_time', 'interval', '_interval', 'json', '_json') order by 1",
    "select indkey[0], indkey[1], indkey::int2[], array_upper(indkey, 1), 1 = any(indkey),"
    " array(select unnest(indkey)) from pg_index join pg_class c on c.oid = indrelid"
    " where relname in ('accounts', 'history') order by 3, 1, 2",
    "select unnest(relacl) from pg_class where relname = 'accounts'",
    "select conname, attname from pg_constraint join pg_attribute on attrelid = conrelid"
    " and attnum = any(conkey) join pg_class c on c.oid = conrelid"
    " where c.relname in ('accounts', 'Mixed Case') and conname !~ 'not_null' order by 1, 2",
    "select current_schemas(true), array_agg(nspname) from pg_namespace where nspname = 'public'",
    "select count(*) from pg_class where relname = 'nope'",
    "select count(*), state from pg_stat_activity where pid = pg_backend_pid() group by 2",
    "select datname, numbackends > 0 from pg_stat_database where datname = current_database()",
    "select setting, unit, vartype from pg_settings where name in ('work_mem', 'statement_timeout',"
    " 'enable_seqscan') order by name",
    "select 'accounts'::regclass, '\"Mixed Case\"'::regclass, to_regclass('nope')",
    "select pg_size_pretty(1024::bigint), pg_size_pretty(123456789::bigint)",
    "select indrelid::regclass, refobjsubid from pg_index, pg_depend where false",
    "select 'abc' ~ 'b', 'abc' !~ 'b', 'ABC' ~* 'b', 'ABC' !~* '^b', null ~ 'a'",
    "select 'abc' operator(pg_catalog.~) '^(abc)$' collate pg_catalog.default",
    "select nspname from pg_namespace where nspname in ('public', 'pg_catalog') order by 1",
    "select amname, amtype from pg_am where amname in ('heap', 'btree') order by 1",
]

ERRORS = [
    "truncate pg_class",
    "drop table pg_class",
    "create table pg_catalog.made (a int)",
    "select 'a' ~ '('",
    "select 'a' ~ 'a{2,1}'",
    "select nope from pg_class",
]


@pytest.fixture(scope="module")
def pair(postgres, binary):
    with Connbench(binary, "thread") as server:
        for each in (postgres, server):
            with each.connect(user="postgres") as connection:
                connection.execute(SCHEMA)
        yield postgres, server


def both(pair, *options):
    results = [each.run("psql", "-X", "-U", "postgres", *options, check=False) for each in pair]
    return [result.stdout + result.stderr for result in results]


@pytest.mark.parametrize("command", COMMANDS)
def test_psql_command(pair, command):
    expected, got = both(pair, "-c", command)
    assert got == expected


@pytest.mark.parametrize("command", [r"\du reader", r"\du+ postgres", r"\dg r*"])
def test_roles(pair, command):
    """There is no replication, so nobody may replicate."""
    expected, got = both(pair, "-A", "-c", command)
    assert got == expected.replace("Replication, ", "")


@pytest.mark.parametrize("query", QUERIES)
def test_query(pair, query):
    expected, got = both(pair, "-A", "-c", query)
    assert got == expected


@pytest.mark.parametrize("statement", ERRORS)
def test_error(pair, statement):
    answers = []
    for each in pair:
        with each.connect(user="postgres") as connection:
            with pytest.raises(psycopg.Error) as raised:
                connection.execute(statement)
            answers.append((raised.value.sqlstate, raised.value.diag.message_primary))
    assert answers[0] == answers[1]


def test_relations_have_postgresqls_columns(pair):
    """Every relation of pg_catalog: the same columns, by name, type and place."""
    query = ("select relname, relkind, attname, atttypid, attnum from pg_class"
             " join pg_attribute on attrelid = pg_class.oid"
             " where relnamespace = 11 and relkind in ('r', 'v') and attnum > 0")
    expected, got = (set(each.query(query, user="postgres")) for each in pair)
    ours = {row for row in got if not row[0].startswith("connbench_")}
    names = {row[0] for row in ours}
    theirs = {row for row in expected if row[0] in names}
    assert ours - theirs == set()
    assert theirs - ours == set()


def test_tables_have_postgresqls_oids(pair):
    query = "select relname, oid from pg_class where relnamespace = 11 and relkind = 'r'"
    expected, got = (dict(each.query(query, user="postgres")) for each in pair)
    assert {name: oid for name, oid in expected.items() if name in got} == got


def test_a_guest_reads_the_catalogs(pair):
    _, server = pair
    out = server.run("psql", "-X", "-A", "-t", "-c", r"\dt").stdout
    assert re.search(r"public\|accounts\|table\|postgres", out)
    assert server.run("psql", "-X", "-A", "-t", "-c", r"\l").stdout.startswith("shop|postgres|UTF8")


@pytest.mark.parametrize("view", ["pg_stat_activity", "pg_stat_bgwriter", "pg_stat_database",
                                  "pg_stat_wal"])
def test_a_statistics_view_has_the_columns_of_postgresqls(pair, view):
    def columns(server):
        with server.connect() as connection:
            return [(column.name, column.type_code)
                    for column in connection.execute(f"select * from {view}").description]

    postgres, server = pair
    assert columns(server) == columns(postgres)


def test_a_session_shows_its_client_and_what_it_runs(server):
    with server.connect() as one, server.connect() as two:
        two.execute("begin")
        two.execute("select 'what it ran'")
        row = one.execute(
            "select query, xact_start <= query_start, query_start <= state_change,"
            " state_change <= now(), client_addr, client_port from pg_stat_activity"
            " where pid = %s", [two.info.backend_pid]).fetchone()
        sock = socket.socket(fileno=os.dup(two.fileno()))
        host, port = sock.getsockname()
        sock.close()
        assert row[:4] == ("select 'what it ran'", True, True, True)
        assert tuple(map(str, row[4:])) in {(host, str(port)), ("None", "-1")}
        if server.model not in ("pool-tx", "pool-tx-thread"):
            assert str(row[4]) == host


def test_sessions_are_seen_in_every_model(server):
    with server.connect() as one, server.connect() as two:
        two.execute("begin")
        rows = one.execute("select state, backend_start <= now(), backend_type from"
                           " pg_stat_activity where pid = %s", [two.info.backend_pid]).fetchall()
        assert rows == [("idle in transaction", True, "client backend")]
