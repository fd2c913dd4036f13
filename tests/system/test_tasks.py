"""The engine's tasks in a server: who runs them, what they do, and that they come back."""
import contextlib
import os
import pathlib
import signal

import psycopg
import pytest

from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

TASKS = {"checkpointer", "walwriter"}
MODELS_OF_PROCESSES = ["fork", "pool-tx", "fdpass"]
MODELS_OF_THREADS = ["thread", "thread-pool", "reactor"]
BOTH = pytest.mark.parametrize("with_tasks", MODELS_OF_PROCESSES + MODELS_OF_THREADS)


def durable(binary, model, folder, **settings):
    return Connbench(binary, model, data_directory=folder, shared_buffers="32MB", **settings)


def task_names(pid):
    """The names of all threads of a process."""
    names = {}
    for comm in pathlib.Path(f"/proc/{pid}/task").glob("*/comm"):
        with contextlib.suppress(OSError):
            names[int(comm.parent.name)] = comm.read_text().strip()
    return names


def tasks(server):
    """{name: (process, thread)} of the tasks that there are now."""
    found = {}
    for pid in server.processes():
        for thread, name in task_names(pid).items():
            if name in TASKS:
                assert name not in found, f"{name} is there twice"
                found[name] = (pid, thread)
    return found


def wait_for_tasks(server):
    return wait_until(lambda: found if (found := tasks(server)).keys() == TASKS else None,
                      CLIENT_TIMEOUT_S, "the tasks are there")


@BOTH
def test_each_task_is_a_process_or_a_thread_as_the_sessions_are(binary, tmp_path, with_tasks):
    with durable(binary, with_tasks, tmp_path / "data") as server:
        for pid, thread in wait_for_tasks(server).values():
            assert (pid == thread) == (with_tasks in MODELS_OF_PROCESSES)


@pytest.mark.parametrize("without_tasks", ["fork", "thread"])
def test_in_memory_there_are_none(binary, without_tasks):
    with Connbench(binary, without_tasks) as server:
        assert server.query("select 1") == [(1,)]
        assert tasks(server) == {}


@BOTH
def test_the_log_and_its_checkpoints_are_counted(binary, tmp_path, with_tasks):
    def counted(connection):
        wal = connection.execute("select wal_records, wal_bytes, wal_write, wal_sync,"
                                 " wal_sync_time, stats_reset < now() from pg_stat_wal").fetchone()
        checkpoints = connection.execute(
            "select checkpoints_timed, checkpoints_req, buffers_checkpoint,"
            " checkpoint_write_time from pg_stat_bgwriter").fetchone()
        return wal, checkpoints

    with durable(binary, with_tasks, tmp_path / "data") as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int primary key, b text)")
            before, checkpoints_before = counted(connection)
            assert before[5] is True
            assert checkpoints_before == (0, 0, 0, 0)
            for number in range(10):
                connection.execute("insert into t values (%s, 'x')", [number])
            after, checkpoints = counted(connection)
            assert after[0] >= before[0] + 20  # a row's page, and a commit
            assert after[1] > before[1]
            assert after[2] >= before[2] + 10 and after[3] >= before[3] + 10
            assert after[4] > before[4]
            assert checkpoints == (0, 0, 0, 0)
            connection.execute("checkpoint")
            _, checkpoints = counted(connection)
            assert checkpoints[:2] == (0, 1) and checkpoints[2] > 0 and checkpoints[3] > 0


@BOTH
def test_the_checkpointer_makes_the_checkpoints(binary, tmp_path, with_tasks):
    with durable(binary, with_tasks, tmp_path / "data", max_wal_size="2MB") as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int primary key, b text)")
            connection.execute("checkpoint")
            assert "(asked for): " in server.stderr()
            for _ in range(5):
                connection.execute("insert into t select g, repeat('x', 500) from "
                                   "generate_series(1, 2000) g")
                connection.execute("delete from t")
                connection.execute("vacuum t")
            wait_until(lambda: "(max_wal_size): " in server.stderr(), CLIENT_TIMEOUT_S,
                       "the log has grown, and a checkpoint is made")


@BOTH
def test_the_walwriter_writes_what_no_commit_waits_for(binary, tmp_path, with_tasks):
    folder = tmp_path / "data"
    server = durable(binary, with_tasks, folder, synchronous_commit="off",
                     wal_writer_delay="10ms").start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (a text)")
        connection.execute("insert into t values ('a needle in the haystack')")
    wait_until(lambda: any(b"a needle in the haystack" in path.read_bytes()
                           for path in (folder / "wal").iterdir()),
               CLIENT_TIMEOUT_S, "the row is in the log")
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not server.processes(), CLIENT_TIMEOUT_S, "its processes follow it")
    server.kill_everything()
    with durable(binary, with_tasks, folder) as server:
        assert server.query("select a from t", user="postgres") == [("a needle in the haystack",)]


@BOTH
@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_task_that_is_killed_comes_back_with_the_others(binary, tmp_path, with_tasks, task):
    server = durable(binary, with_tasks, tmp_path / "data").start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (a int)")
        connection.execute("insert into t values (1)")
        before = wait_for_tasks(server)
        os.kill(before[task][0], signal.SIGKILL)
        wait_until(lambda: "ready again" in server.stderr(), CLIENT_TIMEOUT_S, "it starts again")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    after = wait_for_tasks(server)
    assert not set(after.values()) & set(before.values())
    who = task if with_tasks in MODELS_OF_PROCESSES else "server"
    assert f"{who} process (pid {before[task][0]}) was terminated by signal 9" in server.stderr()
    with server.connect(user="postgres") as connection:
        assert connection.execute("select a from t").fetchall() == [(1,)]
        connection.execute("checkpoint")
    server.process.terminate()
    assert server.process.wait(CLIENT_TIMEOUT_S) == 0
    server.kill_everything()


@pytest.mark.parametrize("with_tasks", MODELS_OF_PROCESSES)
@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_task_that_ends_in_good_order_is_begun_again_alone(binary, tmp_path, with_tasks, task):
    with durable(binary, with_tasks, tmp_path / "data") as server:
        with server.connect(user="postgres") as connection:
            before = wait_for_tasks(server)
            os.kill(before[task][0], signal.SIGTERM)
            wait_until(lambda: (after := tasks(server)).keys() == TASKS and after[task] !=
                       before[task], CLIENT_TIMEOUT_S, "there is another one")
            other, = TASKS - {task}
            assert tasks(server)[other] == before[other]
            connection.execute("checkpoint")
