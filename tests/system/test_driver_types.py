"""What drivers send: values of types that the server lacks give one clear error, on every model,
and the session goes on; asyncpg connects, fetches and runs its pool."""
import asyncio
import datetime
import decimal
import ipaddress
import uuid

import asyncpg
import psycopg
import pytest

ANSWERED = [1, -2**40, 2**70, 1.5, True, decimal.Decimal("1.50"),
            datetime.datetime(2024, 2, 29, 12),
            datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), [1, 2], [1.5, None],
            b"by\0tes", datetime.date(2024, 2, 29), uuid.UUID(int=7), [b"by\0tes"],
            [datetime.date(2024, 2, 29)], datetime.time(12), datetime.timedelta(1, 2, 3),
            [datetime.time(23, 59, 59, 999999)], [datetime.timedelta(-1)]]
REFUSED = [datetime.time(12, tzinfo=datetime.timezone.utc), ipaddress.ip_address("127.0.0.1"),
           psycopg.types.json.Jsonb({"a": 1})]
# psycopg leaves the type of these open, so that a server without them sees a text.
UNTYPED = ["text", None, ["a"], psycopg.types.range.Range(1, 2)]
POSITIONS = ["select %s", "values (%s)", "select distinct %s", "select 1 order by %s",
             "select coalesce(%s, null)"]
# Where any type will do, PostgreSQL wants to be told which.
ANY_TYPE = ["select concat(%s, 'a')", "select count(%s)", "select %s is null"]


@pytest.mark.every_model
def test_psycopg_gets_an_answer_or_one_clear_error(server):
    with server.connect() as connection:
        for sql in POSITIONS + ANY_TYPE:
            for value in ANSWERED:
                assert len(connection.execute(sql, [value]).fetchall()) == 1
            for value in REFUSED:
                with pytest.raises(psycopg.errors.FeatureNotSupported,
                                   match="type .* is not supported"):
                    connection.execute(sql, [value])
                assert connection.execute("select 1").fetchone() == (1,)
            for value in UNTYPED:
                if sql in POSITIONS:
                    assert len(connection.execute(sql, [value]).fetchall()) == 1
                    continue
                with pytest.raises(psycopg.errors.IndeterminateDatatype):
                    connection.execute(sql, [value])


def test_asyncpg_connects_fetches_and_runs_its_pool(server):
    async def work():
        address = {"host": server.host, "port": server.port, "user": server.user,
                   "database": server.database}
        connection = await asyncpg.connect(**address)
        try:
            row = await connection.fetchrow("select $1::int + 1 as a, $2::text || 'x' as b",
                                            41, "y")
            assert (row["a"], row["b"]) == (42, "yx")
            assert await connection.fetchval("select count(*) from generate_series(1, $1)",
                                             10) == 10
            async with connection.transaction():
                assert await connection.fetchval("select 1") == 1
        finally:
            await connection.close()
        async with asyncpg.create_pool(**address, min_size=2, max_size=4) as pool:
            async def one(i):
                async with pool.acquire() as borrowed:
                    return await borrowed.fetchval("select $1::int * 2", i)
            assert await asyncio.gather(*(one(i) for i in range(40))) == [2 * i for i in range(40)]

    asyncio.run(work())


def test_counts_that_go_to_the_wire_as_16_bits(server):
    ones = ", ".join
    with server.connect() as connection:
        assert len(connection.execute("select " + ones(["1"] * 1664)).fetchone()) == 1664
        for sql in ("select " + ones(["1"] * 1665), "select " + ones(["1"] * 65536),
                    "values (" + ones(["1"] * 1665) + ")",
                    "select 1 order by " + ones(f"random() + {i}" for i in range(1664))):
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(sql)
            assert caught.value.sqlstate == "54011"
            assert caught.value.diag.message_primary == "target lists can have at most 1664 entries"
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("select concat(" + ones(["1"] * 101) + ")")
        assert (caught.value.sqlstate, caught.value.diag.statement_position) == ("54023", "8")
        assert connection.execute(
            "select concat(" + ones(["1"] * 100) + ")").fetchone() == ("1" * 100,)
        # As many parameters as the protocol can count.
        many = list(range(65535))
        assert connection.execute("select 1 where 65534 in (" + ones(["%s"] * 65535) + ")",
                                  many).fetchone() == (1,)
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("select $65536::int")
        assert caught.value.sqlstate == "42P02"
        assert connection.execute(
            "select 1 where 7 in (" + ones(map(str, range(100000))) + ")").fetchone() == (1,)
