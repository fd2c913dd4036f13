"""`connbench run` on bad input and bad days: a clear error with the right exit code, no hang, no
process or segment left, and what was measured before stays whole."""
import contextlib
import csv
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from servers import (CLIENT_TIMEOUT_S, MACHINE_CHECKS, SHM, STOP_TIMEOUT_S, Connbench,
                     kill_session, processes_of_session, wait_until)

# Trials of a second on a machine that runs other tests: what they measure does not matter here.
SHORT = ["--duration", "300ms", "--repetitions", "1", "-c", "2", "--waive", MACHINE_CHECKS,
         "--set", "shared_buffers=32MB"]


def run(binary, *arguments, **options):
    return subprocess.run([binary, "run", *arguments], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S, **options)


def rows(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("text, expected", [
    ('name = "x"\nmodels = ["fork"\n', r":2:18"),  # where the list is left open
    ('name = "x"\nmodells = ["fork"]\n', r":2:\d+.*modells"),
    ('name = "x"\nmodels = ["forc"]\n[[experiment]]\nworkload = "steady"\n', r":2:\d+.*forc"),
    ('name = "x"\nmodels = ["fork"]\n[[experiment]]\nworkload = "stedy"\n', r":3:1.*stedy.*steady"),
    ('name = "x"\nmodels = ["fork"]\n[[experiment]]\nworkload = "steady"\nconnections = ["8"]\n',
     r":5:\d+"),
    ('name = "x"\nmodels = ["fork"]\n[[experiment]]\nworkload = "steady"\nduration = "1 parsec"\n',
     r":5:\d+.*parsec"),
])
def test_a_mistake_in_a_suite_is_shown_with_its_place(binary, tmp_path, text, expected):
    suite = tmp_path / "mine.toml"
    suite.write_text(text)
    result = run(binary, suite, "-o", tmp_path / "out")
    assert result.returncode == 1, result.stderr
    assert re.search(re.escape(str(suite)) + expected, result.stderr, re.S), result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments, word", [
    (["no-such-suite"], "quick"),  # names what there is
    (["steady", "--models", "forc"], '"fork"'),
    (["steady", "--modells", "fork"], "modells"),
    (["steady", "--set", "shared_bufers=1MB"], "shared_bufers"),
    (["steady", "--filter", "("], "("),
    (["steady", "--duration", "fast"], "fast"),
    (["no/such/file.toml"], "no/such/file.toml"),
])
def test_bad_arguments_are_named(binary, tmp_path, arguments, word):
    result = run(binary, *arguments, "-o", tmp_path / "out")
    assert result.returncode == 1, result.stderr
    assert word in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_results_folder_that_cannot_be_written(binary, tmp_path):
    """A file where the folder should be stops even root."""
    (tmp_path / "file").write_text("mine")
    result = run(binary, "steady", *SHORT, "-o", tmp_path / "file" / "out")
    assert result.returncode == 1, result.stderr
    assert str(tmp_path / "file") in result.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_an_earlier_run_is_not_overwritten(binary, tmp_path):
    out = tmp_path / "out"
    assert run(binary, "steady", "--models", "thread", *SHORT, "--no-charts", "-o",
               out).returncode == 0
    before = files(out)
    result = run(binary, "steady", "--models", "thread", *SHORT, "--no-charts", "-o", out)
    assert result.returncode == 1, result.stderr
    assert str(out) in result.stderr
    assert files(out) == before


def test_without_gnuplot_the_figures_stay_and_the_package_is_named(binary, tmp_path):
    (tmp_path / "bin").mkdir()
    out = tmp_path / "out"
    result = run(binary, "steady", "--models", "thread", *SHORT, "-o", out,
                 env={**os.environ, "PATH": str(tmp_path / "bin")})
    assert result.returncode == 0, result.stderr
    assert "gnuplot-nox" in result.stderr
    assert [row["status"] for row in rows(out)] == ["OK"]
    assert (out / "report.html").exists()


def test_a_full_dev_shm_is_an_error_of_the_run(binary, tmp_path):
    """/dev/shm with 8 MB, in a mount namespace of the test's own."""
    inside = ["unshare", "--mount", "sh", "-ec",
              'mount -t tmpfs -o size=8m none /dev/shm; exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces need root")
    result = subprocess.run([*inside, binary, "run", "steady", "--models", "thread", *SHORT,
                             "--set", "shared_buffers=64MB", "--no-charts", "-o", tmp_path / "out"],
                            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 3, result.stderr  # a cell without a valid trial
    reasons = {(row["status"], row["status_reason"]) for row in rows(tmp_path / "out")}
    assert len(reasons) == 1
    status, reason = reasons.pop()
    assert status != "OK"
    assert "/dev/shm" in reason and "shared_buffers" in reason + result.stderr


def test_dev_shm_filled_by_others(binary, tmp_path):
    """Room for the segment in all, but others' files have taken it: an error now, not a SIGBUS
    later."""
    inside = ["unshare", "--mount", "sh", "-ec",
              'mount -t tmpfs -o size=64m none /dev/shm;'
              ' head -c 50M /dev/zero > /dev/shm/others; exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces need root")
    result = subprocess.run([*inside, binary, "serve", "--model", "thread", "-p", "0", "--set",
                             "shared_buffers=32MB"],
                            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 2
    assert "/dev/shm" in result.stderr
    assert re.search(r"\d+(\.\d+)? MB.*\d+(\.\d+)? MB", result.stderr), result.stderr  # both sizes


class Measuring:
    """A run of many trials in a session of its own, caught in the middle of the second."""

    def __init__(self, binary, folder, model):
        self.folder = folder
        self.process = subprocess.Popen(
            [binary, "run", "steady", "--models", model, "--duration", "500ms", "--repetitions",
             "50", "-c", "4", "--waive", MACHINE_CHECKS, "--no-charts", "--set",
             "shared_buffers=32MB", "-o", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.server = None  # the pid of the supervisor that the trial has started
        self.segment = None

    def _find_server(self):
        for pid in processes_of_session(self.process.pid):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"serve" in words and self._parent(pid) == self.process.pid:
                    self.server = pid
                    return True
        return False

    @staticmethod
    def _parent(pid):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    def left(self):
        return processes_of_session(self.process.pid)

    def assert_nothing_left(self):
        assert self.left() == []
        assert not self.segment.exists()

    def __enter__(self):
        try:
            wait_until(lambda: (self.folder / "trials.csv").exists() and
                       len(rows(self.folder)) >= 1,
                       CLIENT_TIMEOUT_S, "the first trial ends")
            wait_until(self._find_server, CLIENT_TIMEOUT_S / 3, "the next trial's server runs")
        except BaseException:
            self.__exit__()
            raise
        self.segment = SHM / f"connbench.{self.server}"
        return self

    def __exit__(self, *_):
        kill_session(self.process.pid)
        self.process.stderr.close()
        self.process.wait(timeout=STOP_TIMEOUT_S)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_keeps_what_it_has(binary, tmp_path, model, number):
    with Measuring(binary, tmp_path / "out", model) as measuring:
        time.sleep(0.2)
        measuring.process.send_signal(number)
        assert measuring.process.wait(timeout=STOP_TIMEOUT_S) == 130
        measuring.assert_nothing_left()
    assert rows(tmp_path / "out")[0]["status"] == "OK"


def test_a_hangup_that_nohup_ignores_ends_nothing(binary, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(["nohup", binary, "run", "steady", "--models", "thread", *SHORT,
                                "--no-charts", "-o", out],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    wait_until((out / "run.json").exists, CLIENT_TIMEOUT_S, "the run has begun")
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=CLIENT_TIMEOUT_S) == 0
    assert [row["status"] for row in rows(out)] == ["OK"]


def test_a_hangup_leaves_no_folder_behind(binary, tmp_path):
    """What a trial keeps in temporary files (a password, a key) goes with it."""
    temporary = tmp_path / "tmp"
    temporary.mkdir(mode=0o777)
    process = subprocess.Popen([binary, "run", "steady", "--models", "thread", "--duration", "30s",
                                "--repetitions", "1", "-c", "2", "--no-charts", "--set",
                                "authentication=scram-sha-256", "-o", tmp_path / "out"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               start_new_session=True, env={**os.environ, "TMPDIR": str(temporary)})
    try:
        wait_until(lambda: any(temporary.iterdir()) or process.poll() is not None, CLIENT_TIMEOUT_S,
                   "a folder is made")
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.5)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=STOP_TIMEOUT_S) == 130
        assert list(temporary.iterdir()) == []
    finally:
        kill_session(process.pid)
        process.stderr.close()


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(binary, tmp_path):
    runs = [subprocess.Popen([binary, "run", "steady", "--models", "thread", *SHORT, "--no-charts"],
                             cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True)
            for _ in range(4)]
    said = [process.communicate(timeout=CLIENT_TIMEOUT_S)[0] for process in runs]
    assert [process.returncode for process in runs] == [0] * 4, said
    folders = [path for path in (tmp_path / "results").iterdir() if not path.is_symlink()]
    assert len(folders) == 4
    assert len({row["run_id"] for folder in folders for row in rows(folder)}) == 4
    assert (tmp_path / "results/latest/trials.csv").exists()


def reference_run(tmp_path):
    run_folder = tmp_path / "run"
    shutil.copytree(pathlib.Path(__file__).parents[2] / "results/reference/quick", run_folder)
    for path in [run_folder / "report.html", *(run_folder / "charts").iterdir()]:
        path.unlink()
    return run_folder


@pytest.mark.parametrize("gnuplot, said", [
    ("exit 0", "was not written whole"),  # as the real one does on a full disk
    ("echo no room >&2; exit 1", "no room"),
])
def test_charts_that_cannot_be_drawn_are_an_error_that_the_report_tells(
        binary, tmp_path, gnuplot, said):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gnuplot").write_text(f"#!/bin/sh\n{gnuplot}\n")
    (tmp_path / "bin/gnuplot").chmod(0o755)
    folder = reference_run(tmp_path)
    result = subprocess.run([binary, "report", folder], capture_output=True, text=True,
                            timeout=CLIENT_TIMEOUT_S,
                            env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert "Charts are missing" in (folder / "report.html").read_text()


def test_a_disk_that_is_full_while_charts_are_drawn(binary, tmp_path):
    """In a mount namespace of the test's own: room for the run and the page, not for its charts."""
    inside = ["unshare", "--mount", "sh", "-ec",
              'mount -t tmpfs -o size=3m none "$0"; cp -r "$1"/. "$0"; shift;'
              ' head -c 100M /dev/zero > "$0/others" 2>/dev/null || true;'
              ' truncate -s -200K "$0/others"; r=0; "$@" "$0" || r=$?; cat "$0/report.html";'
              ' exit $r']
    folder = reference_run(tmp_path)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces need root")
    result = subprocess.run([*inside, mounted, folder, binary, "report"], capture_output=True,
                            text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 2, result.stdout[-2000:] + result.stderr
    assert "No space left on device" in result.stderr or "not written whole" in result.stderr
    assert "harts are" in result.stdout  # missing, or not finished


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group(binary, tmp_path, model, number):
    """As a terminal does it: the harness, the server and the load generator all get the signal."""
    with Measuring(binary, tmp_path / "out", model) as measuring:
        os.killpg(measuring.process.pid, number)
        assert measuring.process.wait(timeout=STOP_TIMEOUT_S) == 130
        measuring.assert_nothing_left()


def test_a_killed_harness_takes_its_server_and_load_along(binary, tmp_path, model):
    out = tmp_path / "out"
    with Measuring(binary, out, model) as measuring:
        measuring.process.kill()
        measuring.process.wait(timeout=STOP_TIMEOUT_S)
        wait_until(lambda: not measuring.left(), STOP_TIMEOUT_S, "all processes have ended")
    measured = rows(out)
    assert measured and all(None not in row.values() for row in measured)  # no torn line
    # Whatever was left is swept by the next start, and the folder can be read.
    with Connbench(binary, model):
        assert not measuring.segment.exists()
    compared = subprocess.run([binary, "compare", out, out], capture_output=True, text=True,
                              timeout=CLIENT_TIMEOUT_S)
    assert compared.returncode in (0, 5), compared.stderr


def test_a_killed_server_spoils_its_trial_only(binary, tmp_path, model):
    with Measuring(binary, tmp_path / "out", model) as measuring:
        os.kill(measuring.server, signal.SIGKILL)
        count = len(rows(tmp_path / "out"))
        wait_until(lambda: len(rows(tmp_path / "out")) >= count + 2, CLIENT_TIMEOUT_S,
                   "the trials after it end")
        measuring.process.send_signal(signal.SIGINT)
        assert measuring.process.wait(timeout=STOP_TIMEOUT_S) == 130
        measuring.assert_nothing_left()  # the killed server's segment was swept by the next one
    spoilt = [row for row in rows(tmp_path / "out") if row["status"] not in ("OK", "INTERRUPTED")]
    assert len(spoilt) == 1
    assert spoilt[0]["status_reason"]
    shutil.rmtree(tmp_path / "out")
