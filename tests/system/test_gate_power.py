"""The script behind docs/gate-power.md: short gates, what they record, and the page."""
import json
import pathlib
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/benchmarks/gate_power.py"
RECORDS = ROOT / "tests/benchmarks/testdata/gate_power.jsonl"


@pytest.fixture
def power(binary, tmp_path):
    def run(*words):
        done = subprocess.run([SCRIPT, *map(str, words), "--connbench", binary, "--records",
                               tmp_path / "records.jsonl"], capture_output=True, text=True,
                              timeout=CLIENT_TIMEOUT_S * 3, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in
                (tmp_path / "records.jsonl").read_text().splitlines()]
    return run


def test_gates_of_a_program_and_its_relinked_twin_are_recorded(power):
    (one,) = power("same", "--models", "thread", "--budget", "1s", "--relinked")
    assert one["kind"] == "relinked" and one["model"] == "thread"
    assert one["exit"] in (3, 5)
    assert {row["workload"] for row in one["rows"]} == {"steady", "churn"}


def test_the_page_counts_what_was_recorded(power, tmp_path):
    line = json.loads(RECORDS.read_text().splitlines()[0])
    false_alarm = {**line, "kind": "same", "model": "made-up", "exit": 4}
    (tmp_path / "records.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in (false_alarm, {**false_alarm, "exit": 0})))
    rounds = (ROOT / "harness/gate/testing/recorded_rounds_busy.csv").read_text().splitlines()
    faults = [line for line in rounds if "minor_faults_per_connect" in line and "fork" in line]
    (tmp_path / "rounds.csv").write_text("\n".join([rounds[0], *faults]) + "\n")
    power("page", "--page", tmp_path / "page.md", "--rounds", tmp_path / "rounds.csv")
    page = (tmp_path / "page.md").read_text()
    assert "1 of 2 gates were false alarms." in page
    assert "| `fork` | churn: server_minor_faults_per_connect |" in page
    assert "| busy | `made-up` against itself | 1min | 2 | 1 | 1 | 0 | 0 |" in page
