"""Limits and timeouts: max_connections and its reserve, statement, idle and authentication
timeouts, shutdown. Timeouts are short here, and tested for happening, not for how exactly."""
import contextlib
import signal
import time

import psycopg
import pytest

import wire
from servers import Connbench, wait_until
from test_psql import LONG_QUERY


def sqlstate_of(server, **parameters):
    """With which SQLSTATE a connection is refused; None if it is not."""
    with wire.Client(server) as client:
        answers = client.start(**{"user": "alice", "database": "shop", **parameters})
        errors = [wire.fields(body) for kind, body in answers if kind == "E"]
        if errors:
            assert errors[0]["S"] == "FATAL"
            assert client.next() is None
            return errors[0]["C"]
    return None


def test_connections_are_limited_with_a_reserve_for_superusers(start_server):
    server = start_server(max_connections=6, superuser_reserved_connections=2)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(server.connect()) for _ in range(4)]
        with pytest.raises(psycopg.OperationalError,
                           match="remaining connection slots are reserved"):
            server.connect()
        assert sqlstate_of(server) == "53300"
        held += [stack.enter_context(server.connect(user="postgres")) for _ in range(2)]
        with pytest.raises(psycopg.OperationalError, match="too many clients already"):
            server.connect(user="postgres")
        assert all(one.execute("select 1").fetchone() == (1,) for one in held)
        # A slot is free a moment after its client has closed; two stay reserved.
        for one in held[:3]:
            one.close()
        wait_until(lambda: sqlstate_of(server) is None, 10, "a slot is free again")


def test_refused_connections_leave_nothing_behind(start_server):
    server = start_server(max_connections=5, superuser_reserved_connections=0)
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(server.connect())
        for _ in range(200):
            assert sqlstate_of(server) == "53300"
    wait_until(lambda: sqlstate_of(server) is None, 10, "slots are free again")


def test_cancel_works_when_all_slots_are_taken(start_server):
    server = start_server(max_connections=1, superuser_reserved_connections=0)
    with wire.Client(server, timeout_s=30) as client:
        client.start()
        client.send(wire.query(LONG_QUERY))

        def cancelled():
            with wire.Client(server) as canceller:
                canceller.send(wire.cancel(client.connection_id, client.key))
                assert canceller.next() is None
            client.socket.settimeout(0.2)
            try:
                return client.error()["C"] == "57014"
            except TimeoutError:
                return False

        wait_until(cancelled, 20, "the statement is cancelled")


def test_statement_timeout(server):
    with server.connect(options="-c statement_timeout=200ms") as connection:
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            connection.execute(LONG_QUERY)
        assert time.monotonic() - began >= 0.2
        assert connection.execute("select 1").fetchone() == (1,)
        connection.execute("set statement_timeout = 0")
        counted = connection.execute("select count(*) from generate_series(1, 1000000)")
        assert counted.fetchone() == (1000000,)


def test_statement_timeout_while_waiting_for_a_row(server):
    with server.connect() as setup:
        setup.execute("drop table if exists timeout_rows")
        setup.execute("create table timeout_rows (a int primary key)")
        setup.execute("insert into timeout_rows values (1)")
    with server.connect(autocommit=False) as holder, \
            server.connect(options="-c statement_timeout=200ms") as waiter:
        holder.execute("update timeout_rows set a = 2")
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            waiter.execute("update timeout_rows set a = 3")
        holder.rollback()
        waiter.execute("update timeout_rows set a = 3")


def test_idle_in_transaction_session_timeout(server):
    with wire.Client(server) as client:
        client.start(user="alice", options="-c idle_in_transaction_session_timeout=200ms")
        client.send(wire.query("select 1"))
        client.until_ready()
        client.socket.settimeout(0.6)
        with pytest.raises(TimeoutError):
            client.next()  # idle, but in no transaction
        client.socket.settimeout(10)
        client.send(wire.query("begin"))
        assert client.until_ready()[-1] == ("Z", b"T")
        error = client.error()
        assert (error["S"], error["C"]) == ("FATAL", "25P03")
        assert client.next() is None


def test_idle_in_transaction_timeout_gives_locks_back(server):
    with server.connect() as setup:
        setup.execute("drop table if exists idle_rows")
        setup.execute("create table idle_rows (a int primary key)")
        setup.execute("insert into idle_rows values (1)")
        holder = server.connect(options="-c idle_in_transaction_session_timeout=300ms")
        holder.execute("begin; update idle_rows set a = 2")  # in one message: not idle in between
        setup.execute("update idle_rows set a = 3")  # waits until the holder is thrown out
        with pytest.raises(psycopg.OperationalError):
            holder.execute("select 1")
        assert setup.execute("select a from idle_rows").fetchall() == [(3,)]


def test_authentication_timeout(start_server):
    server = start_server(authentication_timeout="1s")
    with wire.Client(server) as silent, wire.Client(server) as slow, wire.Client(server) as good:
        good.start()
        slow.send(wire.startup()[:10])
        for client in (silent, slow):
            assert client.error()["C"] == "57014"
            assert client.next() is None
        good.send(wire.query("select 1"))
        assert good.until_ready()[-1] == ("Z", b"I")


def test_silent_connections_do_not_keep_others_out(start_server):
    server = start_server(max_connections=10)
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(wire.Client(server))
        assert server.query("select 1") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_shutdown_tells_every_session(binary, model, number):
    server = Connbench(binary, model).start()
    with wire.Client(server) as idle, wire.Client(server) as busy, \
            wire.Client(server) as in_block, wire.Client(server):
        for client in (idle, busy, in_block):
            client.start()
        in_block.send(wire.query("begin"))
        in_block.until_ready()
        busy.send(wire.query(LONG_QUERY))
        time.sleep(0.2)  # so that it runs; an early signal would only make this easier
        server.send_signal(number)
        for client in (idle, busy, in_block):
            assert client.error()["C"] == "57P01"
            assert client.next() is None
    server.stop()
