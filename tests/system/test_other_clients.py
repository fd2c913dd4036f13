"""Other client programs: sysbench."""
import re

import pytest


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
