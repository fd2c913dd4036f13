"""A data directory: what was answered is there after the server was killed, and a directory that
cannot be used is refused."""
import os
import signal

import pytest

import crash_torture
from crash_torture import durable
from generated import cases, seed as first_seed
from servers import CLIENT_TIMEOUT_S, Connbench, wait_until

KILLS = 2


@pytest.mark.generated
@pytest.mark.parametrize("durable_model", crash_torture.MODELS)
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(binary, tmp_path, durable_model):
    crash_torture.torture(binary, durable_model, tmp_path / "data", cases(KILLS), first_seed())


def test_a_backend_that_is_killed_costs_no_data(binary, model, tmp_path):
    server = durable(binary, model, tmp_path / "data").start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (a int)")
        connection.execute("insert into t select g from generate_series(1, 1000) g")
        os.kill(server.children()[-1], signal.SIGKILL)  # the youngest: a backend, or the server
    wait_until(lambda: "ready again" in server.stderr(), CLIENT_TIMEOUT_S, "it starts again")
    assert "recovering the data" in server.stderr()
    assert server.query("select count(*), sum(a) from t", user="postgres") == [(1000, 500500)]
    server.process.terminate()
    assert server.process.wait(CLIENT_TIMEOUT_S) == 0
    server.kill_everything()


def test_a_directory_in_use_is_refused(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder) as server:
        refused = server.run(binary, "serve", "-p", "0", "--data", folder, check=False)
        assert refused.returncode == 1
        assert f"{folder} is in use by the server with pid {server.process.pid}" in refused.stderr


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def flip(path, offset):
    damaged = bytearray(path.read_bytes())
    damaged[offset] ^= 1
    path.write_bytes(damaged)
    return path


def damage_control(folder):
    return flip(folder / "control", 20), 64, "the checksum is wrong"


def damage_checkpoint(folder):
    checkpoint, = folder.glob("checkpoint.*")
    return flip(checkpoint, 20), 0, "the record's checksum is wrong"


def lose_checkpoint(folder):
    checkpoint, = folder.glob("checkpoint.*")
    checkpoint.unlink()
    return checkpoint, 0, "the file is missing"


def cut_checkpoint(folder):
    checkpoint, = folder.glob("checkpoint.*")
    os.truncate(checkpoint, 5000)
    return checkpoint, 5000, "the file ends here"


def damage_pages(folder):
    """One byte of each page, so that it does not matter which of them are in use."""
    pages = folder / "pages"
    for offset in range(4000, pages.stat().st_size, 8192):
        flip(pages, offset)
    return pages, None, "the checksum is wrong"


def lose_pages(folder):
    (folder / "pages").unlink()
    return folder / "pages", 0, "the file is missing"


def damage_log(folder):
    """The record that stands before the three commits."""
    log, = (folder / "wal").iterdir()
    begins = log.read_bytes().index(b"the first of three")
    return flip(log, begins), None, "no sound record begins here, but the one at"


@pytest.mark.parametrize("damage", [damage_control, damage_checkpoint, lose_checkpoint,
                                    cut_checkpoint, damage_pages, lose_pages, damage_log])
def test_a_damaged_directory_is_refused_and_kept(binary, tmp_path, damage):
    folder = tmp_path / "data"
    server = durable(binary, "thread", folder).start()
    with server.connect(user="postgres") as connection:
        connection.execute("create table t (a text primary key)")
        for text in ("the first of three", "the second", "the third"):
            connection.execute("insert into t values (%s)", (text,))
    crash_torture.kill_server(server)
    crash_torture.verify(server, binary, folder)
    path, offset, what = damage(folder)
    before = contents(folder)
    refused = server.run(binary, "serve", "-p", "0", "--data", folder, check=False)
    found = server.run(binary, "verify", "--data", folder, check=False)
    assert refused.returncode == 1
    assert found.returncode == 2
    for text in (f"{path}, offset {'' if offset is None else offset}", what):
        assert text in refused.stderr
        assert text in found.stdout
    after = contents(folder)
    assert {path: bytes for path, bytes in after.items() if path.name != "lock"} == {
        path: bytes for path, bytes in before.items() if path.name != "lock"}


def test_verify_says_what_it_has_read_or_why_it_cannot(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder) as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int primary key, b text)")
            connection.execute("create index on t (b, a)")
            connection.execute("insert into t select g, 'row ' || g from "
                               "generate_series(1, 3000) g")
        refused = server.run(binary, "verify", "--data", folder, check=False)
        assert refused.returncode == 1
        assert f"is in use by the server with pid {server.process.pid}" in refused.stderr
    found = server.run(binary, "verify", "--data", folder)
    assert "sound" in found.stdout
    assert "2 tables with 3 indexes" in found.stdout  # with that of the roles
    assert "the server was shut down" in found.stdout
    nothing = server.run(binary, "verify", "--data", tmp_path / "nothing", check=False)
    assert nothing.returncode == 1
    assert f"{tmp_path}/nothing/control" in nothing.stderr


@pytest.mark.parametrize("command", [["serve", "-p", "0"], ["verify"]])
def test_an_empty_name_is_no_directory(binary, tmp_path, command):
    server = durable(binary, "thread", tmp_path / "data")
    refused = server.run(binary, *command, "--data", "", check=False)
    assert refused.returncode == 1
    assert "names no folder" in refused.stderr


def test_the_log_does_not_grow_for_ever(binary, tmp_path):
    folder = tmp_path / "data"
    with durable(binary, "thread", folder, max_wal_size="2MB") as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int primary key, b text)")
            connection.execute("insert into t select g, repeat('x', 200) from "
                               "generate_series(1, 2000) g")
            for _ in range(40):
                connection.execute("update t set b = repeat('y', 200)")
        # The checkpointer works beside the commits, so that it may be a little behind.
        wait_until(lambda: len(list((folder / "wal").glob("0*"))) <= 2 and
                   len(list((folder / "wal").iterdir())) <= 6 and
                   len(list(folder.glob("checkpoint.*"))) == 1, CLIENT_TIMEOUT_S,
                   "what is not needed is gone")
    with durable(binary, "thread", folder) as server:
        assert server.query("select count(*), min(b) from t", user="postgres") == [
            (2000, "y" * 200)]
