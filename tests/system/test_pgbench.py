"""pgbench: its tables by every way of making them, its scripts in every mode, the money kept."""
import re

import pytest

from servers import Connbench

CLIENTS, THREADS = 32, 2
MODES = ("simple", "extended", "prepared")
# Options and transactions per client.
SCRIPTS = {
    "select-only": (["-S"], 30),
    "simple-update": (["-N"], 20),
    "tpcb-like": ([], 12),
    "reconnecting": (["-C"], 4),
}


@pytest.fixture(scope="module")
def bank(server):
    server.pgbench("-i", "-q", "-s", "1")
    yield server
    server.pgbench("-i", "-q", "-I", "d")


def balance(server):
    """What each table says was paid in since it was made; all must agree."""
    return [server.query(f"select coalesce(sum({column}), 0) from {table}")[0][0]
            for table, column in (("pgbench_accounts", "abalance"), ("pgbench_tellers", "tbalance"),
                                  ("pgbench_branches", "bbalance"), ("pgbench_history", "delta"))]


def check_run(result, transactions):
    assert re.search(rf"processed: {transactions}/{transactions}\n", result.stdout), result.stdout
    assert re.search(r"number of failed transactions: 0 ", result.stdout), result.stdout


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts(bank, script, mode):
    options, transactions = SCRIPTS[script]
    result = bank.pgbench(*options, "-n", "-M", mode, "-c", CLIENTS, "-j", THREADS,
                          "-t", transactions)
    check_run(result, CLIENTS * transactions)


@pytest.mark.every_model
def test_money_is_kept(binary, model):
    """All modes of the script that pays everybody, from empty tables: what is lost would show."""
    with Connbench(binary, model) as server:
        server.pgbench("-i", "-q", "-s", "1")
        for mode in MODES:
            check_run(server.pgbench("-n", "-M", mode, "-c", CLIENTS, "-j", THREADS, "-t", 10),
                      CLIENTS * 10)
        accounts, tellers, branches, history = balance(server)
        assert accounts == tellers == branches == history
        assert server.query("select count(*) from pgbench_history") == [(3 * CLIENTS * 10,)]
        assert server.query("select count(*) from pgbench_accounts") == [(100000,)]
        # simple-update pays no teller and no branch: accounts and history still agree.
        server.pgbench("-n", "-N", "-M", "prepared", "-c", CLIENTS, "-j", THREADS, "-t", 10)
        accounts, tellers_after, _, history = balance(server)
        assert accounts == history
        assert tellers_after == tellers


def test_the_preamble_and_its_vacuum(bank):
    check_run(bank.pgbench("-c", 2, "-t", 5), 10)
    check_run(bank.pgbench("-v", "-c", 2, "-t", 5), 10)


@pytest.mark.parametrize("steps", ["dtgvp", "dtGvpf"])
def test_every_initialisation_step(binary, model, steps):
    with Connbench(binary, model) as server:
        server.pgbench("-i", "-q", "-I", steps, "-s", "1")
        assert [server.query(f"select count(*) from pgbench_{table}")[0][0]
                for table in ("accounts", "branches", "tellers", "history")] == [100000, 1, 10, 0]
        check_run(server.pgbench("-n", "-c", 4, "-t", 10), 40)


def test_latency_limit_and_retries(bank):
    result = bank.pgbench("-n", "-N", "-c", 8, "-t", 20, "--max-tries", 3, "-r")
    check_run(result, 160)
