"""Other servers as targets of `connbench run`: the installed PostgreSQL, PgBouncer in front of it
or of a model, any server by its connection string. What they leave behind is looked for after every
run."""
import contextlib
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from servers import MACHINE_CHECKS, wait_until

RUN_TIMEOUT_S = 120
END_TIMEOUT_S = 20


def working_in(folder):
    """Pids of the processes whose working folder lies in this one."""
    pids = []
    for cwd in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if pathlib.Path(os.readlink(cwd)).is_relative_to(folder):
                pids.append(int(cwd.parent.name))
    return pids


def clients_of(postmaster):
    """Pids of PostgreSQL's backends that have let their client in: their title says so."""
    pids = []
    with contextlib.suppress(OSError):
        for pid in pathlib.Path(
                f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            with contextlib.suppress(OSError):
                title = pathlib.Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0 ")
                if re.search(r" (\[local\]|[0-9.]+\(\d+\)) (?!startup|authentication|initializing)",
                             title):
                    pids.append(int(pid))
    return pids


def segments():
    """Ids of all System V segments."""
    lines = pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {int(line.split()[1]) for line in lines}


class Bench:
    """Runs `connbench run` with temporary files in a folder of its own."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.output = folder / "out"
        self.processes = []
        # Without tables, where it does not matter what is asked.
        (folder / "one.sql").write_text("SELECT 1;\n")
        self.select_one = folder / "select-one.toml"
        self.select_one.write_text(
            'pattern = "steady"\nprotocol = "prepared"\nscripts = [{ file = "one.sql" }]\n')

    def start(self, *arguments, **environment):
        command = [self.binary, "run", *arguments, "--repetitions", "1", "--no-charts", "--waive",
                   MACHINE_CHECKS, "-o", self.output]
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "TMPDIR": str(self.temporary), **environment})
        self.processes.append(process)
        return process

    def run(self, *arguments, expect=0, **environment):
        process = self.start(*arguments, **environment)
        try:
            _, errors = process.communicate(timeout=RUN_TIMEOUT_S)
        finally:
            process.kill()
        assert process.returncode == expect, errors
        return errors

    def rows(self, name="trials"):
        with open(self.output / f"{name}.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def postmaster(self):
        """The pid of the PostgreSQL that serves now, and its System V segment; None before that."""
        for file in self.temporary.glob("connbench-server.*/data/postmaster.pid"):
            # initdb's own servers make this file too, and remove it.
            with contextlib.suppress(FileNotFoundError):
                lines = file.read_text().splitlines()
                if len(lines) >= 8 and lines[7].startswith("ready"):
                    return int(lines[0]), int(lines[6].split()[1])
        return None

    def await_load(self, backends):
        """Waits until the load's connections are up: the postmaster, as postmaster()."""

        def up():
            found = self.postmaster()
            return found if found and len(clients_of(found[0])) >= backends else None

        return wait_until(up, RUN_TIMEOUT_S, "the load's connections are up")

    def end(self):
        """Kills what a failed test left; its servers end with it, and make no more files then."""
        for process in self.processes:
            process.kill()
            process.communicate()
        for pid in working_in(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not working_in(self.folder), END_TIMEOUT_S, "the servers have ended")

    def assert_nothing_left(self):
        assert not working_in(self.temporary)
        assert not list(self.temporary.glob("connbench-server.*"))


@pytest.fixture
def bench(binary):
    # Servers run as another user, who must be able to come here.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="connbench-test-targets."))
    folder.chmod(0o755)
    one = Bench(binary, folder)
    one.temporary.chmod(0o1777)
    yield one
    one.end()
    shutil.rmtree(folder)


def test_each_target_gives_the_same_rows(bench):
    bench.run("churn", "--models", "fork", "--targets",
              "postgres,pgbouncer+postgres,pgbouncer+fork", "-c", 4, "-T", "500ms")
    rows = {(row["target"], row["model"]): row for row in bench.rows()}
    assert set(rows) == {("builtin", "fork"), ("postgres", ""), ("pgbouncer+postgres", ""),
                         ("pgbouncer", "fork")}
    for name, row in rows.items():
        assert row["status"] == "OK", row["status_reason"]
        assert int(row["transactions_ok"]) > 0, name
        assert float(row["connect_us_p50"]) > 0, name
        assert float(row["server_cpu_us_per_connect"]) > 0, name
        assert int(row["server_processes_max"]) >= 2, name
    # A pool spares the server its connects; PostgreSQL's own are the dearest of all.
    cpu = {name: float(row["server_cpu_us_per_connect"]) for name, row in rows.items()}
    assert cpu["postgres", ""] > 3 * cpu["pgbouncer+postgres", ""]
    assert cpu["postgres", ""] > cpu["builtin", "fork"]
    sides = {(row["target"], row["side"]) for row in bench.rows("phases")}
    assert ("postgres", "client") in sides and ("builtin", "joined") in sides
    assert ("postgres", "joined") not in sides
    servers = json.loads((bench.output / "run.json").read_text())["servers"]
    assert servers["postgres"].startswith("postgres (PostgreSQL) ")
    assert servers["pgbouncer"].startswith("PgBouncer ")
    bench.assert_nothing_left()


def test_memory_of_a_backend_is_that_of_postgres(bench):
    """Private memory of an idle backend as measured elsewhere: 1.25 to 1.35 MB, not the 10 and more
    of its RSS."""
    bench.run("idle", "--targets", "postgres", "-c", 60, "-T", "300ms",
              "--set", "shared_buffers=128MB")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert 800 < float(row["private_kb_per_connection"]) < 2200
    assert 60 < float(row["page_tables_kb_per_connection"]) < 400
    assert float(row["rss_kb_per_connection"]) > 4 * float(row["private_kb_per_connection"])


def test_session_pooling_carries_prepared_statements(bench):
    errors = bench.run("steady", "--targets", "pgbouncer+fork", "-c", 4, "-T", "300ms", expect=1)
    assert "carries no prepared statements" in errors and "pool_mode" in errors
    assert not bench.output.exists()
    bench.run("steady", "--targets", "pgbouncer+fork", "-c", 4, "-T", "300ms", "--set",
              "pgbouncer.pool_mode=session")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert "pgbouncer.pool_mode=session" in row["settings"]
    bench.assert_nothing_left()


@pytest.mark.parametrize("clients", [32, 120])
def test_a_pooler_has_slots_enough_for_clients_that_come_back(bench, clients):
    """PgBouncer gives a slot free only after its client may have come back."""
    bench.run("churn", "--targets", "pgbouncer+fork", "-c", clients, "-T", "500ms", "--set",
              "pgbouncer.pool.connect_query=select 'it''s'")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert row["connects_failed"] == "0"


@pytest.mark.parametrize("target, settings", [
    ("postgres", ["max_connections=20"]),
    ("pgbouncer+fork", ["pgbouncer.max_client_conn=20"]),
])
def test_rejections_that_the_user_chose_are_counted(bench, target, settings):
    bench.run("storm", "--targets", target, "-c", 40, "--set", *settings)
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert int(row["connects_failed"]) > 0
    assert int(row["connects_ok"]) + int(row["connects_failed"]) == 40


@pytest.mark.parametrize("target, package, tools", [("postgres", "postgresql", []),
                                                    ("pgbouncer+fork", "pgbouncer", []),
                                                    ("pgbouncer+postgres", "postgresql",
                                                     ["pgbouncer"])])
def test_a_missing_program_is_said_before_any_trial(bench, target, package, tools):
    path = bench.folder / "path"
    path.mkdir()
    for tool in tools:
        found = shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin")
        (path / tool).symlink_to(found)
    errors = bench.run("steady", "--targets", target, "--set", "pgbouncer.pool_mode=session",
                       expect=1, CONNBENCH_SERVER_PATH=str(path))
    assert "is not installed" in errors
    assert f"apt-get install {package}\n" in errors
    assert not bench.output.exists()


@pytest.mark.parametrize("arguments, words", [
    (["--targets", "postgrez"], ["no target \"postgrez\"", "\"postgres\""]),
    (["--targets", "pgbouncer+nothing"], ["no target \"nothing\""]),
    (["--targets", "dsn:host=a gssencmode=require"], ["gssencmode cannot be given"]),
    (["--targets", "dsn:nonsense"], ["dsn:"]),
    (["--targets", "pgbouncer+fork", "--set", "pgbouncer.pool_mod=session"], ["pool_mode"]),
    (["--targets", "pgbouncer+fork", "--set", "pgbouncer.pkt_buf=many", "--set",
      "pgbouncer.pool_mode=session"], ["refuses its settings", "pkt_buf"]),
    (["--set", "pgbouncer.pool_mode=sesion"], ["session"]),
    (["--set", "data=on"], ["invalid value for parameter \"data\": \"on\"", "temporary"]),
    (["--set", "data=/nowhere/at/all"], ["invalid value", "folder that exists"]),
    (["--data", "/tmp", "--set", "data=memory"], ["--data and --set data=memory"]),
    (["--data", "/nowhere/at/all"], ["--data /nowhere/at/all: No such file or directory"]),
    (["--set", "postgresql.fsync=on"], ["no part of a target is called \"postgresql\""]),
    (["--targets", "postgres", "--set", "postgres.fsinc=on"],
     ["unrecognized configuration parameter \"fsinc\""]),
    (["--targets", "postgres", "--set", "postgres.fsync=perhaps"], ["requires a Boolean value"]),
])
def test_mistakes_are_said_before_any_trial(bench, arguments, words):
    errors = bench.run("steady", *arguments, expect=1)
    for word in words:
        assert word in errors
    assert not bench.output.exists()
    bench.assert_nothing_left()


LOG_COLUMNS = ["log_bytes_per_transaction", "log_flushes_per_transaction",
               "transactions_per_log_flush", "commit_wait_us_per_transaction", "checkpoints",
               "page_reads_per_transaction", "page_read_wait_us_per_transaction",
               "page_writes_per_transaction"]


def test_servers_that_keep_data_tell_what_their_log_did(bench):
    """Each commit of a client alone is a flush of its own, in every server."""
    folder = bench.folder / "disk"
    folder.mkdir()
    folder.chmod(0o1777)
    bench.run("simple-update", "--models", "fork,thread,pool-tx", "--targets",
              "postgres,pgbouncer+thread", "-c", 1, "-T", "3s", "--data", folder,
              "--set", "shared_buffers=64MB", "--set", "pgbouncer.pool_mode=session")
    rows = {row["contender"]: row for row in bench.rows()}
    assert len(rows) == 5
    for name, row in rows.items():
        assert row["status"] == "OK", row["status_reason"]
        assert float(row["log_bytes_per_transaction"]) > 100, name
        # PostgreSQL's sessions tell up to a second late.
        low, high = (0.6, 1.4) if name == "postgres" else (0.95, 1.05)
        assert low < float(row["log_flushes_per_transaction"]) < high, name
        assert 1 / high < float(row["transactions_per_log_flush"]) < 1 / low, name
        assert row["checkpoints"] == "0", name
        if name == "postgres":
            assert row["commit_wait_us_per_transaction"] == ""
        else:
            wait_us = float(row["commit_wait_us_per_transaction"])
            assert 0 < wait_us < float(row["latency_us_mean"]), name
    assert not list(folder.iterdir())
    bench.assert_nothing_left()


def test_pages_that_do_not_fit_into_the_pool_are_counted(bench):
    """A small cell of the suite larger-than-memory."""
    bench.run("select-only", "--models", "thread", "--targets", "postgres", "-c", 2, "-T", "1s",
              "--set", "data=temporary", "--set", "shared_buffers=1MB", "--set", "fsync=off",
              "--set", "io_method=worker")
    rows = {row["contender"]: row for row in bench.rows()}
    assert len(rows) == 2
    for name, row in rows.items():
        assert row["status"] == "OK", row["status_reason"]
        assert float(row["page_reads_per_transaction"]) > 0.3, name
    assert float(rows["thread"]["page_read_wait_us_per_transaction"]) > 0
    assert rows["postgres"]["page_read_wait_us_per_transaction"] == ""
    bench.assert_nothing_left()


def test_servers_without_a_data_directory_have_no_log_to_tell_of(bench):
    bench.run("simple-update", "--models", "thread", "--targets", "postgres", "-c", 1, "-T",
              "300ms", "--set", "shared_buffers=64MB")
    for row in bench.rows():
        assert row["status"] == "OK", row["status_reason"]
        assert [row[column] for column in LOG_COLUMNS] == [""] * len(LOG_COLUMNS)
    bench.assert_nothing_left()


def test_data_directories_are_kept_on_request(bench, binary):
    errors = bench.run("simple-update", "--models", "thread", "--targets", "postgres", "-c", 1,
                       "-T", "300ms", "--set", "data=temporary", "--keep-data")
    kept = [pathlib.Path(path) for path in re.findall(r"^kept (.*)$", errors, re.MULTILINE)]
    assert sorted(kept) == sorted(bench.temporary.glob("connbench-kept.*"))
    ours, theirs = sorted(kept, key=lambda folder: (folder / "data" / "PG_VERSION").exists())
    assert (theirs / "data" / "PG_VERSION").exists()
    verified = subprocess.run([binary, "verify", "--data", ours / "data"], capture_output=True,
                              text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert "the server was shut down" in verified.stdout
    bench.assert_nothing_left()


@pytest.mark.parametrize("target", ["postgres", "pgbouncer+postgres"])
def test_a_server_that_dies_makes_the_trial_invalid(bench, target):
    before = segments()
    process = bench.start(bench.select_one, "--targets", target, "-c", 8, "-T", "60s", "--set",
                          "pgbouncer.pool_mode=session")
    pid, segment = bench.await_load(backends=8)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    _, errors = process.communicate(timeout=RUN_TIMEOUT_S)
    assert time.monotonic() - began < END_TIMEOUT_S
    assert process.returncode == 3, errors
    row, = bench.rows()
    assert row["status"] == "INVALID"
    assert "PostgreSQL" in row["status_reason"] and "SIGKILL" in row["status_reason"]
    assert segment not in before and segment not in segments()
    bench.assert_nothing_left()


def test_an_interrupted_run_leaves_nothing(bench):
    process = bench.start(bench.select_one, "--targets", "pgbouncer+postgres", "-c", 8, "-T", "60s",
                          "--set", "pgbouncer.pool_mode=session")
    bench.await_load(backends=8)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 130, errors
    bench.assert_nothing_left()


def test_a_killed_harness_takes_its_servers_along_and_the_next_sweeps(bench):
    process = bench.start(bench.select_one, "--targets", "pgbouncer+postgres", "-c", 8, "-T", "60s",
                          "--set", "pgbouncer.pool_mode=session")
    _, segment = bench.await_load(backends=8)
    process.kill()
    process.communicate()
    wait_until(lambda: not working_in(bench.temporary), END_TIMEOUT_S, "the servers have ended")
    assert list(bench.temporary.glob("connbench-server.*"))
    shutil.rmtree(bench.output)
    bench.run(bench.select_one, "--targets", "postgres", "-c", 2, "-T", "200ms")
    assert segment not in segments()
    bench.assert_nothing_left()


@pytest.fixture
def database(postgres):
    """A database of the test's own in the shared PostgreSQL."""
    with postgres.connect(user="postgres", dbname="postgres") as admin:
        admin.execute(f"create database bench owner {postgres.user}")
    yield f"dsn:postgresql://{postgres.user}@{postgres.host}:{postgres.port}/bench"
    with postgres.connect(user="postgres", dbname="postgres") as admin:
        admin.execute("drop database bench with (force)")


def test_a_server_by_its_connection_string(bench, postgres, database):
    arguments = ["select-only", "--targets", database, "-c", 4, "-T", "300ms"]
    bench.run(*arguments, expect=3)
    assert "dsn.setup=on" in bench.rows()[0]["status_reason"]
    shutil.rmtree(bench.output)

    bench.run(*arguments, "--set", "dsn.setup=on")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert row["target"] == f"dsn:bench@{postgres.host}:{postgres.port}"
    # It is on this machine, so its backends are seen.
    assert float(row["server_cpu_us_per_transaction"]) > 0
    assert postgres.query("select count(*) from pgbench_accounts", dbname="bench") == [(100000,)]


def test_tables_of_a_user_are_never_dropped(bench, postgres, database):
    with postgres.connect(dbname="bench") as owner:
        owner.execute("create table pgbench_branches(mine int)")
        owner.execute("insert into pgbench_branches values (42)")
    bench.run("select-only", "--targets", database, "-c", 2, "-T", "300ms", "--set", "dsn.setup=on",
              expect=3)
    assert "pgbench_branches\" already exists" in bench.rows()[0]["status_reason"]
    assert postgres.query("select mine from pgbench_branches", dbname="bench") == [(42,)]
    # Nor is half of a set-up left, which the next run would take for whole.
    assert postgres.query("select to_regclass('pgbench_accounts')", dbname="bench") == [(None,)]


def test_an_unreachable_server_is_said_before_any_trial(bench):
    errors = bench.run("select-only", "--targets", "dsn:host=127.0.0.1 port=1 user=nobody",
                       expect=1)
    assert "127.0.0.1" in errors
    assert not bench.output.exists()


def test_the_suite_postgres_measures_models_beside_real_servers(binary):
    result = subprocess.run([str(binary), "run", "postgres", "--dry-run"], capture_output=True,
                            text=True, timeout=RUN_TIMEOUT_S, check=True)
    cells = {line.split(" #")[0] for line in result.stdout.splitlines()}
    for contender in ("model:fork", "model:thread", "model:thread-pool", "target:postgres",
                      "target:pgbouncer+postgres", "target:pgbouncer+fork"):
        for workload in ("storm", "churn", "steady", "idle"):
            assert any(cell.startswith(f"{contender}/workload:{workload}/") for cell in cells)


@pytest.mark.parametrize("name, program", [("haproxy", "haproxy"), ("pgpool", "pgpool")])
@pytest.mark.parametrize("server", ["postgres", "fork"])
def test_targets_described_in_toml_are_measured(bench, name, program, server):
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip(f"{program} is not installed")
    bench.run("churn", "--targets", f"{name}+{server}", "-c", 4, "-T", "500ms")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert row["target"] == (f"{name}+postgres" if server == "postgres" else name)
    assert row["model"] == ("" if server == "postgres" else server)
    assert int(row["transactions_ok"]) > 0
    bench.assert_nothing_left()


STAND_ALONE = """
description = "A model of ours, as if it were somebody else's."
command = ["{serve}", "--model", "thread", "-h", "{{host}}", "-p", "{{port}}",
           "--set", "work_mem={{memory}}"]
tables = "fresh"
lacks = ["prepared"]
{more}
[settings]
memory = "1MB"
"""


def test_a_server_of_ones_own_stands_alone(bench, binary):
    file = bench.folder / "mine.toml"
    serve = pathlib.Path(binary).parent / "connbench-serve"
    file.write_text(STAND_ALONE.format(serve=serve, more=""))
    bench.run("churn", "--targets", f"file:{file}", "-c", 4, "-T", "300ms", "--set",
              "target.memory=2MB")
    row, = bench.rows()
    assert row["status"] == "OK", row["status_reason"]
    assert row["target"] == "mine" and "target.memory=2MB" in row["settings"]
    assert float(row["server_cpu_us_per_connect"]) > 0
    shutil.rmtree(bench.output)
    for arguments, words in [(["steady"], ["mine lacks the protocol mode prepared"]),
                             (["churn", "--set", "target.memry=1MB"], ["no setting", "memory"])]:
        errors = bench.run(*arguments, "--targets", f"file:{file}", expect=1)
        for word in words:
            assert word in errors
    bench.assert_nothing_left()


def test_a_port_in_use_is_said(bench, binary, server):
    file = bench.folder / "mine.toml"
    serve = pathlib.Path(binary).parent / "connbench-serve"
    file.write_text(STAND_ALONE.format(serve=serve, more=f"port = {server.port}"))
    bench.run("churn", "--targets", f"file:{file}", "-c", 2, "-T", "300ms", expect=3)
    assert f"port {server.port} of mine is in use" in bench.rows()[0]["status_reason"]
