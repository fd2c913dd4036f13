"""`connbench top` on running servers."""
import re
import signal
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S
from terminal import Terminal


def top(binary, *arguments):
    return subprocess.run([binary, "top", *map(str, arguments)], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S)


def test_once_shows_states_phases_and_cost(binary, start_server):
    server = start_server(max_connections=7)
    with server.connect() as idle, server.connect(autocommit=False) as open_transaction:
        idle.execute("select 1")
        open_transaction.execute("select 1")
        result = top(binary, "--once", server.process.pid)
        by_segment = top(binary, "--once", server.segment.name)
    assert result.returncode == by_segment.returncode == 0, result.stderr + by_segment.stderr
    assert re.search(r"2 of 7: 0 active, 1 idle, 1 idle in transaction, 0 waiting", result.stdout)
    assert re.search(r"connects +0\.0/s, 2 in all", result.stdout), result.stdout
    assert re.search(r"the last 2 connects", result.stdout)
    for phase in ("dispatch", "start", "authentication", "session", "accepted to ready"):
        assert re.search(rf"{phase} +\d+ +\d+ +\d+\n", result.stdout), result.stdout
    assert re.search(r"machine +\d+ processes, \d+ threads, [\d.]+ % of one CPU, RSS \d",
                     result.stdout)
    assert "\033" not in result.stdout


def test_it_takes_no_latch_and_changes_nothing(binary, start_server):
    """A server that is stopped in its tracks can be looked at."""
    server = start_server()
    with server.connect() as connection:
        pids = server.processes()
        for pid in pids:
            subprocess.run(["kill", "-STOP", str(pid)], check=True)
        try:
            result = top(binary, "--once", server.process.pid)
        finally:
            for pid in pids:
                subprocess.run(["kill", "-CONT", str(pid)], check=True)
        assert result.returncode == 0, result.stderr
        assert " 1 idle," in result.stdout
        assert connection.execute("select 1").fetchall() == [(1,)]


@pytest.mark.parametrize("name", ["999999999", "connbench.none"])
def test_no_such_server(binary, server, name):
    result = top(binary, "--once", name)
    assert result.returncode == 1
    assert name in result.stderr
    assert str(server.process.pid) in result.stderr  # says which there are


def test_refreshes_on_a_terminal_until_ctrl_c(binary, start_server):
    server = start_server()
    with Terminal(str(binary), "top", str(server.process.pid), env={}) as screen:
        for _ in range(2):
            screen.expect(r"\x1b\[H\x1b\[2Jserver \d+")
        screen.type("\x03")
        assert screen.exit_status() == 0


def test_says_when_the_server_ends(binary, start_server):
    server = start_server()
    watching = subprocess.Popen([binary, "top", str(server.process.pid)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    assert "server" in watching.stdout.readline()
    server.stop(signal.SIGTERM)
    _, errors = watching.communicate(timeout=CLIENT_TIMEOUT_S)
    assert watching.returncode == 2
    assert "ended" in errors


@pytest.mark.parametrize("key", ["q", "xQ"])
def test_q_leaves_and_restores_the_terminal(binary, start_server, key):
    server = start_server()
    command = f"{binary} top {server.process.pid}; echo exit $?; stty -a"
    with Terminal("sh", "-c", command, env={"PATH": "/usr/bin:/bin"}) as screen:
        screen.expect(r"\x1b\[H\x1b\[2Jserver \d+")
        screen.type(key)
        screen.expect(r"exit 0\n")
        state = screen.expect(r"(?s)-?icanon.*[ ;]-?echo ")
        assert "-icanon" not in state and "-echo " not in state
