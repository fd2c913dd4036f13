"""ALTER TABLE against PostgreSQL: the same answers, notices and errors with all that they say, and
the same tables, rows and catalogs afterwards; other sessions meanwhile; a server that is killed."""
import random
import threading

import psycopg
import pytest

import crash_torture
from compared import ask
from crash_torture import durable
from generated import cases, seed
from random_alters import Alters
from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

FIELD = psycopg.pq.DiagnosticField
FIELDS = (FIELD.SQLSTATE, FIELD.MESSAGE_PRIMARY, FIELD.MESSAGE_DETAIL, FIELD.MESSAGE_HINT,
          FIELD.STATEMENT_POSITION, FIELD.TABLE_NAME, FIELD.COLUMN_NAME, FIELD.CONSTRAINT_NAME)

CATALOGS = (
    "select c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "a.atthasdef, a.attidentity, a.attisdropped from pg_attribute a join pg_class c on "
    "c.oid = a.attrelid where c.relname in ('m', 'n') and a.attnum > 0 order by 1, 3",
    "select conname, contype, pg_get_constraintdef(oid), convalidated from pg_constraint "
    "where contype <> 'c' and conrelid in (select oid from pg_class where relname in ('m', 'n')) "
    "order by 1, 3",
    "select conname, conkey from pg_constraint "
    "where contype = 'c' and conrelid in (select oid from pg_class where relname in ('m', 'n')) "
    "order by 1, 2",
    "select indexname, indexdef from pg_indexes where tablename in ('m', 'n') order by 1",
    "select relname, relkind, relnatts from pg_class where relkind in ('r', 'v', 'i') "
    "and relname ~ '^[mnw]([0-9_]|$)' order by 1",
)


class Client:
    """A connection, and the notices of its last statement."""

    def __init__(self, connection):
        self.connection = connection.pgconn
        self.notices = []
        self.connection.notice_handler = lambda notice: self.notices.append(
            [notice.error_field(field) for field in FIELDS])

    def answer(self, sql):
        self.notices = []
        result = self.connection.exec_(sql.encode())
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            # Where PostgreSQL has lost the statement's text, every position is 1.
            return [None if field == FIELD.STATEMENT_POSITION and result.error_field(field) == b"1"
                    else result.error_field(field) for field in FIELDS]
        return result.command_status, sorted(
            str([result.get_value(row, column) for column in range(result.nfields)])
            for row in range(result.ntuples))


@pytest.fixture(scope="module")
def clients(postgres, binary):
    with Connbench(binary, "thread") as server, postgres.connect() as reference, \
            server.connect() as tested:
        yield Client(reference), Client(tested)


def both(clients, sql, log, forgiving=False):
    expected, got = (client.answer(sql) for client in clients)
    if forgiving and isinstance(expected, list) and isinstance(got, list):
        expected, got = without_row(expected), without_row(got)
    said = "\n    ".join([f"seed {seed()}", *log, sql])
    assert got == expected, f"{said}\n{expected}\n{got}"
    assert clients[1].notices == clients[0].notices, said
    log.append(sql)
    return expected


def without_row(error):
    """Which of several rows an error is about depends on the order in which they are met."""
    if error[0].startswith(b"22"):
        return error[:1]
    if error[0] in (b"23505", b"23503"):
        return [*error[:2], None, *error[3:]]
    return error


def compare_tables(clients, log):
    for query in (*CATALOGS, "select * from m", "select * from n"):
        expected, got = (client.answer(query) for client in clients)
        assert got == expected, "\n    ".join([f"seed {seed()}", *log, query])


@pytest.mark.generated
def test_random_alters_answer_as_postgresql(clients):
    source = random.Random(seed())
    altered = refused = 0

    def columns(table):
        result = clients[0].connection.exec_(
            f"select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = "
            f"'{table}'::regclass and attnum > 0 and not attisdropped order by attnum".encode())
        return [(result.get_value(row, 0).decode(), result.get_value(row, 1).decode())
                for row in range(result.ntuples)]

    known = {}

    def known_columns(table):
        return known.get(table) or columns(table)

    for _ in range(cases(12)):
        alters = Alters(source, known_columns)
        log = []
        for statement in alters.start():
            both(clients, statement, log)
        for _ in range(40):
            if clients[0].connection.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                both(clients, source.choice(("rollback to s", "rollback")), log)
                alters.in_block = (clients[0].connection.transaction_status !=
                                   psycopg.pq.TransactionStatus.IDLE)
                continue
            known = {table: columns(table) for table in "mn"}
            statement = alters.statement()
            found = both(clients, statement, log, forgiving=True)
            if statement.startswith("alter"):
                altered += isinstance(found, tuple)
                refused += isinstance(found, list)
            failed = psycopg.pq.TransactionStatus.INERROR
            if clients[0].connection.transaction_status != failed:
                compare_tables(clients, log)
        for client in clients:
            ask(client.connection, "rollback")
            ask(client.connection, "drop table m, n cascade")
    assert altered > 4 * cases(12) and refused > 2 * cases(12), (altered, refused)


STATEMENTS = {
    "add column": [
        "create table m (a int primary key, b text); insert into m values (1, 'x'), (2, null)",
        "alter table m add c int", "alter table m add column d int default 5 not null",
        "alter table m add e text default 'some text' || '!'", "alter table m add f serial",
        "alter table m add g int generated by default as identity",
        "alter table m add h int not null", "alter table m add a int",
        "alter table m add if not exists a text", "alter table m add ctid int",
        "alter table m add i nope", "alter table m add i int default 'x'",
        "alter table m add i int default a", "alter table m add i int default 1/0",
        "alter table m add i varchar(2) default 'abc'", "alter table m add i int check (i > j)",
        "alter table m add i int default 3 check (i > 3)",
        "alter table m add i int default 3 check (i > 2) unique",
        "alter table m add i int default 3 check (i > 2)",
        "alter table m add j int unique, add k int references m",
        "alter table m add l int primary key", "alter table m add l int default 7 references m",
        "alter table m add l int default 2 references m (a) on delete cascade",
        "alter table m add z int null not null", "alter table m add z int, add z text",
        "alter table nope add z int", "alter table if exists nope add z int",
        "alter table m add q timestamp default '2020-01-02', add r bool default true",
        "select count(distinct q), bool_and(r) from m", "alter table m drop q",
        "insert into m (a, b, h) values (3, 'z', 1)", "insert into m (a, b) values (3, 'z')",
        "update m set b = 'w' where a = 1", "delete from m where a = 2",
        "create index on m (d, e)", "select a, d, e from m where d = 5 order by a",
        "truncate m cascade", "insert into m (a) values (9)",
    ],
    "not null": [
        "create table m (a int primary key, b text, c int generated always as identity);"
        "insert into m values (1, 'x'), (2, null)",
        "alter table m alter b set not null", "update m set b = 'y'",
        "alter table m alter b set not null", "alter table m alter b set not null",
        "insert into m values (3, null)", "alter table m alter b drop not null",
        "insert into m values (3, null)", "alter table m alter a drop not null",
        "alter table m alter c drop not null", "alter table m alter nope set not null",
        "alter table m alter nope drop not null", "alter table m alter ctid set not null",
        "alter table m alter b set not null, drop column b",
        "alter table m alter b set default 4, alter b drop default",
    ],
    "drop column": [
        "create table m (a int primary key, b int unique, c text, d serial, e int check (e > 0), "
        "f int, check (e > f), unique (c, f))",
        "create table n (x int references m, y int references m (b), z int default "
        "nextval('m_d_seq'))",
        "insert into m (a, b, c, e, f) "
        "select g, g, 't' || g, g + 1, g from generate_series(1, 5) g",
        "insert into n select g, g from generate_series(1, 5) g",
        "create view w1 as select a, c from m", "create view w2 as select c from w1",
        "create view w3 as select a, count(*), f from m group by a",
        "alter table m drop nope", "alter table m drop if exists nope", "alter table m drop ctid",
        "alter table m drop a", "alter table m drop b", "alter table m drop c",
        "alter table m drop d", "alter table m drop a restrict",
        "begin", "alter table m drop c cascade", "select * from m", "select * from w3",
        "insert into m (a, b, e, f) values (6, 6, 7, 6) returning *", "rollback",
        "begin", "savepoint s", "alter table m drop d cascade", "select * from n",
        "rollback to s", "alter table m drop b cascade", "update m set f = 1 where a = 2",
        "delete from m where a = 2", "delete from n", "delete from m where a = 2", "commit",
        "alter table m drop e", "insert into m values (7, 'z', default, 4)",
        "insert into m values (7, 'z', default, 4, 5)", "select m.* from m as m (p, q)",
        "select * from m as m (p, q, r, s, t)", "alter table m add b text default 'new'",
        "alter table m drop a cascade", "alter table m drop c cascade, drop d",
        "alter table m drop d cascade, drop f", "select * from m", "alter table m drop b",
        "insert into m default values", "select count(*) from m", "alter table m add a int",
        "drop table n", "alter table m rename a to b", "alter table m rename b to a",
        "insert into m values (3) on conflict do nothing",
        "alter table m add primary key (a)", "delete from m where a is null",
        "alter table m add primary key (a)",
        "insert into m values (3) on conflict (a) do update set a = excluded.a + 1",
    ],
    "types": [
        "create table m (a int primary key, b text default '7', c varchar(5), d numeric, "
        "e int default 3, f int generated by default as identity, check (e > 0), check (a < 100))",
        "create table n (x int references m, y int)",
        "insert into m values (1, '1', 'abc', 1.5, 1), (2, '22', 'abcde', 2.5, 2)",
        "insert into n values (1), (2)", "create index on m (b)", "create index on m (c, d)",
        "alter table m alter a type bigint", "alter table m alter a type text",
        "alter table m alter b type int", "alter table m alter b type int using b::int",
        "alter table m alter b drop default, alter b type int using b::int",
        "alter table m alter b type text", "alter table m alter c type varchar(3)",
        "alter table m alter c type varchar(10)", "alter table m alter c type text",
        "alter table m alter c type char(8)", "select c || '|', c = 'abc' from m order by a",
        "alter table m alter d type int", "alter table m alter d type numeric(4, 2)",
        "alter table m alter e type bool", "alter table m alter e type bool using e > 1",
        "alter table m alter e type numeric", "alter table m alter e type text",
        "alter table m alter f type smallint", "alter table m alter f type text",
        "insert into m (a) values (50)", "alter table m alter nope type int",
        "alter table m alter ctid type int", "alter table m alter d type nope",
        "alter table m alter d type int using nope", "alter table m alter d type int using 'x'",
        "alter table m alter d type int using sum(a)",
        "alter table m alter d type int using (select 1)",
        "alter table m alter d type int using 1/0",
        "alter table m alter d set data type int using a + 1, alter a type smallint using 3 - a",
        "alter table m alter d type int using a + 1",
        "alter table m alter d type int, alter d type text",
        "create view w1 as select d from m", "create view w2 as select * from w1",
        "alter table m alter d type bigint", "drop view w1 cascade",
        "alter table m alter d type bigint using case a when 1 then null else 1 end",
        "alter table m alter d type int using case a when 1 then 5 else 5 end, add unique (d)",
        "alter table n alter x type bigint", "alter table n alter x type text",
        "alter table n alter x type int using x + 1", "alter table n alter y type text using x",
        "select * from n", "begin", "alter table m alter b type int using 8",
        "savepoint s", "alter table m alter b type text using b + 1", "rollback to s",
        "select b from m order by a", "rollback", "select b from m order by a",
    ],
    "several at once": [
        "create table m (a int, b int, c int); insert into m values (1, 2, 3)",
        "alter table m add d int default 4, drop column a, alter b type text, "
        "alter c set not null, "
        "add check (d > 3), add unique (b)",
        "alter table m add constraint p primary key (e), add e int default 9",
        "alter table m add check (f > 0), add f int",
        "alter table m drop f, add f text default 'x'",
        "alter table m drop f, alter f type int",
        "alter table m alter b type int using b::int, drop b",
        "alter table m drop b, drop b", "alter table m add g int, alter g set default 5",
        "insert into m default values", "insert into m (c, e) values (1, 2)",
        "alter table m add h int default 1, alter h set not null, alter h drop not null",
        "alter table m add h int default 1, alter h set not null",
        "alter table m add i int, alter i set not null",
    ],
    "other relations": [
        "create table m (a serial primary key); create view w1 as select a from m; "
        "create sequence m_s",
        "alter table w1 add b int", "alter table w1 drop a", "alter table w1 alter a type text",
        "alter table w1 alter a set not null", "alter table m_s add b int",
        "alter table m_pkey drop a",
        "drop view w1", "drop sequence m_s",
    ],
    "in use": [
        "create table m (a int primary key, b text); insert into m values (1, 'x'), (2, 'y')",
        "create table n (x int references m deferrable initially deferred)",
        "begin", "declare c cursor for select * from m", "fetch c",
        "alter table m add c int", "rollback", "begin", "insert into n values (1)",
        "alter table n add y int", "rollback", "begin", "insert into n values (1)",
        "alter table m drop a cascade", "rollback",
        "prepare star as select * from m", "prepare some as select a from m",
        "prepare wrote as insert into m values ($1, 'z')", "execute star",
        "alter table m add c int default 8", "execute star", "execute some", "execute wrote (3)",
        "alter table m drop c", "execute star", "alter table m alter a type bigint",
        "execute some", "execute wrote (4)", "alter table m drop b", "execute wrote (5)",
        "deallocate all",
    ],
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_alters_answer_as_postgresql(clients, name):
    log = []
    try:
        for statement in STATEMENTS[name]:
            both(clients, statement, log)
            failed = psycopg.pq.TransactionStatus.INERROR
            if clients[0].connection.transaction_status != failed:
                compare_tables(clients, log)
    finally:
        for client in clients:
            for statement in ("rollback", "drop table if exists m, n cascade"):
                ask(client.connection, statement)


# ---- what only a server of our own can show ----

def test_an_older_snapshot_sees_the_rows_after_columns_came_and_went(clients, postgres, binary):
    """What PostgreSQL does without writing the rows anew must not hide them from anybody."""
    answers = []
    with Connbench(binary, "thread") as server:
        for one in (postgres, server):
            with one.connect() as writer, one.connect() as reader:
                say = [Client(writer), Client(reader)]
                said = [say[0].answer("create table old (a int, b int); "
                                      "insert into old select g, g from generate_series(1, 4) g")]
                for sql in ("begin isolation level repeatable read",
                            "select 1 from pg_class limit 1"):
                    said.append(say[1].answer(sql))
                for sql in ("insert into old values (5, 5)", "alter table old add c int default 7",
                            "alter table old drop b", "insert into old values (6, 6)"):
                    said.append(say[0].answer(sql))
                said.append(say[1].answer("select * from old"))
                said.append(say[1].answer("commit"))
                said.append(say[0].answer("alter table old alter a type bigint"))
                said.append(say[1].answer("select * from old"))
                said.append(say[0].answer("drop table old"))
                answers.append(said)
    assert answers[0] == answers[1]


def test_many_generations_of_columns(binary):
    with Connbench(binary, "thread") as server, server.connect() as connection:
        connection.execute("create table g (a int primary key)")
        for number in range(100):
            connection.execute("insert into g (a) values (%s)", (number,))
            connection.execute(f"alter table g add c{number} int default {number}")
        for number in (0, 1, 62, 63, 64, 99):
            rows = connection.execute(f"select a, c{number} from g order by a").fetchall()
            assert rows == [(a, number) for a in range(100)]
        connection.execute("update g set c3 = 0 where a < 50")
        assert connection.execute("select sum(c3), sum(c99) from g").fetchone() == \
            (50 * 3, 100 * 99)


def test_a_rewrite_can_be_cancelled_and_times_out(binary):
    with Connbench(binary, "thread") as server, server.connect() as connection:
        connection.execute("create table big (a int primary key, b text)")
        connection.execute("insert into big select g, 'row ' || g from generate_series(1, 20000) g")
        slow = ("alter table big alter b type text "
                "using case when pg_sleep(0.001) is null then b else b end")
        connection.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(slow)
        connection.execute("set statement_timeout = 0")
        canceler = threading.Timer(0.3, connection.cancel)
        canceler.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(slow)
        canceler.join()
        assert connection.execute("select count(*), max(b) from big").fetchone() == \
            (20000, "row 9999")


@pytest.mark.every_model
def test_others_wait_for_an_alter_and_plan_anew(start_server):
    server = start_server()
    with server.connect() as one, server.connect() as other:
        one.execute("create table t (a int primary key, b int)")
        one.execute("insert into t select g, g from generate_series(1, 100) g")
        for _ in range(6):  # prepared by then
            assert other.execute("select b from t where a = %s", (7,)).fetchall() == [(7,)]
        one.execute("begin")
        one.execute("alter table t add c int default 5, drop column b")
        failures = []

        def wait_for_it():
            try:
                other.execute("update t set c = c + 1 where a = %s", (7,))
                failures.append(other.execute("select * from t where a = 7").fetchone())
            except psycopg.Error as error:
                failures.append(error.sqlstate)

        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        wait_until(lambda: one.execute("select count(*) from pg_locks where not granted")
                   .fetchone() == (1,), CLIENT_TIMEOUT_S, "the other session waits")
        one.execute("commit")
        waiter.join(CLIENT_TIMEOUT_S)
        # Its statement was analysed while it waited.
        assert failures == [(7, 6)]
        with pytest.raises(psycopg.errors.UndefinedColumn):
            other.execute("select b from t where a = %s", (7,))


def test_a_kill_gives_the_table_back_or_keeps_the_change(binary, tmp_path):
    """What was committed is there, and what was not is not, whenever the server dies."""
    folder = tmp_path / "data"
    server = durable(binary, "thread", folder).start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table m (a int primary key, b text, c int)")
        connection.execute("insert into m select g, 'row ' || g, g from generate_series(1, 3000) g")
        connection.execute("create index on m (c)")
        connection.execute("alter table m add d int default 4, alter c type bigint")
        connection.execute("insert into m values (3001, 'x', 1, 5)")
        connection.execute("alter table m drop column b, add e text default 'e'")
        connection.execute("update m set e = 'f' where a = 1")
    open_block = server.connect(user="postgres", autocommit=False)
    open_block.execute("alter table m alter a type bigint using a + 1, add f serial, "
                       "drop column d")
    crash_torture.kill_server(server)
    open_block.close()
    crash_torture.verify(server, binary, folder)
    with durable(binary, "thread", folder) as server:
        with server.connect(user="postgres") as connection:
            assert connection.execute("select count(*), sum(a), sum(c), sum(d) from m").fetchone() \
                == (3001, 3001 * 3002 // 2, 3000 * 3001 // 2 + 1, 3000 * 4 + 5)
            assert connection.execute("select * from m where a in (1, 2, 3001) order by a") \
                .fetchall() == [(1, 1, 4, "f"), (2, 2, 4, "e"), (3001, 1, 5, "e")]
            connection.execute("alter table m add g int default 1, alter d type text")
            connection.execute("vacuum m")
            assert connection.execute("select d, g from m where c = 7").fetchall() == [("4", 1)]
    crash_torture.verify(server, binary, folder)
