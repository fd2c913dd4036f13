"""Runs over time: `connbench history` on copies of the reference run whose figures are changed."""
import csv
import io
import json
import pathlib
import random
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results/reference/quick"
VERSION1 = ROOT / "results/testdata/version1/quick"
TABLES = ("run.json", "trials.csv", "latency.csv", "phases.csv", "timeseries.csv", "memory.csv",
          "errors.csv")
RUNS = 24


def history(binary, folder, *arguments):
    return subprocess.run([binary, "history", folder, *arguments], text=True, capture_output=True,
                          timeout=60, check=False)


def change_json(run, **values):
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def make_runs(folder, factor_of, runs=RUNS, reference=REFERENCE):
    """Copies of the reference run, the oldest first; throughput is scaled by factor_of(number)."""
    noise = random.Random(1)
    with open(reference / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for number in range(runs):
        run = folder / f"run{number}"
        run.mkdir(parents=True)
        for table in TABLES:
            shutil.copy(reference / table, run / table)
        factor = factor_of(number) * noise.uniform(0.99, 1.01)
        scaled = [{**row, "throughput_tps": float(row["throughput_tps"]) * factor} for row in rows]
        with open(run / "trials.csv", "w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            table.writeheader()
            table.writerows(scaled)
        change_json(run, run_id=f"run{number}", git_sha=f"{number:040x}",
                    started_at=f"2026-10-{number + 1:02}T03:00:00Z")
    return folder


STEADY = ("--metric", "throughput_tps", "--contender", "fork")


def test_a_step_down_is_found_where_it_is(binary, tmp_path):
    folder = make_runs(tmp_path / "runs", lambda number: 1 if number < 16 else 0.8)
    (folder / "latest").symlink_to("run0")  # as results/latest, which is no run of its own
    (folder / "notes").mkdir()
    done = history(binary, folder, *STEADY, "--format", "json")
    assert done.returncode == 4, done.stderr
    told = json.loads(done.stdout)
    [group] = told["groups"]
    assert len(group["runs"]) == RUNS
    for series in group["series"]:
        assert series["worse"] and [change["run"] for change in series["changes"]] == [16]
    plain = history(binary, folder, *STEADY)
    assert plain.returncode == 4
    assert "throughput worse: " in plain.stdout and "since 2026-10-17 03:00" in plain.stdout
    assert max(map(len, plain.stdout.splitlines())) <= 100
    rows = list(csv.DictReader(io.StringIO(history(binary, folder, *STEADY, "--format",
                                                   "csv").stdout)))
    assert {row["run_id"] for row in rows if row["level_begins"] == "true"} == {"run16"}
    assert history(binary, folder, *STEADY, "--format", "markdown").stdout.startswith("**quick")


def test_a_step_up_and_noise_end_with_zero(binary, tmp_path):
    up = history(binary, make_runs(tmp_path / "up", lambda n: 1 if n < 16 else 1.3), *STEADY)
    assert up.returncode == 0, up.stdout
    assert "better 2026-10-17" in up.stdout
    noise = history(binary, make_runs(tmp_path / "noise", lambda _: 1), *STEADY)
    assert noise.returncode == 0 and "better" not in noise.stdout and "worse " not in noise.stdout


def test_charts_are_drawn_where_they_are_wanted(binary, tmp_path):
    folder = make_runs(tmp_path / "runs", lambda _: 1)
    done = history(binary, folder, *STEADY, "--charts", tmp_path / "charts")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "charts").glob("*.svg")}
    assert "history_1_steady_throughput_tps.svg" in names, names


def test_too_few_runs_say_how_many(binary, tmp_path):
    for runs in (1, 5):
        done = history(binary, make_runs(tmp_path / str(runs), lambda _: 1, runs), *STEADY)
        assert done.returncode == 5, done.stderr
        assert re.search(rf"it has {runs}, and a change needs \d+", done.stdout), done.stdout


def test_schemas_may_be_mixed(binary, tmp_path):
    """The newer schema has more columns, and its rows belong to the same series."""
    folder = make_runs(tmp_path / "runs", lambda number: 1 if number < 16 else 0.8,
                       reference=VERSION1)
    for number in range(16, RUNS):
        run = folder / f"run{number}"
        change_json(run, schema_version=2)
        for table in TABLES[1:]:
            rows = list(csv.reader(io.StringIO((run / table).read_text())))
            key = rows[0].index("repetition") + 1
            rows[0][key:key] = ["pattern", "protocol", "contender"]
            workload, model = rows[0].index("workload"), rows[0].index("model")
            for row in rows[1:]:
                row[key:key] = [row[workload], "prepared" if row[workload] in ("steady", "idle")
                                else "simple", row[model]]
            with open(run / table, "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
    done = history(binary, folder, *STEADY, "--format", "json")
    told = json.loads(done.stdout)
    assert told["groups"][0]["runs"][16]["differs"] == ["schema version"]
    steady = [series for series in told["groups"][0]["series"] if "steady" in series["cell"]]
    assert done.returncode == 4 and steady
    assert all(len(series["values"]) == RUNS for series in steady), done.stdout


def test_an_interrupted_run_is_left_out(binary, tmp_path):
    folder = make_runs(tmp_path / "runs", lambda number: 1 if number < 16 else 0.8)
    for number in range(16, RUNS):
        change_json(folder / f"run{number}", outcome="interrupted")
    done = history(binary, folder, *STEADY)
    assert done.returncode == 0, done.stdout
    assert "The run run16 is not complete (interrupted), and is left out." in done.stdout


def test_a_broken_run_is_named(binary, tmp_path):
    folder = make_runs(tmp_path / "runs", lambda _: 1)
    table = folder / "run3" / "trials.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines[:4], lines[4][:40] + "\n", *lines[5:]]))
    done = history(binary, folder, *STEADY, "--format", "json")
    assert done.returncode == 2
    assert any(f"{table}:5:" in note for note in json.loads(done.stdout)["notes"])
    for number in range(RUNS):
        (folder / f"run{number}" / "trials.csv").write_text("")
    none = history(binary, folder)
    assert none.returncode == 1 and "none of the runs" in none.stderr


@pytest.mark.parametrize("arguments, says", [
    (["--metric", "speed"], '"speed" is not a metric'),
    (["--contender", "frok"], "They have: fork"),
    (["--format", "xml"], "--format"),
])
def test_what_is_asked_for_must_exist(binary, tmp_path, arguments, says):
    done = history(binary, make_runs(tmp_path / "runs", lambda _: 1, runs=2), *arguments)
    assert done.returncode == 1
    assert says in done.stderr, done.stderr


def test_a_folder_without_runs_is_a_wrong_name(binary, tmp_path):
    for folder, says in ((tmp_path, "has no folder of a run in it"), (tmp_path / "no", "No such"),
                         (REFERENCE, "is a run, not a folder of runs")):
        done = history(binary, folder)
        assert done.returncode == 1 and says in done.stderr, done.stderr
