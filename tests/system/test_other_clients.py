"""Programs in front of the server: PgBouncer in its pool modes, sysbench."""
import re

import pytest

from servers import PgBouncer


@pytest.fixture(scope="module")
def bank(server):
    server.pgbench("-i", "-q", "-s", "1")
    yield server
    server.pgbench("-i", "-q", "-I", "d")


@pytest.mark.parametrize("pool_mode, modes", [("session", ("simple", "extended", "prepared")),
                                              ("transaction", ("simple", "extended"))])
def test_pgbouncer(bank, pool_mode, modes):
    with PgBouncer(bank, pool_mode) as bouncer:
        assert bouncer.query("select 1") == [(1,)]
        assert bouncer.query("show application_name", application_name="through")[0] == ("through",)
        for mode in modes:
            # Session pooling serves as many clients at a time as the pool has servers.
            clients = 4 if pool_mode == "session" else 16
            result = bouncer.pgbench("-n", "-M", mode, "-c", clients, "-j", 2, "-t", 20)
            assert re.search(r"failed transactions: 0 ", result.stdout), result.stdout
        result = bouncer.pgbench("-n", "-S", "-C", "-c", 4, "-t", 10)
        assert re.search(r"failed transactions: 0 ", result.stdout), result.stdout


@pytest.mark.parametrize("statements", ["auto", "disable"])  # prepared, plain
def test_sysbench(server, statements):
    common = ["--db-driver=pgsql", f"--pgsql-host={server.host}", f"--pgsql-port={server.port}",
              f"--pgsql-user={server.user}", "--pgsql-password=x", f"--pgsql-db={server.database}",
              "--tables=2", "--table-size=1000", f"--db-ps-mode={statements}"]
    for script, events in (("oltp_read_write", 200), ("oltp_insert", 200),
                           ("oltp_point_select", 500), ("oltp_update_index", 200),
                           ("oltp_delete", 200)):
        server.run("sysbench", script, *common, "prepare")
        result = server.run("sysbench", script, *common, "--threads=8", f"--events={events}",
                            "--time=60", "run")
        # Ignored are 23505 and 40P01, which oltp_read_write runs into on PostgreSQL, too: two
        # threads that delete and insert the same row.
        assert "FATAL" not in result.stdout + result.stderr, result.stdout + result.stderr
        assert int(re.search(r"transactions: +(\d+) ", result.stdout)[1]) == events, result.stdout
        server.run("sysbench", script, *common, "cleanup")
