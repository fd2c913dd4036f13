"""The servers that the system tests drive: connbench with any model, a private PostgreSQL, and
PgBouncer in front of either. Each starts on a free loopback port and leaves nothing behind."""
import contextlib
import fcntl
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import psycopg
import pytest

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
CLIENT_TIMEOUT_S = 180  # no client program of ours may take longer: it would be a hang
# What other programs on the machine can spoil in a trial, for tests that are not about it.
MACHINE_CHECKS = "other_load,steal,throttling,client_cpu,client_stall,listen_overflows,syn_retries"
SHM = pathlib.Path("/dev/shm")


def free_port():
    """A port for a server that starts later: none that the kernel may give away until then, to an
    outgoing connection or to another test."""
    lowest_given = int(pathlib.Path(
        "/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", random.randrange(10_000, max(lowest_given, 20_000))))
            return sock.getsockname()[1]
    raise AssertionError("no free port")


def wait_until(condition, timeout_s, what):
    """Polls: for states of other processes that nothing announces. Returns what came true."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
    return result


def processes_of_session(session_id):
    """Pids of all processes, but zombies, whose session is session_id."""
    pids = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session_id and fields[0] != "Z":
                pids.append(int(stat.parent.name))
    return sorted(pids)


def kill_session(session_id):
    """Ends all processes of a session, also those that begin meanwhile; returns when there are
    none, so that nothing makes or keeps a file any more."""

    def gone():
        left = processes_of_session(session_id)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_until(gone, STOP_TIMEOUT_S, f"the processes of session {session_id} have ended")


@contextlib.contextmanager
def cancelling(connection, every_s=0.2):
    """Cancels what the connection executes in this block. More than once, since a cancel that comes
    before its statement, which a busy machine makes late, cancels nothing."""
    done = threading.Event()

    def cancel():
        while not done.wait(every_s):
            connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        yield
    finally:
        done.set()
        canceller.join()


class Server:
    """What every server has: an address, and clients for it."""

    host = "127.0.0.1"
    port = 0
    user = "alice"
    database = "shop"

    def connect(self, **parameters):
        parameters = {"user": self.user, "dbname": self.database, "autocommit": True,
                      "connect_timeout": 10, **parameters}
        return psycopg.connect(host=self.host, port=self.port, **parameters)

    def raw(self, timeout_s=10):
        sock = socket.create_connection((self.host, self.port), timeout=timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def environment(self, **more):
        return {**os.environ, "PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user,
                "PGDATABASE": self.database, "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "test",
                "PSQLRC": "/dev/null", "PAGER": "", **more}

    def run(self, *command, check=True, **options):
        """Runs a client program to its end; its output is the result."""
        result = subprocess.run([str(word) for word in command], env=self.environment(),
                                capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, **options)
        if check:
            assert result.returncode == 0, (
                f"{' '.join(map(str, command))} exited with {result.returncode}\n"
                f"{result.stdout}{result.stderr}")
        return result

    def psql(self, script, *options, check=True):
        """Feeds a script to psql on its stdin, as a user would type it."""
        return self.run("psql", "-X", "-A", "-t", *options, input=script, check=check)

    def pgbench(self, *options, check=True):
        return self.run("pgbench", *options, check=check)

    def query(self, sql, **parameters):
        with self.connect(**parameters) as connection:
            return connection.execute(sql).fetchall()


class Connbench(Server):
    """`connbench serve`. As a context manager: started, then stopped and checked for leftovers."""

    def __init__(self, binary, model, port=0, **settings):
        self.command = [str(binary), "serve", "--model", model, "-p", str(port)]
        for name, value in settings.items():
            self.command += ["--set", f"{name}={value}"]
        self.model = model
        self.more_environment = {}  # for the server
        self.process = None
        self.segment = None
        self.log = None

    def start(self):
        self.log = tempfile.TemporaryFile("w+")
        # Server and test have one place in the file; what the test reads must not move the writer.
        flags = fcntl.fcntl(self.log, fcntl.F_GETFL)
        fcntl.fcntl(self.log, fcntl.F_SETFL, flags | os.O_APPEND)
        # A session of its own: whatever the server starts can be found again.
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, start_new_session=True,
                                        env={**os.environ, **self.more_environment})
        line = self._ready_line()
        match = re.search(r"ready on (\S+) port (\d+).*\(segment (\S+)\)", line)
        if not match:
            kill_session(self.process.pid)
            self.process.wait()
            if re.search("Use --model reactor, which|Use io_method=worker, which", self.stderr()):
                pytest.skip(self.stderr())  # a kernel or a container without io_uring
            raise AssertionError(f"no ready line, but {line!r}; stderr: {self.stderr()}")
        self.host, self.port = match[1], int(match[2])
        self.segment = SHM / match[3]
        return self

    def _ready_line(self):
        readable, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        return self.process.stdout.readline() if readable else ""

    def stderr(self):
        self.log.seek(0)
        return self.log.read()

    def processes(self):
        return processes_of_session(self.process.pid)

    def children(self):
        return [pid for pid in self.processes() if pid != self.process.pid]

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends the server as its user would, and checks that nothing is left of it."""
        if self.process.poll() is None:
            self.send_signal(number)
        status = self.process.wait(timeout=STOP_TIMEOUT_S)
        errors = self.stderr()
        self.process.stdout.close()
        self.log.close()
        left = self.processes()
        kill_session(self.process.pid)
        assert status == 0, f"exit status {status}; stderr: {errors}"
        assert not left, f"processes left: {left}; stderr: {errors}"
        assert not self.segment.exists(), f"{self.segment} is left"
        for trouble in ("Sanitizer", "runtime error", "terminated by signal", "crash"):
            assert trouble not in errors, errors

    def kill_everything(self):
        """After a test that left the server in pieces on purpose."""
        kill_session(self.process.pid)
        self.process.wait(timeout=STOP_TIMEOUT_S)
        with contextlib.suppress(FileNotFoundError):
            self.segment.unlink()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill_everything()


@contextlib.contextmanager
def server_starter(binary):
    """start(model, name=value, ...) -> a started Connbench with these settings. At the end each is
    stopped, unless the test has done so; one that does not stop well keeps no other from it."""
    with contextlib.ExitStack() as stack:

        def start(model, **settings):
            server = Connbench(binary, model, **settings).start()
            stack.callback(lambda: server.log.closed or server.stop())
            return server

        yield start


class Postgres(Server):
    """A private cluster of the installed PostgreSQL, run by an unprivileged user."""

    def __init__(self):
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        assert programs, "PostgreSQL is not installed; the Debian package is postgresql"
        self.bin = programs[-1].parent
        self.folder = None

    def _run(self, program, *arguments):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        subprocess.run([*(as_user if os.geteuid() == 0 else []), str(self.bin / program),
                        *arguments],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=CLIENT_TIMEOUT_S)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="connbench-test-pg.")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        data = f"{self.folder}/data"
        self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync",
                  "--no-locale", "--encoding=UTF8")
        # Random queries over tiny tables look expensive: JIT would compile most of the time.
        self._run("pg_ctl", "-D", data, "-w", "-l", f"{data}/log", "-o",
                  f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
                  " -c fsync=off -c jit=off -c shared_buffers=16MB -c timezone=UTC", "start")
        self.empty()
        return self

    def empty(self):
        """Ends all sessions, drops all databases and roles, and makes those of the tests anew."""
        with self.connect(user="postgres", dbname="template1") as connection:
            for (name,) in connection.execute(
                    "select quote_ident(datname) from pg_database where not datistemplate"):
                connection.execute(f"drop database {name} with (force)")
            for (name,) in connection.execute(
                    "select quote_ident(rolname) from pg_roles where oid >= 16384"):
                connection.execute(f"drop role {name}")
            connection.execute(f"create role {self.user} login")
            for name, owner in (("postgres", "postgres"), (self.database, self.user)):
                connection.execute(f"create database {name} owner {owner}")

    def __exit__(self, *_):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


class PgBouncer(Server):
    """PgBouncer in front of a server, in one pool mode. With users (name: password) it asks for
    SCRAM and logs in to the server with the same; without, it believes everybody. More settings of
    its configuration file may be given by name."""

    def __init__(self, server, pool_mode, users=None, **settings):
        self.users = users
        self.settings = {"default_pool_size": 4, **settings}
        self.server = server
        self.pool_mode = pool_mode
        self.user = server.user
        self.database = server.database
        self.process = None
        self.folder = None

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program, "PgBouncer is not installed; the Debian package is pgbouncer"
        self.folder = tempfile.mkdtemp(prefix="connbench-test-bouncer.")
        self.port = free_port()
        config = pathlib.Path(self.folder, "pgbouncer.ini")
        config.write_text(
            "[databases]\n"
            f"* = host={self.server.host} port={self.server.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = {self.host}\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {self.pool_mode}\n" +
            "".join(f"{name} = {value}\n" for name, value in self.settings.items()) +
            "max_client_conn = 200\nignore_startup_parameters = extra_float_digits,options\n"
            f"logfile = {self.folder}/log\npidfile =\n")
        if self.users:
            self._ask_for_passwords(config)
        else:
            # Under auth_type any every client is one user, given with the database.
            config.write_text(config.read_text().replace(
                "[pgbouncer]", f"[pgbouncer]\nadmin_users = {self.user}", 1).replace(
                    "* = host", f"* = user={self.user} host", 1))
        command = [program, str(config)]
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                       *command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(self._accepts, START_TIMEOUT_S, "PgBouncer accepts connections")
        return self

    def _ask_for_passwords(self, config):
        users = pathlib.Path(self.folder, "users")
        quoted = [[word.replace('"', '""') for word in user] for user in self.users.items()]
        users.write_text("".join(f'"{name}" "{password}"\n' for name, password in quoted))
        config.write_text(config.read_text().replace(
            "auth_type = any", f"auth_type = scram-sha-256\nauth_file = {users}"))

    def admin(self, command):
        """Runs a command of the administration console; its rows, by the names of their columns."""
        lines = self.run("psql", "-X", "-A", "-d", "pgbouncer", "-c", command).stdout.splitlines()
        names = lines[0].split("|")
        return [dict(zip(names, line.split("|"))) for line in lines[1:] if "|" in line]

    def log_text(self):
        try:
            return pathlib.Path(self.folder, "log").read_text()
        except FileNotFoundError:
            return "it has written no log"

    def _accepts(self):
        assert self.process.poll() is None, self.log_text()
        with contextlib.suppress(OSError):
            self.raw().close()
            return True
        return False

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=STOP_TIMEOUT_S)
        if self.folder is not None:
            shutil.rmtree(self.folder)
