"""Open-loop load against a real server that stands still: what the latencies must say follows from
arithmetic, not from the machine's speed."""
import json
import os
import signal
import subprocess
import time

import pytest

from load_process import LoadProcess, load_command
from servers import Connbench

CLIENTS = 4  # load_command's
RATE = 100
WINDOW_S = 2
STALL_S = 0.5


def histogram(sparse):
    """[(value_ns, count)] of a histogram as the load generator stores it: HdrHistogram's layout."""
    head, _, body = sparse.partition(";")
    bits = int(head.split("/")[0])
    maximum = int(head.split()[3])
    half = 1 << (bits - 1)
    values, index = [], 0
    for word in body.split():
        step, count = map(int, word.split(":"))
        index += step
        shift = max(index // half - 1, 0)
        highest = ((index - shift * half) << shift) + (1 << shift) - 1
        values.append((min(highest, maximum), count))
    return values


def percentile(values, percent):
    """By nearest rank."""
    total = sum(count for _, count in values)
    rank = max(-(-total * percent // 100), 1)
    for value, count in values:
        rank -= count
        if rank <= 0:
            return value
    return values[-1][0]


@pytest.mark.parametrize("stopped_model", ["fork", "thread"])
def test_a_stopped_server_shows_in_every_transaction_that_was_due(binary, tmp_path, stopped_model):
    with Connbench(binary, stopped_model) as server, LoadProcess(
            binary, server, tmp_path, "-M", "prepared", "-R", str(RATE), "--arrival", "constant",
            "-T", f"{WINDOW_S}s") as load:
        load.begin()
        time.sleep(0.5)  # into the window; where exactly is measured
        pids = server.processes()
        stopping = time.monotonic_ns()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        stopped = time.monotonic_ns()
        time.sleep(STALL_S)
        resuming = time.monotonic_ns()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        resumed = time.monotonic_ns()
        output = load.finish()
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["transactions_all"] == RATE * WINDOW_S, output
    assert result["transactions_ok"] == RATE * WINDOW_S, output

    begin = result["window_begin_ns"]
    due = [begin + i * 10**9 // RATE for i in range(RATE * WINDOW_S)]
    assert due[0] < stopping and resumed < due[-1], "the stall lies in the window"

    def waits(first, last):
        """What the arrivals due in the stall wait at least for its end, if it was this long."""
        return sorted((last - at if first <= at < last else 0, 1) for at in due)

    # It began and ended somewhere in the time that the signals took.
    at_least, at_most = waits(stopped, resuming), waits(stopping, resumed)
    latency = histogram(result["transaction_latency"])
    service = histogram(result["service_time"])
    # Those that waited were served one after the other: milliseconds, or more on a busy machine,
    # where the client may be late, too.
    catching_up = (result["waiting_max"] * percentile(service, 95) +
                   percentile(histogram(result["client_lag"]), 100))
    for percent in (90, 99, 100):
        measured = percentile(latency, percent)
        assert (percentile(at_least, percent) * 0.95 <= measured <=
                percentile(at_most, percent) * 1.05 + catching_up), f"p{percent}\n{output}"
    # Counted from the send, as a closed loop does, only what was at the server when it stopped, at
    # most one transaction for each client, would have seen it.
    most_of_it = (resuming - stopped) * 0.8
    seen_by_clients, seen_from_the_server, due_early = (
        sum(count for value, count in values if value > most_of_it)
        for values in (latency, service, at_least))
    assert seen_from_the_server <= CLIENTS < due_early <= seen_by_clients, output
    # The client itself was on time, and is told apart from the server that was not.
    assert percentile(histogram(result["client_lag"]), 50) < 10**9 / RATE, output


def test_a_rate_beyond_reach_is_invalid_and_says_why(binary, tmp_path):
    with Connbench(binary, "thread") as server:
        load = server.run(*load_command(binary, tmp_path, "-R", "1M", "-T", "300ms",
                                        "--queue-limit", "1000"), check=False)
    assert load.returncode == 3, load
    assert "INVALID" in load.stdout and "achieved_rate: of" in load.stdout, load
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["transactions_all"] == (
        result["transactions_ok"] + result["transactions_failed"] + result["transactions_skipped"])


@pytest.mark.parametrize("options, message", [
    (["-R", "ramp(1, 2"], "the closing parenthesis is missing"),
    (["-R", "1000", "--arrival", "poison"], "poisson"),
    (["-R", "file(rates.txt)"], "rates.txt:2:4: \"ten\" is not a rate"),
])
def test_a_schedule_with_an_error_is_refused_before_it_starts(binary, tmp_path, options, message):
    (tmp_path / "rates.txt").write_text("0s 100\n1s ten\n")
    (tmp_path / "one.sql").write_text("SELECT 1;\n")
    result = subprocess.run([str(binary), "load", "-f", "one.sql", "-h", "127.0.0.1", "-p", "1",
                             *options], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1, result
    assert message in result.stderr, result.stderr
