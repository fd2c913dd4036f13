"""Other client programs and libraries: sysbench, asyncpg."""
import asyncio
import io
import re

import asyncpg
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


def test_asyncpg_runs_a_pool(server):
    """It names its encoding with quotes, and resets each connection that it takes back."""

    async def run():
        async with asyncpg.create_pool(host=server.host, port=server.port, user=server.user,
                                       database=server.database, min_size=4, max_size=4) as pool:
            async def work(number):
                async with pool.acquire() as connection:
                    await connection.execute("set application_name = 'mine'; select 1")
                    value = await connection.fetchval("select $1::int4 + 1", number)
                    async with connection.transaction():
                        name = await connection.fetchval("select 'ä' || $1::text", str(number))
                    return value, name

            results = await asyncio.gather(*(work(number) for number in range(20)))
            assert results == [(number + 1, f"ä{number}") for number in range(20)]
            # a pooled connection is reset
            assert await pool.fetchval("show application_name") == ""

    asyncio.run(run())


def test_asyncpg_copies_and_reports_errors(server):
    async def run():
        connection = await asyncpg.connect(host=server.host, port=server.port, user=server.user,
                                           database=server.database)
        try:
            await connection.execute("drop table if exists ap; "
                                     "create table ap (a int primary key, b text)")
            await connection.executemany("insert into ap values ($1, $2)",
                                         [(number, f"row {number}") for number in range(50)])
            rows = await connection.fetch("select a, b from ap where a < $1 order by a", 3)
            assert [tuple(row) for row in rows] == [(0, "row 0"), (1, "row 1"), (2, "row 2")]
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute("insert into ap values (1, 'again')")
            async with connection.transaction():
                cursor = await connection.cursor("select a from ap order by a")
                assert [row["a"] for row in await cursor.fetch(2)] == [0, 1]
                assert [row["a"] for row in await cursor.fetch(2)] == [2, 3]
            # Records go in COPY's binary form.
            assert await connection.copy_records_to_table(
                "ap", records=[(100, "x"), (101, None)]) == "COPY 2"
            copied = io.BytesIO()
            await connection.copy_from_query("select * from ap where a >= 100 order by a",
                                             output=copied, format="csv", header=True)
            assert copied.getvalue() == b"a,b\n100,x\n101,\n"
            await connection.execute("drop table ap")
        finally:
            await connection.close()

    asyncio.run(run())
