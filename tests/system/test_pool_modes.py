"""What a client of a pooler may rely on, mode by mode: PgBouncer in front of `fork` and our own
poolers are held to the same expectations."""
import contextlib

import psycopg
import pytest

import wire
from servers import Connbench, PgBouncer

POOLERS = ("pgbouncer", "pool-tx", "pool-tx-thread")


@contextlib.contextmanager
def pooler(binary, name, mode, pool_size=1):
    if name != "pgbouncer":
        with Connbench(binary, name, pool_mode=mode, pool_size=pool_size) as server:
            yield server
        return
    with Connbench(binary, "fork") as server, \
            PgBouncer(server, mode, default_pool_size=pool_size) as bouncer:
        yield bouncer


def answers(server, *messages):
    """Types of the messages that come back, with an error's fields; "closed" if it ends there."""
    with wire.Client(server) as client:
        client.start(user=server.user, database=server.database)
        client.send(b"".join(messages))
        seen = []
        while not seen or seen[-1] != "Z":
            message = client.next()
            if message is None:
                return seen + ["closed"]
            kind, body = message
            seen.append((kind, wire.fields(body)) if kind == "E" else kind)
        return seen


@pytest.mark.parametrize("name", POOLERS)
def test_statement_mode_refuses_what_outlives_a_statement(binary, name):
    with pooler(binary, name, "statement") as server:
        *_, (kind, error), end = answers(server, wire.query("begin"))
        assert (kind, end) == ("E", "closed")
        assert (error["S"], error["C"], error["M"]) == (
            "FATAL", "08P01", "transaction blocks not allowed in statement pooling mode")
        # One message may hold a whole transaction.
        assert answers(server, wire.query("begin; select 1; commit"))[-1] == "Z"
        assert server.query("select 1") == [(1,)]


@pytest.mark.parametrize("name", POOLERS)
def test_transaction_mode_gives_the_backend_back_between_transactions(binary, name):
    with pooler(binary, name, "transaction") as server:
        with server.connect() as one, server.connect() as other:
            for client in (one, other, one, other):  # of the one backend that there is
                with client.transaction():
                    assert client.execute("select 1").fetchone() == (1,)
            # SET LOCAL ends with its transaction, and is safe.
            with one.transaction():
                one.execute("set local statement_timeout = '7s'")
                assert one.execute("show statement_timeout").fetchone() == ("7s",)
            assert other.execute("show statement_timeout").fetchone() == ("0",)
            # PgBouncer leaves a SET to the backend, where it meets whoever comes next; ours follows
            # its client.
            one.execute("set statement_timeout = '9s'")
            met = "9s" if name == "pgbouncer" else "0"
            assert other.execute("show statement_timeout").fetchone() == (met,)
            assert one.execute("show statement_timeout").fetchone() == ("9s",)
            one.execute("reset statement_timeout")
            # What the server reports to the client follows the client.
            one.execute("set application_name = 'one'")
            with server.connect(application_name="third") as third:
                for client, its in ((one, "one"), (third, "third"), (one, "one")):
                    assert client.execute("show application_name").fetchone() == (its,)


@pytest.mark.parametrize("name", POOLERS)
def test_session_mode_keeps_the_backend_and_resets_it(binary, name):
    with pooler(binary, name, "session") as server:
        with server.connect() as one:
            one.execute("set statement_timeout = '9s'")
            one.execute("prepare mine as select 1")
            assert one.execute("show statement_timeout").fetchone() == ("9s",)
            assert one.execute("execute mine").fetchone() == (1,)
        with server.connect() as other:
            assert other.execute("show statement_timeout").fetchone() == ("0",)
            with pytest.raises(psycopg.errors.InvalidSqlStatementName):
                other.execute("execute mine")


@pytest.mark.parametrize("name", ["pool-tx", "pool-tx-thread"])
def test_prepared_statements_survive_the_switch(binary, name):
    """PgBouncer has that from 1.21 on."""
    with pooler(binary, name, "transaction", pool_size=2) as server:
        with server.connect(prepare_threshold=0) as one, server.connect() as other:
            assert one.execute("select %s::int", (1,)).fetchone() == (1,)
            with other.transaction():  # holds the backend that has the statement
                other.execute("select 1")
                assert one.execute("select %s::int", (2,)).fetchone() == (2,)
            assert one.execute("select %s::int", (3,)).fetchone() == (3,)


@pytest.mark.parametrize("name", POOLERS)
def test_an_abandoned_transaction_leaves_nothing(binary, name):
    with pooler(binary, name, "transaction") as server:
        server.query("select 1")
        one = server.connect(autocommit=False)
        one.execute("create table left_behind (a int)")
        one.pgconn.finish()  # without a word
        with pytest.raises(psycopg.errors.UndefinedTable), server.connect() as other:
            other.execute("select * from left_behind")
