"""Storms, failovers and disturbed victims as a user runs them: whole trials with a small server of
every model. What is asserted is what was counted, never how long it took."""
import csv
import resource
import socket
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S, MACHINE_CHECKS

SELECT = "SELECT 1;\n"


@pytest.fixture
def run_trial(binary, model, tmp_path):
    """run_trial(workload text, connections) -> the rows of every result file of one trial."""

    def run(workload, connections):
        (tmp_path / "s.sql").write_text(SELECT)
        (tmp_path / "w.toml").write_text(workload)
        (tmp_path / "suite.toml").write_text(
            f'name = "t"\nrepetitions = 1\n[[experiment]]\nworkload = "{tmp_path}/w.toml"\n'
            f"connections = [{connections}]\n")
        result = subprocess.run(
            [binary, "run", tmp_path / "suite.toml", "--models", model, "-o", tmp_path / "out",
             "--waive", MACHINE_CHECKS],
            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
        files = {path.stem: list(csv.DictReader(path.open()))
                 for path in (tmp_path / "out").glob("*.csv")}
        assert files, result.stderr
        assert files["trials"][0]["status"] == "OK", files["trials"][0]["status_reason"]
        assert result.returncode == 0, result.stderr
        return files

    return run


def outcomes(files, kind):
    return {row["outcome"]: int(row["count"]) for row in files["errors"]
            if row["kind"] == kind and row["count"] != "0"}


def test_after_a_failover_everyone_is_served_again(run_trial):
    files = run_trial('pattern = "failover"\nduration = "60s"\nscripts = [{ file = "s.sql" }]\n'
                      'backoff = { initial = "5ms", max = "200ms", jitter = 0.5 }\n', 20)
    trial = files["trials"][0]
    assert float(trial["all_served_ms"]) >= 2.5  # the least that the backoff can draw
    connects = outcomes(files, "connect")
    assert connects["ok"] == 40  # once before, once after
    assert connects["lost_later"] == 20
    assert outcomes(files, "transaction") == {"ok": 20}


def test_a_victim_is_measured_apart_from_what_disturbs_it(run_trial):
    files = run_trial('duration = "1500ms"\nscripts = [{ file = "s.sql" }]\n'
                      '[[group]]\nname = "victim"\nconnections = 2\n'
                      '[[group]]\nname = "storm"\npattern = "storm"\nstart = "500ms"\n', 30)
    trial = files["trials"][0]
    samples = {row["distribution"]: int(row["samples"]) for row in files["latency"]
               if row["percentile"] == "1"}
    assert samples["transaction"] == int(trial["transactions_ok"])
    assert samples["transaction"] == sum(
        samples.get(f"victim_{when}", 0) for when in ("before", "during", "after"))
    assert samples["victim_before"] > 0
    distributions = {row["distribution"] for row in files["latency"]}
    assert distributions >= {"transaction", "victim_before", "storm_connect", "storm_transaction"}
    assert outcomes(files, "connect") == {"ok": 2}
    assert outcomes(files, "connect:storm") == {"ok": 30}
    assert outcomes(files, "transaction:storm") == {"ok": 30}
    assert sum(int(row["connects_ok"]) for row in files["timeseries"]) == 30


@pytest.fixture
def driven():
    """driven(command, **options) -> how a load ended whose standard input is its control socket."""
    ours, theirs = socket.socketpair()

    def run(command, **options):
        return subprocess.run([*command, "--control-fd", "0"], stdin=theirs, capture_output=True,
                              text=True, timeout=CLIENT_TIMEOUT_S, **options)

    yield run
    ours.close()
    theirs.close()


def test_a_storm_says_beforehand_which_limit_it_lacks(binary, driven):
    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    result = driven([binary, "load", "storm", "-c", "1000"], preexec_fn=few_descriptors)
    assert result.returncode == 1
    assert "RLIMIT_NOFILE" in result.stderr and "ulimit -n" in result.stderr


def test_a_storm_says_beforehand_that_ports_would_not_last(binary, driven):
    """With 100 ports, in a network namespace of the test's own."""
    inside = ["unshare", "--net", "sh", "-ec",
              'echo 40000 40099 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("network namespaces need root")
    result = driven([*inside, binary, "load", "storm", "-h", "127.0.0.1", "-c", "1000",
                     "--source-addresses", "1"])
    assert result.returncode == 1
    assert "ip_local_port_range" in result.stderr and "more source addresses" in result.stderr


def test_a_program_for_each_connection_loads_only_what_it_uses(binary):
    """fork-exec starts it for each connection: what other models need would be its connect cost."""
    loaded = subprocess.run(["ldd", binary.parent / "connbench-backend"], capture_output=True,
                            text=True, check=True).stdout
    assert "libssl" in loaded
    assert not [line for line in loaded.splitlines() if "Poco" in line or "boost" in line]
