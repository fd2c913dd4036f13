"""What stands ready for CI: the script runs here as far as that goes without a service, and the
files of the services call it."""
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest
import yaml

from servers import CLIENT_TIMEOUT_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs/ci/gate.sh"
VERDICTS = (0, 3, 4, 5)  # on a busy machine each of them is possible


def run_script(*words, **environment):
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S * 3, env={**os.environ, **environment})


def test_gate_script_gives_verdict_summary_and_exit_code(binary, tmp_path):
    result = run_script(
        "gate", CONNBENCH_PROGRAM=str(binary), CONNBENCH_BASE_DIR=str(binary.parents[1]),
        CONNBENCH_MODEL="fork", CONNBENCH_BUDGET="20s", CONNBENCH_OUTPUT=str(tmp_path / "out"),
        CONNBENCH_GATE_FLAGS="--window 100ms -w churn -c 2",
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary"), GITHUB_OUTPUT=str(tmp_path / "output"))
    assert result.returncode in VERDICTS, result.stderr
    verdict = (tmp_path / "out/verdict.md").read_text()
    assert "churn" in verdict
    assert (tmp_path / "summary").read_text() == verdict
    assert (tmp_path / "output").read_text() == f"exit-code={result.returncode}\n"
    assert (tmp_path / "out/run/trials.csv").exists()
    report = (tmp_path / "out/verdict.xml").read_text()
    assert f'failures="0" skipped="{int(result.returncode in (3, 5))}"' in report or (
        result.returncode == 4 and 'failures="1" skipped="0"' in report)


def test_gate_script_hands_a_mistake_on(binary, tmp_path):
    result = run_script("gate", CONNBENCH_PROGRAM=str(binary), CONNBENCH_MODEL="forc",
                        CONNBENCH_BASE_DIR=str(binary.parents[1]),
                        CONNBENCH_OUTPUT=str(tmp_path / "out"))
    assert result.returncode == 1
    assert "forc" in result.stderr


@pytest.mark.parametrize("code, outcome", [
    (0, ""), (1, "failure"), (2, "failure"), (3, "skipped"), (4, "failure"), (5, "skipped")])
def test_report_and_page_agree_on_what_fails(tmp_path, code, outcome):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    result = run_script("gate", CONNBENCH_PROGRAM=str(program),
                        CONNBENCH_OUTPUT=str(tmp_path / "out"))
    assert result.returncode == code
    report = xml.etree.ElementTree.parse(tmp_path / "out/verdict.xml").getroot()
    assert [each.tag for each in report[0]] == ([outcome] if outcome else [])
    for kind in ("failure", "skipped"):
        counter = {"failure": "failures", "skipped": "skipped"}[kind]
        assert int(report.get(counter)) == int(outcome == kind)
    rows = [line for line in (ROOT / "docs/ci.md").read_text().splitlines()
            if re.match(r"\| [0-9, ]+ \|", line)]
    row = next(line for line in rows if str(code) in line.split("|")[1])
    word = {"": "passes", "failure": "fails", "skipped": "warns"}[outcome]
    assert row.split("|")[3].strip().startswith(word)


@pytest.fixture
def repository(tmp_path):
    """A clone with two commits whose launcher says which of them it is."""
    root = tmp_path / "tree"
    script = root / "docs/ci/gate.sh"
    script.parent.mkdir(parents=True)
    script.write_text(SCRIPT.read_text())
    script.chmod(0o755)

    def git(*words):
        return subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True,
            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S).stdout.strip()

    git("init", "-q")
    revisions = []
    for number in (1, 2):
        launcher = root / "connbench"
        launcher.write_text(f"#!/bin/sh\necho built {number}\n")
        launcher.chmod(0o755)
        git("add", "-A")
        git("commit", "-qm", str(number))
        revisions.append(git("rev-parse", "HEAD"))

    def base(revision):
        return subprocess.run([script, "base", revision], capture_output=True, text=True,
                              timeout=CLIENT_TIMEOUT_S)

    return base, revisions, tmp_path / "base"


def test_base_is_the_revision_that_is_asked_for(repository):
    base, (first, second), folder = repository
    assert "built 1" in base(first).stdout
    # What an earlier gate left there is another base.
    result = base(second)
    assert "built 2" in result.stdout and second in result.stdout, result.stderr
    # A folder that somebody removed does not stand in the way.
    shutil.rmtree(folder)
    assert "built 1" in base(first).stdout


def test_base_is_never_something_else(repository):
    base, (first, _), folder = repository
    assert base("nosuch").returncode == 1
    folder.mkdir()
    result = base(first)
    assert result.returncode == 1 and "no checkout" in result.stderr
    folder.rmdir()
    assert base(first).returncode == 0
    (folder / "connbench").write_text("#!/bin/sh\necho built 3\n")
    result = base(first)
    assert result.returncode == 1 and "changes" in result.stderr


@pytest.mark.parametrize("words", [[], ["nonsense"], ["base"]])
def test_gate_script_says_how_it_is_called(words):
    result = run_script(*words)
    assert result.returncode == 1
    assert "gate.sh all REVISION" in result.stderr and "CONNBENCH_BUDGET" in result.stderr


def test_files_of_the_services_call_what_there_is():
    action = yaml.safe_load((ROOT / ".github/actions/connbench-gate/action.yml").read_text())
    steps = action["runs"]["steps"]
    assert [step["run"].split()[:2] for step in steps] == [
        ["docs/ci/gate.sh", word] for word in ("base", "candidate", "gate")]
    workflow = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())
    used = [step for step in workflow["jobs"]["gate"]["steps"] if "connbench-gate" in
            step.get("uses", "")]
    assert set(used[0]["with"]) <= set(action["inputs"])
    gitlab = yaml.safe_load((ROOT / "docs/ci/gitlab-ci.yml").read_text())
    assert gitlab["gate"]["script"][0].startswith("docs/ci/gate.sh all ")
