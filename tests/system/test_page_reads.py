"""A page that is away: the session that wants it waits, and nobody else."""
import concurrent.futures
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import threading

import psycopg
import pytest

from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

# One loop, or one worker at first, for all sessions. The backends of pool-tx are processes, too,
# but nobody knows which one a statement gets, and what that one still has to read to plan it.
MODELS = {"fork": {}, "thread": {}, "thread-pool": {"workers": 1}, "reactor": {"reactor_loops": 1},
          "reactor-uring": {"reactor_loops": 1}, "fdpass": {"fdpass_workers": 1}}
# A session that reads by itself stops the others of its thread there.
LOOPS = {"reactor", "reactor-uring", "fdpass"}
ROWS = 12_000
PADDING = "x" * 950


class HeldReads:
    """While it holds, every read of a page that is away waits."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.library = self.folder / "held_reads.so"
        self.held = self.folder / "held"
        source = pathlib.Path(__file__).with_name("held_reads.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, source, "-ldl"],
                       check=True, timeout=CLIENT_TIMEOUT_S)

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "HELD_READS": str(self.held)}

    @contextlib.contextmanager
    def holding(self):
        self.held.touch()
        try:
            yield
        finally:
            self.held.unlink(missing_ok=True)

    def waiting(self):
        return list(self.folder.glob("held.*"))


@contextlib.contextmanager
def started(binary, model, folder, io_method, held=None, **settings):
    server = Connbench(binary, model, data_directory=folder, shared_buffers="1MB",
                       io_method=io_method, fsync="off", **{**MODELS.get(model, {}), **settings})
    if held is not None:
        server.more_environment = held.environment()
    with server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (id int primary key, pad text)")
            connection.execute("create table warm (id int primary key)")
            connection.execute("insert into warm select g from generate_series(1, 100) g")
            connection.execute(f"insert into t select g, '{PADDING}'"
                               f" from generate_series(1, {ROWS}) g")
            connection.execute("checkpoint")
        yield server


ACTIVITY = "select wait_event_type, wait_event from pg_stat_activity where pid = %s"
FIRST_ROW = "select length(pad) from t where id = 1"
WARM_ROW = "select id from warm where id = 50"


@pytest.mark.parametrize("io_method", ["sync", "worker"])
@pytest.mark.parametrize("waiting_model", MODELS)
def test_others_go_on_while_a_session_waits_for_a_page(binary, tmp_path, waiting_model, io_method):
    if io_method == "sync" and waiting_model in LOOPS:
        pytest.skip("the loop itself reads: PostgreSQL's way, and what the setting is there for")
    held = HeldReads(tmp_path)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            started(binary, waiting_model, tmp_path / "data", io_method, held))
        reader, other = (stack.enter_context(server.connect(user="postgres")) for _ in range(2))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        pid = reader.execute("select pg_backend_pid()").fetchone()[0]
        # The first row is away afterwards, and what the other one needs is not.
        other.execute("select count(*) from t where length(pad) > 0")
        reader.execute(WARM_ROW)
        for _ in range(3):
            other.execute(WARM_ROW)
            other.execute(ACTIVITY, [pid])
        reader.execute(FIRST_ROW.replace("= 1", f"= {ROWS}"))
        with held.holding():
            answer = pool.submit(lambda: reader.execute(FIRST_ROW).fetchone())
            wait_until(held.waiting, CLIENT_TIMEOUT_S, "the page is being read")
            for _ in range(50):
                assert other.execute(WARM_ROW).fetchone() == (50,)
            assert other.execute(ACTIVITY, [pid]).fetchone() == ("IO", "DataFileRead")
            assert not answer.done()
            if io_method == "worker":
                # Who waits can be cancelled, and the read goes on.
                reader.cancel()
                with pytest.raises(psycopg.errors.QueryCanceled):
                    answer.result(CLIENT_TIMEOUT_S)
                answer = pool.submit(lambda: reader.execute(FIRST_ROW).fetchone())
            assert other.execute(WARM_ROW).fetchone() == (50,)
        assert answer.result(CLIENT_TIMEOUT_S) == (len(PADDING),)
        assert other.execute("select blks_read > 0, blk_read_time > 0 from pg_stat_database"
                             ).fetchone() == (True, True)


def read_rows(server, seed, count):
    chance = random.Random(seed)
    done = 0
    with contextlib.suppress(psycopg.OperationalError):
        with server.connect(user="postgres") as connection:
            for _ in range(count):
                row = chance.randrange(1, ROWS + 1)
                assert connection.execute("select length(pad) from t where id = %s",
                                          (row,)).fetchone() == (len(PADDING),)
                done += 1
    return done


def worker_process(server, name):
    for pid in server.processes():
        for comm in pathlib.Path(f"/proc/{pid}/task").glob("*/comm"):
            with contextlib.suppress(OSError):
                if comm.read_text().strip() == name:
                    return pid
    return None


@pytest.mark.parametrize("killed_model", ["fork", "reactor"])
def test_an_io_worker_that_is_killed_comes_back_and_nobody_hangs(binary, tmp_path, killed_model):
    held = HeldReads(tmp_path)
    with concurrent.futures.ThreadPoolExecutor(4) as pool, started(
            binary, killed_model, tmp_path / "data", "worker", held, io_workers=2) as server:
        with held.holding():
            clients = [pool.submit(read_rows, server, seed, 1_000_000) for seed in range(4)]
            wait_until(held.waiting, CLIENT_TIMEOUT_S, "a page is being read")
            os.kill(worker_process(server, "io worker 0"), signal.SIGKILL)
            for client in clients:
                client.result(CLIENT_TIMEOUT_S)
        for mark in held.waiting():
            mark.unlink()
        wait_until(lambda: "ready again" in server.stderr(), CLIENT_TIMEOUT_S, "it starts again")
        wait_until(lambda: worker_process(server, "io worker 0"), CLIENT_TIMEOUT_S, "it has a name")
        for client in [pool.submit(read_rows, server, seed, 50) for seed in range(4)]:
            assert client.result(CLIENT_TIMEOUT_S) == 50
        who = "io worker 0" if killed_model == "fork" else "server"
        assert f"{who} process (pid " in server.stderr()
        # What it has to say about the kill would be trouble for the usual end.
        server.log.truncate(0)


def forget_cached_pages(folder, enough):
    """Has the kernel read from the disk what it is asked for, if the file system is on one."""
    with open(folder / "pages", "rb") as pages:
        while not enough.wait(0.02):
            os.fsync(pages.fileno())
            os.posix_fadvise(pages.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rings(pid):
    count = 0
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            count += "io_uring" in os.readlink(descriptor)
    return count


@pytest.mark.parametrize("killed_model", MODELS)
def test_a_process_that_is_killed_amid_its_reads(binary, tmp_path, killed_model):
    """What the kernel still does for it must not reach those who come afterwards. Nor has anybody a
    ring who reads nothing."""
    enough = threading.Event()
    folder = tmp_path / "data"
    with concurrent.futures.ThreadPoolExecutor(9) as pool, started(
            binary, killed_model, folder, "io_uring") as server:
        assert rings(server.process.pid) == 0
        with server.connect(user="postgres") as idle, server.connect(user="postgres"):
            if killed_model == "fork":
                assert sum(map(rings, server.children())) <= 1
            forgetting = pool.submit(forget_cached_pages, folder, enough)
            clients = [pool.submit(read_rows, server, seed, 1_000_000) for seed in range(8)]
            read = "select blks_read from pg_stat_database"
            before = idle.execute(read).fetchone()[0]
            wait_until(lambda: idle.execute(read).fetchone()[0] > before + 1000, CLIENT_TIMEOUT_S,
                       "pages are being read")
            os.kill(max(server.children(), key=rings), signal.SIGKILL)
        for client in clients:
            assert client.result(CLIENT_TIMEOUT_S) > 0
        enough.set()
        forgetting.result(CLIENT_TIMEOUT_S)
        wait_until(lambda: "ready again" in server.stderr(), CLIENT_TIMEOUT_S, "it starts again")
        for client in [pool.submit(read_rows, server, seed, 200) for seed in range(8)]:
            assert client.result(CLIENT_TIMEOUT_S) == 200
        assert server.query("select count(*), sum(length(pad)) from t", user="postgres"
                            ) == [(ROWS, ROWS * len(PADDING))]
        # What it has to say about the kill would be trouble for the usual end.
        server.log.truncate(0)


def test_a_setting_without_effect_says_so(binary):
    with Connbench(binary, "thread", io_method="worker") as server:
        assert "io_method=worker has no effect without a data directory" in server.stderr()
        assert server.query("show io_method") == [("worker",)]
        assert server.query("select setting from pg_settings where name = 'io_workers'"
                            ) == [("3",)]
