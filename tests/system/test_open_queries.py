"""What takes a table or an index away while a query uses it: refused in the same session (55006),
made to wait for another session, as by PostgreSQL."""
import contextlib

import pytest

import wire
import wire_comparison
from servers import Connbench

SETUP = ["drop table if exists pd, pe; create table pd (a int primary key, b text); "
         "create table pe (a int); insert into pd values (1, 'x'), (2, 'y'), (3, 'z')",
         "create index pdi on pd (b)"]


def portal(sql, rows, then=b""):
    """A bound query of which this number of rows is read; None: it is not executed."""
    execute = b"" if rows is None else wire.execute("p", rows)
    return wire.parse("", sql) + wire.bind("p", "") + execute + then + wire.SYNC


# Lists of requests: SQL, or messages that end in Sync.
QUERIES = [[portal("select a from pd", None)], [portal("select a from pd", 1)],
           [portal("select a from pd", 0)], [portal("select a from pd for update", 1)],
           [portal("select count(*) from pd", 0)],
           [portal("select a from pd", 1, wire.close("P", "p"))], [portal("select 1", None)],
           [portal("insert into pd values (10), (11) returning a", 1)],
           [portal("update pd set b = 'q' returning a", 1)],
           ["savepoint s", portal("select a from pd", 1), "rollback to s"],
           ["savepoint s", portal("select a from pd", 1), "release s"]]
HELD = [["select * from pd"], ["update pd set b = 'w' where a = 1"],
        [portal("select a from pd", 1)], ["truncate pd"], ["drop index pdi"],
        ["lock table pd in share mode"], ["explain select a from pd"],
        ["savepoint s", "select * from pd", "rollback to s"],
        ["alter table pd alter b set default 'x'"]]
TAKES = ["drop table pd", "drop table pd cascade", "drop index pdi", "truncate pd", "truncate pe",
         "create index on pd (b)", "alter table pd alter b set default 'x'",
         "alter table pd drop constraint pd_pkey", "alter table pd add unique (b)"]
USES = ["lock table pd nowait", "select * from pd", "insert into pd values (20)",
        "delete from pd where a = 3", "explain select * from pd", "copy pd to stdout",
        "select count(*) from pe", "create table pd (a int)", "vacuum pd", "analyze pd"]


@pytest.fixture(scope="module")
def servers(binary, postgres):
    with Connbench(binary, "thread") as ours:
        yield postgres, ours


@contextlib.contextmanager
def client(server):
    with wire.Client(server, timeout_s=15) as one:
        one.start(user=server.user, database=server.database)
        yield one


def ask(one, *requests):
    """The last request's answers, without rows."""
    answers = []
    for request in requests:
        one.send(wire.query(request) if isinstance(request, str) else request)
        answers = one.until_ready()
    return [wire_comparison.describe(answer) for answer in answers if answer[0] in "CENZ"]


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_what_an_open_query_uses_is_not_taken_away(servers, number):
    for sql in TAKES:
        answers = []
        for server in servers:
            with client(server) as one:
                answers.append(ask(one, *SETUP, "begin", *QUERIES[number], sql))
        assert answers[1] == answers[0], sql


@pytest.mark.parametrize("number", range(len(HELD)))
def test_others_wait(servers, number):
    """The lock timeout shows who waits: nobody gives way within it."""
    for sql in TAKES + USES:
        answers = []
        for server in servers:
            with client(server) as holder, client(server) as other:
                ask(holder, *SETUP, "begin", *HELD[number])
                answers.append(ask(other, "set lock_timeout = '100ms'", sql))
                ask(holder, "rollback")
        assert answers[1] == answers[0], sql
