"""A run's folder contains the run: its inputs, how its contenders were configured, and enough to go
on or to be done again."""
import csv
import json
import shutil
import signal
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S, MACHINE_CHECKS, STOP_TIMEOUT_S, kill_session, wait_until

TABLES = """DROP TABLE IF EXISTS mine;
CREATE TABLE mine (a int PRIMARY KEY, b int);
INSERT INTO mine SELECT i, i FROM generate_series(1, 100) AS i;
"""
SUITE = """{contenders}repetitions = {repetitions}
[set]
shared_buffers = "32MB"
[[experiment]]
workload = "queries/mine.toml"
connections = 2
duration = "300ms"
warmup = "0s"
"""


@pytest.fixture
def suite(tmp_path):
    """suite(script=..., tables=..., models=..., ...) -> path of a suite with a workload beside
    it."""
    def make(script="SELECT b FROM mine WHERE a = 7;\n", tables=TABLES, models=("thread",),
             targets=(), repetitions=1):
        folder = tmp_path / "source"
        (folder / "queries").mkdir(parents=True, exist_ok=True)
        (folder / "queries/mine.toml").write_text(
            'scripts = [{ file = "mine.sql" }]\nsetup = "tables.sql"\ntables = ["mine"]\n')
        (folder / "queries/mine.sql").write_text(script)
        (folder / "queries/tables.sql").write_text(tables)
        path = folder / "suite.toml"
        named = "".join(f"{key} = {json.dumps(names)}\n"
                        for key, names in (("models", models), ("targets", targets)) if names)
        path.write_text(SUITE.format(contenders=named, repetitions=repetitions))
        return path
    return make


def call(binary, *words, **options):
    return subprocess.run([str(binary), *map(str, words)], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S, **options)


def run(binary, path, out, *more):
    return call(binary, "run", path, "-o", out, "--waive", MACHINE_CHECKS, "--no-charts", *more)


def trials(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def contenders(folder):
    reports = json.loads((folder / "contenders.json").read_text())
    return {report["contender"]: report for report in reports}


def test_it_holds_its_inputs_and_sha256sum_agrees(binary, suite, tmp_path):
    path = suite()
    result = run(binary, path, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    out = tmp_path / "out"
    for name in ("suite.toml", "queries/mine.toml", "queries/mine.sql", "queries/tables.sql"):
        assert (out / "inputs" / name).read_text() == (path.parent / name).read_text()
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "inputs.sha256"], cwd=out,
                             capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert str(tmp_path) not in (out / "plan.json").read_text()


def test_it_says_how_the_model_was_configured(binary, suite, tmp_path):
    assert run(binary, suite(), tmp_path / "out", "--set", "work_mem=3MB").returncode == 0
    configuration = contenders(tmp_path / "out")["model:thread"]["configuration"]
    settings = {each["name"]: (each["value"], each["default"]) for each in configuration}
    assert settings["shared_buffers"][0] == "32MB"
    assert settings["shared_buffers"][1] != "32MB"
    assert "listen_backlog" not in settings or settings["listen_backlog"][0] != ""


def test_a_notice_names_its_file_within_the_run(binary, suite, tmp_path):
    path = suite()
    tables = path.parent / "queries" / "tables.sql"
    tables.write_text("DROP TABLE IF EXISTS nobody_made_this;\n" + tables.read_text())
    assert run(binary, path, tmp_path / "out").returncode == 0
    notices = contenders(tmp_path / "out")["model:thread"]["notices"]
    assert {each["where"] for each in notices} == {"inputs/queries/tables.sql:1",
                                                   "inputs/queries/tables.sql:2"}
    assert str(tmp_path) not in (tmp_path / "out" / "contenders.json").read_text()


def test_it_says_how_postgres_and_the_pooler_were_configured(binary, suite, tmp_path):
    path = suite(models=(), targets=("pgbouncer+postgres",))
    result = run(binary, path, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    report = contenders(tmp_path / "out")["target:pgbouncer+postgres"]
    settings = {(each["part"], each["name"]): each["value"] for each in report["configuration"]}
    assert settings["server", "fsync"] == "off"  # what no run may hide
    assert settings["server", "shared_buffers"] == "32MB"
    assert settings["pgbouncer", "pool_mode"] == "transaction"
    assert set(report["versions"]) == {"postgres", "pgbouncer"}


def test_notices_of_the_set_up_are_kept(binary, suite, tmp_path):
    assert run(binary, suite(), tmp_path / "out").returncode == 0
    notices = contenders(tmp_path / "out")["model:thread"]["notices"]
    assert [(each["severity"], each["where"].rpartition("/")[2]) for each in notices] == [
        ("NOTICE", "tables.sql:1")]


@pytest.mark.parametrize("script, place, message", [
    ("SELECT 1;\nSELECT nothing FROM mine;\n", "mine.sql:2", "nothing"),
    ("LISTEN x;\n", "mine.sql:1", "LISTEN"),
])
def test_a_script_that_a_contender_cannot_run_is_refused(binary, suite, tmp_path, script, place,
                                                         message):
    result = run(binary, suite(script=script), tmp_path / "out")
    assert result.returncode == 1
    assert place in result.stderr and "model:thread" in result.stderr and message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_set_up_that_a_contender_cannot_run_is_refused(binary, suite, tmp_path):
    result = run(binary, suite(tables=TABLES + "CREATE TABLE mine (a int);\n"), tmp_path / "out")
    assert result.returncode == 1
    assert "tables.sql:4" in result.stderr and "model:thread" in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_only_one_warns_about_is_refused(binary, suite, tmp_path):
    """PostgreSQL warns of a process that there is not; a model only answers false."""
    path = suite(tables=TABLES + "SELECT pg_cancel_backend(1);\n", targets=("postgres",))
    result = run(binary, path, tmp_path / "out")
    assert result.returncode == 1, result.stderr
    for word in ("tables.sql:4", "model:thread", "target:postgres", "PID 1 "):
        assert word in result.stderr
    assert not (tmp_path / "out").exists()


def test_foreign_keys_are_the_same_work(binary, suite, tmp_path):
    tables = TABLES.replace("TABLE IF EXISTS mine", "TABLE IF EXISTS yours, mine")
    path = suite(tables=tables + "CREATE TABLE yours (a int REFERENCES mine (a));\n",
                 targets=("postgres",))
    result = run(binary, path, tmp_path / "out")
    assert result.returncode == 0, result.stderr


def test_where_all_do_the_same_it_is_said_and_run(binary, suite, tmp_path):
    path = suite(tables=TABLES + "COMMIT;\n", models=("thread", "fork"))
    result = run(binary, path, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "warning:" in result.stderr and "no transaction in progress" in result.stderr


def test_a_server_that_cannot_start_is_left_to_the_trials(binary, suite, tmp_path):
    result = run(binary, suite(), tmp_path / "out", "--set", "max_connections=1000000000")
    assert result.returncode in (1, 3), result.stderr


def interrupt_after_first_trial(binary, path, out):
    process = subprocess.Popen([binary, "run", path, "-o", out, "--waive", MACHINE_CHECKS,
                                "--no-charts"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_until(lambda: (out / "trials.csv").exists() and len(trials(out)) >= 1,
                   CLIENT_TIMEOUT_S, "the first trial ends")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=STOP_TIMEOUT_S) == 130
    finally:
        kill_session(process.pid)
        process.stderr.close()
        process.wait()


def test_resume_needs_the_folder_alone(binary, suite, tmp_path):
    path = suite(repetitions=4)
    out = tmp_path / "out"
    interrupt_after_first_trial(binary, path, out)
    shutil.rmtree(path.parent)
    first = trials(out)[0]
    result = call(binary, "resume", out, "--no-charts")
    assert result.returncode == 0, result.stderr
    done = trials(out)
    assert done[0] == first
    assert sorted(row["repetition"] for row in done if row["status"] == "OK") == list("1234")
    assert json.loads((out / "run.json").read_text())["outcome"] == "complete"
    again = call(binary, "resume", out, "--no-charts")  # nothing is left to do
    assert again.returncode == 0 and trials(out) == done


def test_rerun_needs_the_folder_alone(binary, suite, tmp_path):
    path = suite(repetitions=2, models=("thread", "fork"))
    out, again = tmp_path / "out", tmp_path / "again"
    assert run(binary, path, out).returncode == 0
    shutil.rmtree(path.parent)
    result = call(binary, "rerun", out, "-o", again, "--no-charts")
    assert result.returncode == 0, result.stderr

    def key(folder):
        return [(row["cell"], row["repetition"], row["seed"]) for row in trials(folder)]
    assert key(again) == key(out)
    assert (again / "plan.json").read_bytes() == (out / "plan.json").read_bytes()
    third = call(binary, "rerun", again, "-o", tmp_path / "third", "--no-charts")
    assert third.returncode == 0, third.stderr


@pytest.mark.parametrize("command", ["resume", "rerun"])
def test_what_was_changed_is_named(binary, suite, tmp_path, command):
    out = tmp_path / "out"
    assert run(binary, suite(), out).returncode == 0
    (out / "inputs/queries/mine.sql").write_text("SELECT 1;\n")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    result = call(binary, command, out)
    assert result.returncode == 1
    assert "inputs/queries/mine.sql was changed" in result.stderr
    assert "connbench run" in result.stderr  # what to do instead
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_damaged_folders(binary, suite, tmp_path):
    out = tmp_path / "out"
    assert run(binary, suite(), out).returncode == 0

    def refused(damage, expected):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(out, copy)
        damage(copy)
        result = call(binary, "resume", copy, "--no-charts")
        assert result.returncode == 1, result.stderr
        assert expected in result.stderr
    refused(lambda folder: (folder / "plan.json").unlink(), "plan.json was lost")
    refused(lambda folder: (folder / "inputs.sha256").write_text(""), "damaged")
    refused(lambda folder: (folder / "run.json").unlink(), "holds no run")
    refused(lambda folder: (folder / "run.json").write_text("{"), "run.json")
    refused(lambda folder: (folder / "trials.csv").write_text("x\n1\n"), "trials.csv:1")
    refused(lambda folder: (folder / "trials.csv").unlink(), "trials.csv")
    info = json.loads((out / "run.json").read_text())
    info["git_sha"] = "0" * 40
    refused(lambda folder: (folder / "run.json").write_text(json.dumps(info)), "rerun")
    missing = call(binary, "rerun", tmp_path / "none")
    assert missing.returncode == 1 and "holds no run" in missing.stderr


def test_a_run_of_an_older_version_says_how_to_go_on(binary, suite, tmp_path):
    out = tmp_path / "out"
    assert run(binary, suite(), out).returncode == 0
    (out / "inputs.sha256").unlink()
    result = call(binary, "resume", out)
    assert result.returncode == 1
    assert f"--resume -o {out}" in result.stderr


def test_paths_are_relative_to_the_file_that_names_them(binary, suite, tmp_path):
    path = suite()
    (tmp_path / "elsewhere").mkdir()
    result = call(binary, "run", path, "-o", tmp_path / "out", "--waive", MACHINE_CHECKS,
                  "--no-charts", cwd=tmp_path / "elsewhere")
    assert result.returncode == 0, result.stderr
    result = call(binary, "run", "source/suite.toml", "-o", tmp_path / "out2", "--waive",
                  MACHINE_CHECKS, "--no-charts", cwd=tmp_path)
    assert result.returncode == 0, result.stderr


def test_done_again_without_the_files_that_settings_named(binary, suite, tmp_path):
    """PostgreSQL and PgBouncer may run as another user, who reads the copies all the same."""
    path = suite(models=("thread",), targets=("pgbouncer+thread", "postgres"))
    (path.parent / "rules").write_text("host all all all trust\n")
    (path.parent / "users").write_text('"postgres" "x"\n')
    for name in ("rules", "users"):
        (path.parent / name).chmod(0o600)
    path.write_text(path.read_text() + '[experiment.set]\nhba_file = "rules"\n'
                    '"pgbouncer.auth_file" = "users"\n"postgres.hba_file" = "rules"\n')
    first = run(binary, path, tmp_path / "out")
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "out/inputs/rules").read_text() == "host all all all trust\n"
    shutil.rmtree(path.parent)
    again = call(binary, "rerun", tmp_path / "out", "-o", tmp_path / "again", "--no-charts")
    assert again.returncode == 0, again.stderr
    done = [sorted((row["cell"], row["settings"], row["status"]) for row in trials(tmp_path / name))
            for name in ("out", "again")]
    assert done[0] == done[1]
    assert len(done[0]) == 3 and {status for _, _, status in done[0]} == {"OK"}
    assert any("hba_file=inputs/rules" in settings for _, settings, _ in done[0])
    assert str(tmp_path) not in (tmp_path / "out/contenders.json").read_text()


def test_a_setting_without_effect_is_warned_of(binary, suite, tmp_path):
    path = suite()
    done = run(binary, path, tmp_path / "out", "--set", "postgres.jit=on", "--set", "work_mem=2MB")
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "has no effect" in line]
    assert len(warnings) == 1 and "--set postgres.jit=on" in warnings[0]
