"""`connbench gate`: both servers up at once. Whole gates are short here; what they decide is tested
on made-up figures beside the code (harness/gate)."""
import contextlib
import csv
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from servers import MACHINE_CHECKS, server_starter, wait_until

GATE_TIMEOUT_S = 180


class Gate:
    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.output = folder / "out"
        self.calibration = folder / "calibration.json"
        self.processes = []

    def start(self, *arguments):
        command = [self.binary, "gate", *arguments, "--waive", MACHINE_CHECKS, "-o", self.output,
                   "--calibration", self.calibration]
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def run(self, *arguments, expect):
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
        assert process.returncode == expect, out + errors
        return out + errors

    def rows(self):
        with open(self.output / "trials.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def supervisors(self):
        """Pids of the servers that the gate has started, by model."""
        found = {}
        for process in self.processes:
            children = f"/proc/{process.pid}/task/{process.pid}/children"
            with contextlib.suppress(OSError):
                for pid in pathlib.Path(children).read_text().split():
                    words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                    if "--model" in words:
                        found[words[words.index("--model") + 1]] = int(pid)
        return found


@pytest.fixture
def gate(binary, tmp_path):
    one = Gate(binary, tmp_path)
    yield one
    for process in one.processes:
        process.kill()
        process.communicate()


SHORT = ["--window", "200ms", "-c", "2"]


def test_a_model_against_itself_is_not_worse(gate):
    """A few pairs cannot tell small changes, so the threshold is large; what counts is that nothing
    is called worse and that everything is in the folder."""
    process = gate.start("thread", "thread", *SHORT, "--budget", "15s", "--threshold", 60,
                         "--set", "engine=canned", "-w", "connect-only")
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode in (0, 5), out + errors
    assert "WORSE" not in out
    assert "not calibrated" in out
    rows = gate.rows()
    cells = [row["cell"].split("/")[0] for row in rows]
    assert set(cells) == {"side:base", "side:candidate"}
    assert cells.count("side:base") == cells.count("side:candidate")
    run = json.loads((gate.output / "run.json").read_text())
    assert run["suite"] == "gate" and run["trials_written"] == len(rows)


def test_a_large_slow_down_is_worse(gate):
    """Each session touches 32 MB before it serves."""
    out = gate.run("thread", "thread", *SHORT, "--budget", "60s", "-w", "connect-only",
                   "--candidate-set", "session_warmup_kb=32768", expect=4)
    assert "WORSE: in " in out
    assert "thread (session_warmup_kb=32768)" in out


def test_a_candidate_that_dies_gives_no_verdict(gate):
    process = gate.start("thread", "fork", *SHORT, "--budget", "60s", "-w", "connect-only")
    wait_until(lambda: (gate.output / "trials.csv").exists() and len(gate.rows()) > 3,
               GATE_TIMEOUT_S, "some windows")
    os.kill(gate.supervisors()["fork"], signal.SIGKILL)
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode == 3, out + errors
    assert "INVALID: the candidate, fork: " in out and "SIGKILL" in out
    assert "worse" not in out.lower()


def test_an_interrupted_gate_leaves_nothing(gate):
    process = gate.start("thread", "fork", *SHORT, "--budget", "60s", "-w", "connect-only")
    wait_until(lambda: (gate.output / "trials.csv").exists() and gate.rows(), GATE_TIMEOUT_S,
               "a window")
    servers = gate.supervisors().values()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode == 130, out + errors
    assert time.monotonic() - began < 20
    assert servers and not any(pathlib.Path(f"/proc/{pid}").exists() for pid in servers)


@pytest.mark.parametrize("arguments, words", [
    (["thread", "threat"], ["no target \"threat\"", "\"thread\""]),
    (["thread"], ["name BASE and CANDIDATE"]),
    (["thread", "fork", "-w", "failover-storm"], ["servers stay up"]),
    (["thread", "fork", "--candidate-set", "work_mem"], ["name=value"]),
    (["build:/nowhere/fork", "fork"], ["no server of connbench in /nowhere"]),
    (["postgres:/nowhere", "postgres"], ["no program /nowhere/initdb"]),
    (["--calibrate", "thread", "fork"], ["BASE against itself"]),
    (["dsn:host=127.0.0.1 port=1 user=nobody", "fork"], ["the base, dsn:", "127.0.0.1"]),
])
def test_mistakes_are_said_before_anything_is_measured(gate, arguments, words):
    out = gate.run(*arguments, expect=1)
    for word in words:
        assert word in out
    assert not gate.output.exists()


def test_a_budget_too_small_for_one_pair_cannot_tell(gate):
    out = gate.run("thread", "fork", "--budget", "300ms", expect=5)
    assert "no room for one pair" in out
    assert not gate.rows()


def test_another_builds_model_is_a_side(gate, binary):
    build = pathlib.Path(binary).parent
    process = gate.start(f"build:{build}/thread", "thread", *SHORT, "--budget", "25s",
                         "-w", "connect-only")
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode in (0, 5), out + errors
    assert {row["target"][:5] for row in gate.rows()} == {"build", "built"}
    assert {row["model"] for row in gate.rows()} == {"thread"}


def test_postgres_and_a_pooler_are_sides(gate):
    process = gate.start("postgres", "pgbouncer+postgres", *SHORT, "--budget", "30s", "-w", "churn")
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode in (0, 4, 5), out + errors
    assert {row["target"] for row in gate.rows()} == {"postgres", "pgbouncer+postgres"}
    assert {row["status"] for row in gate.rows()} == {"OK"}


def test_each_round_starts_both_servers_anew(gate):
    process = gate.start("thread", "thread", *SHORT, "--budget", "60s", "-w", "connect-only",
                         "--threshold", 0.1, "--set", "engine=canned")
    programs = {}

    def see():
        for pid in gate.supervisors().values():
            with contextlib.suppress(OSError):
                programs[pid] = os.readlink(f"/proc/{pid}/exe")
        return len(programs) >= 3

    wait_until(see, GATE_TIMEOUT_S, "a server after the first ones")
    # How a file came into the page cache decides its page faults: each server has its own copy.
    copies = {program for program in programs.values() if program.endswith("/connbench-serve")}
    assert len(copies) >= 3 and not any(str(gate.binary.parent) in copy for copy in copies)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode == 130, out + errors


@pytest.fixture(scope="module")
def running(binary):
    """Starting takes the greater part of a short round; a server that is up already has none."""
    with server_starter(binary) as start:
        server = start("thread")
        yield f"dsn:host={server.host} port={server.port} user={server.user}"


def test_a_calibration_is_stored_and_printed_with_the_verdict(gate, running):
    # How many rounds a second has depends on the machine; too few are said, with the remedy.
    for budget_s in (25, 50, 100):
        gate.output = gate.folder / f"calibrating-{budget_s}"
        process = gate.start("--calibrate", running, *SHORT, "--budget", f"{budget_s}s", "-w",
                             "connect-only")
        out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
        if process.returncode == 0:
            break
        assert process.returncode == 5 and "Give it a larger --budget" in out + errors
    assert process.returncode == 0, out + errors
    assert "simulated gates" in out and "against itself" in out
    stored = json.loads(gate.calibration.read_text())
    assert stored["contender"].startswith("dsn:") and stored["gates"] == 400
    assert {row["workload"] for row in stored["rows"]} == {"connect-only"}
    gate.output = gate.folder / "second"
    process = gate.start("thread", "thread", *SHORT, "--budget", "3s", "-w", "connect-only")
    out, errors = process.communicate(timeout=GATE_TIMEOUT_S)
    assert process.returncode in (0, 5), out + errors
    assert "Calibrated at " in out and f"a budget of {budget_s} s" in out
