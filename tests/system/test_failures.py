"""What breaks: clients that vanish, servers that are killed, ports in use, a server's leftovers."""
import contextlib
import os
import signal
import subprocess
import time

import psycopg
import pytest

import wire
from servers import CLIENT_TIMEOUT_S, STOP_TIMEOUT_S, Connbench, wait_until
from test_psql import LONG_QUERY


def sessions_in_use(server):
    """How many more clients than this one the server would refuse: seen by filling it up."""
    with contextlib.ExitStack() as stack:
        count = 0
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(server.connect(user="postgres"))
                count += 1
        return count


def test_clients_that_vanish_free_their_slots(start_server):
    """In every state: idle, in a transaction, in the middle of a message, of COPY, of an answer."""
    server = start_server(max_connections=12, superuser_reserved_connections=0)
    with server.connect() as setup:
        setup.execute("create table gone (a int primary key)")
        setup.execute("insert into gone values (1)")
    big = wire.query("select repeat('x', 1000) from generate_series(1, 1000000)")
    for sent in ([], [wire.query("begin; update gone set a = 2")], [wire.query("select 1")[:7]],
                 [wire.query("copy gone from stdin"), wire.copy_data(b"5\n")], [big],
                 [wire.parse("", "select 1")]):
        client = wire.Client(server)
        client.start()
        client.send(*sent)
        client.vanish()
    for sent in (b"", b"\0\0", wire.SSL_REQUEST, wire.startup()):
        client = wire.Client(server)
        client.send(sent)
        client.vanish()
    wait_until(lambda: sessions_in_use(server) == 12, 20, "all slots are free")
    with server.connect() as after:
        after.execute("update gone set a = 3")  # no lock is left
        assert after.execute("select a from gone").fetchall() == [(3,)]


def test_a_client_that_vanishes_while_it_waits_for_a_row(start_server):
    server = start_server(max_connections=6, superuser_reserved_connections=0)
    with server.connect() as setup:
        setup.execute("create table waited (a int primary key)")
        setup.execute("insert into waited values (1)")
    with server.connect(autocommit=False) as holder:
        holder.execute("update waited set a = 2")
        client = wire.Client(server)
        client.start()
        client.send(wire.query("update waited set a = 3"))
        time.sleep(0.1)
        client.vanish()
        holder.rollback()
    wait_until(lambda: sessions_in_use(server) == 6, 20, "all slots are free")
    assert server.query("select count(*) from waited") == [(1,)]


def test_a_port_in_use_is_an_error(binary, server, model):
    result = subprocess.run([binary, "serve", "--model", model, "-p", str(server.port)],
                            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 2
    assert str(server.port) in result.stderr
    assert "in use" in result.stderr
    assert server.query("select 1") == [(1,)]


@pytest.mark.parametrize("arguments, word", [
    (["--model", "no-such-model"], "thread-pool"),
    (["--set", "no_such_setting=1"], "no_such_setting"),
    (["--set", "max_connections=many"], "max_connections"),
    (["--set", "shared_buffers"], "name=value"),
    (["--no-such-flag"], "no-such-flag"),
    (["-p", "99999"], "65535"),
])
def test_bad_arguments_are_named(binary, arguments, word):
    result = subprocess.run([binary, "serve", *arguments], capture_output=True, text=True,
                            timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 1
    assert word in result.stderr
    assert "terminate called" not in result.stderr


def test_trust_stays_on_loopback(binary):
    result = subprocess.run([binary, "serve", "-h", "0.0.0.0", "-p", "0"], capture_output=True,
                            text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode in (1, 2)
    assert "loopback" in result.stderr


def test_a_segment_that_does_not_fit_is_an_error(binary, model):
    result = subprocess.run([binary, "serve", "--model", model, "-p", "0", "--set",
                             "shared_buffers=900GB"], capture_output=True, text=True,
                            timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 2
    assert "shared" in result.stderr.lower()


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_sweeps(binary, model):
    server = Connbench(binary, model).start()
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(wire.Client(server))
            client.start()
        server.send_signal(signal.SIGKILL)
        server.process.wait(timeout=STOP_TIMEOUT_S)
        wait_until(lambda: not server.processes(), STOP_TIMEOUT_S, "all processes have ended")
    # Nobody was left to remove the segment; any start of a connbench does.
    with Connbench(binary, model) as successor:
        assert successor.query("select 1") == [(1,)]
        assert not server.segment.exists()


def test_a_live_server_is_not_swept(binary, model):
    with Connbench(binary, model) as first, Connbench(binary, model) as second:
        assert first.query("select 1") == second.query("select 1") == [(1,)]
        assert first.segment.exists() and second.segment.exists()


def test_a_killed_server_process_is_replaced(start_server):
    """SIGKILL hits one that serves: every session ends, then the server accepts again."""
    server = start_server()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire.Client(server, timeout_s=20)) for _ in range(4)]
        for client in clients:
            client.start()
        victim = server.children()[-1]
        os.kill(victim, signal.SIGKILL)
        for client in clients:
            # With or without a last word (57P02), the connection ends.
            assert {kind for kind, _ in client.until_closed()} <= {"E"}

    def serves():
        with contextlib.suppress(psycopg.OperationalError):
            return server.query("select 1") == [(1,)]
        return False

    wait_until(serves, 20, "the server serves again")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=STOP_TIMEOUT_S) == 0
    assert not server.processes()
    assert not server.segment.exists()
    server.log.close()


@pytest.mark.every_model
def test_kill_under_load_leaves_nothing(binary, model):
    """The supervisor is killed while pgbench runs at full speed."""
    server = Connbench(binary, model).start()
    server.pgbench("-i", "-q", "-s", "1")
    load = subprocess.Popen(["pgbench", "-n", "-c", "8", "-j", "1", "-T", "60"],
                            env=server.environment(), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    server.send_signal(signal.SIGKILL)
    server.process.wait(timeout=STOP_TIMEOUT_S)
    assert load.wait(timeout=30) != 0  # told by its sockets, not by a timeout of its own
    wait_until(lambda: not server.processes(), STOP_TIMEOUT_S, "all processes have ended")
    with Connbench(binary, model):
        assert not server.segment.exists()


def test_the_log_says_nothing_of_clients_that_leave(start_server):
    """A server is not alarmed by what clients do: no stack traces, no crash, no restart."""
    server = start_server()
    children = None if server.model == "fork" else server.children()
    for _ in range(20):
        client = wire.Client(server)
        client.start()
        client.send(wire.query(LONG_QUERY))
        client.vanish()
    assert server.query("select 1") == [(1,)]
    if children is not None:
        assert server.children() == children
