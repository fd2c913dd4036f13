"""Whole runs of small suites: repeating until steady, a crossover, a harness that is killed, and
verdicts on what came out."""
import csv
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from servers import MACHINE_CHECKS

# Tests run beside other work; that the machine is busy must not decide them.
WAIVE = f"--waive={MACHINE_CHECKS}"

SUITE = """
repetitions = 3
models = ["thread"]
{until}
[set]
engine = "canned"
shared_buffers = "16MB"
[[experiment]]
workload = "connect-only"
connections = 2
duration = "200ms"
warmup = "0s"
"""

CROSSOVER = """
[set]
engine = "canned"
shared_buffers = "16MB"
[crossover]
workload = "connect-only"
models = ["fork", "thread"]
connections = 2
duration = "150ms"
warmup = "0s"
from = 1
to = 2
repetitions = 3
max_repetitions = 3
"""


def run(binary, *arguments, **options):
    return subprocess.run([binary, *map(str, arguments)], text=True, capture_output=True,
                          timeout=120, check=False, **options)


def trials(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def measure(binary, tmp_path, text, *arguments, name="run"):
    suite = tmp_path / "mine.toml"
    suite.write_text(text)
    folder = tmp_path / name
    return folder, run(binary, "run", suite, "-o", folder, "--no-charts", WAIVE, *arguments)


def test_a_cell_that_is_steady_stops_at_the_least_repetitions(binary, tmp_path):
    folder, done = measure(binary, tmp_path, SUITE.format(
        until="until = { interval = 1.0, max_repetitions = 9 }"))
    assert done.returncode == 0, done.stderr
    assert 3 <= len(trials(folder)) < 9
    assert "last repetition" not in done.stdout
    info = json.loads((folder / "run.json").read_text())
    assert info["unsteady_cells"] == []
    assert info["waived_checks"] == MACHINE_CHECKS.split(",")


def test_a_cell_that_never_gets_steady_is_named(binary, tmp_path):
    folder, done = measure(binary, tmp_path, SUITE.format(
        until="until = { interval = 0.001, max_repetitions = 4 }"))
    assert done.returncode == 0, done.stderr
    assert len(trials(folder)) == 4
    assert "1 cells made their last repetition" in done.stdout
    assert "wanted ±0.1 %" in done.stdout
    info = json.loads((folder / "run.json").read_text())
    assert info["unsteady_cells"] == [trials(folder)[0]["cell"]]


def test_a_killed_harness_leaves_nothing_that_the_next_start_does_not_remove(binary, tmp_path):
    text = SUITE.format(until="")
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    suite = tmp_path / "mine.toml"
    suite.write_text(text)
    folder = tmp_path / "run"
    arguments = [binary, "run", suite, "-o", folder, "--no-charts", WAIVE]
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while True:
        # Looked at while it stands still: a trial is short, and removes its folder.
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status) and time.monotonic() < deadline, "no trial was caught"
        if list(scratch.glob("connbench-load-*")):
            break
        process.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(scratch.glob("connbench-load-*"))
    done = subprocess.run([*arguments, "--resume"], env=environment, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(scratch.glob("connbench-load-*"))
    assert [row["repetition"] for row in trials(folder) if row["status"] == "OK"] == ["1", "2", "3"]


def test_a_crossover_says_what_it_found(binary, tmp_path):
    folder, done = measure(binary, tmp_path, CROSSOVER)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((folder / "run.json").read_text())["crossover"]
    assert (found["base"], found["candidate"]) == ("fork", "thread")
    assert found["verdict"] in ("crosses", "base always ahead", "candidate always ahead",
                                "cannot tell")
    rows = trials(folder)
    # Both ends, three pairs each, at least; each trial says where it was taken.
    assert len(rows) >= 12 and len(rows) % 2 == 0
    assert {row["parameters"] for row in rows} >= {"transactions_per_connection=1",
                                                   "transactions_per_connection=2"}
    report = run(binary, "plot", folder, "-o", tmp_path / "charts")
    assert report.returncode == 0, report.stderr
    assert (tmp_path / "charts" / "crossover.svg").exists()


def test_verdicts_find_a_planted_regression_and_nothing_else(binary, tmp_path):
    base, done = measure(binary, tmp_path, SUITE.format(until=""), "--repetitions", "8")
    assert done.returncode == 0, done.stderr
    assert run(binary, "compare", base, base).returncode == 0
    halves = run(binary, "compare", "--halves", base, "--metric", "connects_per_s",
                 "--threshold", "400")
    assert halves.returncode == 0, halves.stdout
    assert "connects" in halves.stdout, halves.stdout
    # Figures of our own: how much a real run scatters is the machine's business.
    sides = {}
    for name, rate in (("steady", 1000), ("slower", 100)):
        sides[name] = tmp_path / name
        shutil.copytree(base, sides[name])
        rows = trials(base)
        for row in rows:
            row["connects_per_s"] = str(rate * (1 + 0.01 * int(row["repetition"])))
        with open(sides[name] / "trials.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    metric = ("--metric", "connects_per_s")
    worse = run(binary, "compare", sides["steady"], sides["slower"], *metric)
    assert worse.returncode == 4, worse.stdout
    assert "worse" in worse.stdout
    assert run(binary, "compare", sides["slower"], sides["steady"], *metric).returncode == 0


@pytest.mark.parametrize("arguments, complaint", [
    (["--waive", "other-load"], "other_load"),
    (["--benchmark_out", "x.json"], "not for a crossover"),
])
def test_options_that_cannot_be_are_refused(binary, tmp_path, arguments, complaint):
    suite = tmp_path / "mine.toml"
    suite.write_text(CROSSOVER)
    done = run(binary, "run", suite, "-o", tmp_path / "run", *arguments)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert not (tmp_path / "run").exists()


def test_doctor_asks_what_the_suite_needs(binary, tmp_path):
    suite = tmp_path / "big.toml"
    suite.write_text('[[experiment]]\nworkload = "storm"\nconnections = 90000\n')
    done = run(binary, "doctor", suite)
    assert "the suite's storm is 90000" in done.stdout or "the suite needs" in done.stdout
    assert "->" in done.stdout
    missing = run(binary, "doctor", "nosuch")
    assert missing.returncode == 1 and "no suite" in missing.stderr


def test_doctor_starts_each_contender_with_its_settings(binary, tmp_path):
    (tmp_path / "rules").write_text("host all all all trust\nnonsense\n")
    suite = tmp_path / "mine.toml"
    suite.write_text('models = ["fork", "thread"]\n[set]\nworkers = 2\n'
                     '[[experiment]]\nworkload = "steady"\n'
                     '[experiment.set]\nhba_file = ["", "rules"]\n')
    done = run(binary, "doctor", suite)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "2 of 4 start and end with their settings" in done.stdout
    refused = [line for line in done.stdout.splitlines() if line.startswith("  SPOILS  model:")]
    assert [line.split()[1] for line in refused] == ["model:fork", "model:thread"], done.stdout
    assert all(f"{tmp_path}/rules:2" in line for line in refused), refused
    assert "workers in [set] has no effect" in done.stdout
