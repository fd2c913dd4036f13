"""Whatever other users, libraries and the machine do to a server: names in shared folders, files
that are none, a log that nobody reads, wrong passwords by the dozen, memory that runs out."""
import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import psycopg
import pytest

import wire
from servers import (CLIENT_TIMEOUT_S, SHM, START_TIMEOUT_S, STOP_TIMEOUT_S, Connbench,
                     kill_session, wait_until)

DEAD_PID = 4194304  # above every kernel's pid_max


@pytest.fixture
def odd_names():
    """What another user may leave in /dev/shm under names that a server looks at."""
    names = [SHM / f"connbench.{DEAD_PID}.{kind}" for kind in ("pipe", "link", "folder")]
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            name.unlink()
    os.mkfifo(names[0], 0o666)
    names[1].symlink_to("/etc/passwd")
    names[2].mkdir()
    yield names
    names[0].unlink()
    names[1].unlink()
    names[2].rmdir()


def test_odd_names_in_shared_memory_are_left_alone(binary, model, odd_names):
    with Connbench(binary, model) as server:
        for name in odd_names:
            assert f"leaving {name} alone" in server.stderr()
        listed = subprocess.run([binary, "top", "--once"], capture_output=True, text=True,
                                timeout=CLIENT_TIMEOUT_S)
        for name in odd_names:
            assert name.name not in listed.stderr + listed.stdout
    assert all(name.is_symlink() or name.exists() for name in odd_names)


def test_an_odd_lock_file_is_an_error(binary, tmp_path):
    os.mkfifo(tmp_path / ".s.PGSQL.15433.lock")
    refused = subprocess.run([binary, "serve", "-h", "", "-p", "15433", "--socket-dir", tmp_path],
                             capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert refused.returncode == 2
    assert f"{tmp_path}/.s.PGSQL.15433.lock is not a file of this user" in refused.stderr


@pytest.mark.parametrize("setting", ["hba_file", "pwfile", "ssl_cert_file", "ssl_key_file"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "missing", "device", "huge"])
def test_a_setting_that_names_no_file_is_an_error(binary, tmp_path, setting, kind):
    path = tmp_path / "named"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "device":
        path = pathlib.Path("/dev/zero")
    elif kind == "huge":
        with open(path, "wb") as file:
            file.truncate(1 << 40)
        path.chmod(0o600)
    command = [binary, "serve", "-p", "0", "--set", f"{setting}={path}"]
    if setting.startswith("ssl"):
        subprocess.run(["openssl", "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj",
                        "/CN=localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
                       check=True, capture_output=True)
        command += ["--set", "ssl=on"]
        other = "ssl_key_file" if setting == "ssl_cert_file" else "ssl_cert_file"
        command += ["--set", f"{other}={tmp_path / other.split('_')[1]}"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert refused.returncode == 2, refused.stderr
    assert str(path) in refused.stderr
    assert "terminate called" not in refused.stderr
    reason = {"folder": ("is a directory", "not a regular file"),
              "pipe": ("is a pipe", "not a regular file"), "missing": ("No such file",),
              "device": ("is a device", "not a regular file"), "huge": ("is longer than",)}[kind]
    assert any(words in refused.stderr for words in reason), refused.stderr


class FullLog(Connbench):
    """A server whose log is a pipe that is full, and that nobody reads."""

    def start(self):
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.writer, b"x" * 4096)
        fcntl.fcntl(self.writer, fcntl.F_SETFL, 0)
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.writer,
                                        text=True, start_new_session=True)
        os.close(self.writer)
        line = self._ready_line()
        assert "ready on" in line, line
        self.port = int(line.split(" port ")[1].split()[0])
        return self

    def drain(self):
        os.set_blocking(self.reader, False)
        text = b""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.reader, 65536):
                text += chunk
        return text.replace(b"x" * 4096, b"").decode()

    def __exit__(self, *_):
        kill_session(self.process.pid)
        self.process.wait(timeout=STOP_TIMEOUT_S)
        self.process.stdout.close()
        os.close(self.reader)


def test_a_log_that_nobody_reads_stops_nobody(binary, model):
    with FullLog(binary, model) as server:
        for _ in range(10):
            server.send_signal(signal.SIGHUP)  # each is a line
            time.sleep(0.02)
        assert server.query("select 1") == [(1,)]
        server.drain()
        server.send_signal(signal.SIGHUP)
        text = wait_until(server.drain, STOP_TIMEOUT_S, "the log goes on")
        assert "lines before this one were dropped" in text
        assert server.query("select 1") == [(1,)]
        server.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=STOP_TIMEOUT_S) == 0


def test_a_log_whose_reader_has_left_stops_nobody(binary, model):
    with FullLog(binary, model) as server:
        os.close(server.reader)
        server.reader = os.open("/dev/null", os.O_RDONLY)
        server.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert server.query("select 1") == [(1,)]


def test_failed_logins_are_logged_and_delayed(binary, model, tmp_path):
    (tmp_path / "pwfile").write_text("secret\n")
    (tmp_path / "hba").write_text("host all all all scram-sha-256\n")
    with Connbench(binary, model, pwfile=tmp_path / "pwfile", hba_file=tmp_path / "hba") as server:
        started = begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(user="postgres", password="wrong")
        assert time.monotonic() - begun >= 0.2
        assert ('login failed: password authentication failed for user "postgres" '
                '(client 127.0.0.1:') in server.stderr()
        # A guesser, while somebody else works.
        with server.connect(user="postgres", password="secret") as busy:
            guessers = []
            for _ in range(40):
                guesser = wire.Client(server)
                guesser.send(wire.startup(user="postgres", database="x"))
                guessers.append(guesser)
            for guesser in guessers:
                guesser.send(wire.message(b"p", b"SCRAM-SHA-256\0" + (24).to_bytes(4, "big") +
                                          b"n,,n=,r=abcdefghijklmnop"))
                guesser.next()
                server_first = guesser.next()[1][4:].decode()
                nonce = server_first.split(",")[0]
                guesser.send(wire.message(b"p", f"c=biws,{nonce},p=".encode() + b"A" * 43 + b"="))
            begun = time.monotonic()
            assert busy.execute("select 1").fetchone() == (1,)
            assert time.monotonic() - begun < 0.15 or model == "poco"
            for guesser in guessers:
                assert wire.fields(guesser.next()[1])["C"] == "28P01"
                guesser.socket.close()
        time.sleep(1.1)
        with pytest.raises(psycopg.OperationalError):
            server.connect(user="postgres", password="wrong")
        log = server.stderr()
        # Ten in each second that began since, and the two that came alone.
        assert log.count("login failed") <= 10 * (int(time.monotonic() - started) + 1) + 2
        assert "failed logins before it were not logged" in log


def test_a_rule_that_rejects_is_logged(binary, model, tmp_path):
    (tmp_path / "hba").write_text("host all eve all reject\nhost all all all trust\n")
    with Connbench(binary, model, hba_file=tmp_path / "hba") as server:
        with pytest.raises(psycopg.OperationalError):
            server.connect(user="eve")
        assert "login failed: pg_hba.conf rejects connection" in server.stderr()


@contextlib.contextmanager
def limited(binary, model, megabytes, **settings):
    """A server whose processes may map so much."""
    server = Connbench(binary, model, shared_buffers="16MB", max_connections=10,
                       remembered_transactions=1 << 22, recent_transactions=4096, **settings)
    server.command = ["prlimit", f"--as={megabytes << 20}"] + server.command
    server.start()
    try:
        yield server
    finally:
        server.kill_everything()


def test_a_parameter_that_does_not_fit_is_an_error_of_its_statement(binary, model):
    parameter = b"x" * (250 << 20)
    with limited(binary, model, 700) as server, server.connect() as other:
        with wire.Client(server, CLIENT_TIMEOUT_S) as client:
            client.start()
            client.send(wire.parse("", "select length($1::text)"), wire.bind("", "", [parameter]),
                        wire.execute(""), wire.SYNC)
            answers = client.until_ready()
            errors = [wire.fields(body)["C"] for kind, body in answers if kind == "E"]
            assert errors in (["53200"], []), errors
            assert answers[-1][0] == "Z"
            client.send(wire.query("select 1"))
            assert [kind for kind, _ in client.until_ready()] == ["T", "D", "C", "Z"]
        assert other.execute("select 2").fetchone() == (2,)


def test_a_statement_that_the_parser_has_no_memory_for(binary, model):
    """Its parser ends the process then: what that one held must not stay."""
    with limited(binary, model, 2048) as server:
        with server.connect() as setup:
            setup.execute("create table held (id int primary key)")
            setup.execute("insert into held values (1)")
        for _ in range(3):
            with wire.Client(server, CLIENT_TIMEOUT_S) as client:
                client.start()
                client.send(wire.query("begin; update held set id = 1"))
                if client.until_ready()[-1][0] != "Z":
                    break
                client.send(wire.query("select " + "1," * 7_500_000 + "1"))
                client.until_ready()

        def usable():
            with contextlib.suppress(psycopg.Error), server.connect() as after:
                after.execute("set lock_timeout = '1s'")
                after.execute("drop table if exists held")
                return True

        wait_until(usable, START_TIMEOUT_S, "nothing is locked")
