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


def serve_refused(binary, *options, program=()):
    """What `connbench serve` says that exits without serving."""
    nobody = Connbench(binary, "thread")
    refused = nobody.run(*program, binary, "serve", "--model", "thread", "-p", "0", *options,
                         check=False)
    assert refused.returncode in (1, 2), refused.stderr
    assert "ready" not in refused.stdout
    return refused.stderr


@pytest.fixture
def used_folder(binary, tmp_path):
    """A data directory of a server that was shut down."""
    folder = tmp_path / "data"
    with durable(binary, "thread", folder) as server:
        with server.connect(user="postgres") as connection:
            connection.execute("create table t (a int); insert into t values (1)")
    return folder


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o770])
def test_a_directory_that_is_open_to_others_is_refused(binary, used_folder, mode):
    used_folder.chmod(mode)
    said = serve_refused(binary, "--data", used_folder)
    assert f"data directory {used_folder} has invalid permissions: its mode is 0{mode:o}" in said
    assert f"chmod 0700 {used_folder}" in said
    used_folder.chmod(0o750)
    with durable(binary, "thread", used_folder) as server:
        assert server.query("select a from t", user="postgres") == [(1,)]


def test_an_empty_folder_becomes_its_owners_alone(binary, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    with durable(binary, "thread", folder):
        assert folder.stat().st_mode & 0o7777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_directory_of_another_user_is_refused(binary, used_folder):
    os.chown(used_folder, 65534, -1)
    said = serve_refused(binary, "--data", used_folder)
    assert f"data directory {used_folder} has wrong ownership: it belongs to user 65534" in said


@pytest.mark.parametrize("name", ["wal", "pages", "wal/*"])
def test_what_cannot_be_written_is_found_at_the_start(binary, used_folder, name):
    path, = used_folder.glob(name)
    path.chmod(0o500 if path.is_dir() else 0o400)
    # Permissions do not bind root, who may do without that.
    without = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    said = serve_refused(binary, "--data", used_folder, program=without)
    assert str(path) in said and "Permission denied" in said
    path.chmod(0o700)
    with durable(binary, "thread", used_folder) as server:
        assert server.query("select a from t", user="postgres") == [(1,)]


def test_bytes_behind_a_checkpoints_end_are_damage_to_the_server_and_to_verify(binary, used_folder):
    checkpoint, = used_folder.glob("checkpoint.*")
    end = checkpoint.stat().st_size
    with checkpoint.open("ab") as file:
        file.write(b"x")
    finding = f"{checkpoint}, offset {end}: the file goes on behind the checkpoint's end"
    assert finding in serve_refused(binary, "--data", used_folder)
    found = Connbench(binary, "thread").run(binary, "verify", "--data", used_folder, check=False)
    assert found.returncode == 2 and finding in found.stdout


def test_settings_that_contradict_each_other_are_named(binary, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    said = serve_refused(binary, "--data", one, "--set", f"data_directory={two}")
    assert f"--data {one} and --set data_directory={two} name different directories" in said
    assert not one.exists() and not two.exists()
    said = serve_refused(binary, "--data", one, "--set", "engine=canned")
    assert "engine=canned has no data: data_directory must be empty" in said
    with Connbench(binary, "thread", synchronous_commit="on", work_mem="1MB") as server:
        said = server.stderr()
        assert "synchronous_commit=on has no effect without a data directory" in said
        assert "work_mem" not in said
    with durable(binary, "thread", one, synchronous_commit="on") as server:
        assert "has no effect" not in server.stderr()


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
