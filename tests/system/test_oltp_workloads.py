"""YCSB's and TPC-C's workloads, unmodified but for their size, on a model and on PostgreSQL; and
that a workload's check makes a trial INVALID."""
import csv
import json
import subprocess

import pytest

from servers import MACHINE_CHECKS

RUN_TIMEOUT_S = 300
SUITE = """models = ["thread"]
targets = ["postgres"]
repetitions = 1
[[experiment]]
workload = "{workload}"
connections = 4
duration = "1s"
warmup = "0s"
protocol = "{protocol}"
{more}
"""
# All five transactions, and one in a hundred new-orders that is rolled back.
SMALL_TPCC = """[experiment.vary]
scale = 2
"define.items" = 2000
"define.customers" = 60
"""


def measure(binary, folder, text, *arguments, exit_code=0):
    """Rows of trials.csv, by contender."""
    suite = folder / "suite.toml"
    suite.write_text(text)
    done = subprocess.run(
        [str(binary), "run", str(suite), "-o", str(folder / "run"), "--no-charts", "--waive",
         MACHINE_CHECKS, *arguments],
        text=True, capture_output=True, timeout=RUN_TIMEOUT_S, check=False)
    assert done.returncode == exit_code, done.stdout + done.stderr
    with open(folder / "run/trials.csv", newline="") as file:
        return {row["contender"]: row for row in csv.DictReader(file)}


def errors(folder):
    """Codes with which transactions failed."""
    with open(folder / "run/errors.csv", newline="") as file:
        return {row["outcome"] for row in csv.DictReader(file)
                if row["kind"] == "transaction" and row["outcome"].startswith("failed_")}


@pytest.mark.parametrize("protocol", ["simple", "prepared"])
def test_tpcc_keeps_its_consistency_conditions(binary, tmp_path, protocol):
    rows = measure(binary, tmp_path, SUITE.format(workload="tpcc", protocol=protocol,
                                                  more=SMALL_TPCC))
    assert sorted(rows) == ["postgres", "thread"]
    for contender, row in rows.items():
        assert row["status"] == "OK", (contender, row["status_reason"])
        assert int(row["transactions_ok"]) >= 20, contender
    # New-orders lock their items in any order, which PostgreSQL and we refuse as a deadlock.
    assert errors(tmp_path) <= {"failed_40P01"}
    assert len(list((tmp_path / "run/inputs").rglob("tpcc/check.sql"))) == 1
    plan = json.loads((tmp_path / "run/plan.json").read_text())
    assert plan["cells"][0]["workload"]["check"]["path"].endswith("tpcc/check.sql")


@pytest.mark.parametrize("letter", "abcdef")
def test_ycsb_runs(binary, tmp_path, letter):
    rows = measure(binary, tmp_path, SUITE.format(workload=f"ycsb-{letter}", protocol="prepared",
                                                  more=""))
    assert sorted(rows) == ["postgres", "thread"]
    for contender, row in rows.items():
        assert row["status"] == "OK", (contender, row["status_reason"])
        assert int(row["transactions_ok"]) >= 100, contender
    assert errors(tmp_path) == set()


def test_ycsb_in_the_simple_protocol(binary, tmp_path):
    """Its variables are texts in the statements, where the other modes have parameters."""
    rows = measure(binary, tmp_path, SUITE.format(workload="ycsb-d", protocol="simple", more=""))
    assert {row["status"] for row in rows.values()} == {"OK"}
    assert errors(tmp_path) == set()


WORKLOAD = """scripts = [{ file = "script.sql" }]
setup = "tables.sql"
check = "check.sql"
"""


def broken(folder, check):
    (folder / "w.toml").write_text(WORKLOAD)
    (folder / "tables.sql").write_text("DROP TABLE IF EXISTS t;\nCREATE TABLE t (a int);\n")
    (folder / "script.sql").write_text("INSERT INTO t VALUES (7);\n")
    (folder / "check.sql").write_text(check)
    return SUITE.format(workload="./w.toml", protocol="simple", more="")


def test_a_row_of_the_check_makes_the_trial_invalid(binary, tmp_path):
    # The rehearsal runs the script once, a trial far more often.
    rows = measure(binary, tmp_path, broken(
        tmp_path, "SELECT a FROM t WHERE a < 7;\n"
        "SELECT 'too many of', min(a) FROM t HAVING count(*) > 1;\n"), exit_code=3)
    for row in rows.values():
        assert row["status"] == "INVALID"
        assert "consistency: " in row["status_reason"]
        assert "check.sql:2: too many of, 7" in row["status_reason"]


def test_a_check_can_be_waived(binary, tmp_path):
    rows = measure(binary, tmp_path, broken(
        tmp_path, "SELECT 1 FROM t HAVING count(*) > 1;\n"), "--waive", "consistency")
    assert {row["status"] for row in rows.values()} == {"OK"}


@pytest.mark.parametrize("check, words", [
    ("SELECT nosuch FROM t;\n", ["check.sql:1", "cannot run it", "nosuch"]),
    ("SELECT 'one', a FROM t;\n", ["contradicts itself before the first trial",
                                   "check.sql:1: one, 7"]),
])
def test_a_check_that_cannot_pass_is_found_before_the_first_trial(binary, tmp_path, check, words):
    suite = tmp_path / "suite.toml"
    suite.write_text(broken(tmp_path, check))
    done = subprocess.run([str(binary), "run", str(suite), "-o", str(tmp_path / "run")], text=True,
                          capture_output=True, timeout=RUN_TIMEOUT_S, check=False)
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr, done.stderr
    assert not (tmp_path / "run").exists()
