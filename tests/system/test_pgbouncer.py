"""PgBouncer, unmodified, in front of a model, in its pool modes: stock clients through it, and what
it asks of a server itself (reset and check queries, cancels, logins, servers that go away)."""
import re
import threading

import psycopg
import pytest

from servers import PgBouncer, cancelling, wait_until

WAIT_S = 20


@pytest.fixture(scope="module")
def bank(server):
    server.pgbench("-i", "-q", "-s", "1")
    yield server
    server.pgbench("-i", "-q", "-I", "d")


@pytest.mark.parametrize("pool_mode, modes", [("session", ("simple", "extended", "prepared")),
                                              ("transaction", ("simple", "extended"))])
def test_pgbench(bank, pool_mode, modes):
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


@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_psql(server, pool_mode):
    with PgBouncer(server, pool_mode) as bouncer:
        script = """
            begin; create table seen (v int); insert into seen values (1), (2);
            select sum(v) from seen; rollback;
            select no_such_column;
            select 'after an error';
            create table through_pgbouncer (v int);
            \\copy through_pgbouncer from stdin
            1
            2
            \\.
            \\copy through_pgbouncer to stdout
            drop table through_pgbouncer;"""
        result = bouncer.psql("\n".join(line.strip() for line in script.splitlines()))
        assert "\n3\n" in result.stdout and "after an error" in result.stdout, result.stdout
        assert "COPY 2\n1\n2\n" in result.stdout, result.stdout
        assert 'column "no_such_column" does not exist' in result.stderr


def test_session_mode_keeps_a_session_and_cleans_it_for_the_next_client(server):
    with PgBouncer(server, "session", default_pool_size=1,
                   server_reset_query="DISCARD ALL") as bouncer:
        with bouncer.connect(prepare_threshold=0) as first:
            session = first.execute("select pg_backend_pid()").fetchone()[0]
            for value in range(20):  # one statement, prepared once
                assert first.execute("select %s::int + 1", (value,)).fetchone() == (value + 1,)
            with first.cursor(binary=True) as cursor:
                assert cursor.execute(
                    "select %s::text", ("x" * 10_000,)).fetchone() == ("x" * 10_000,)
            first.execute("prepare mine as select 1")
            first.execute("set work_mem = '7MB'")
            assert first.execute("select pg_backend_pid()").fetchone()[0] == session
        with bouncer.connect(prepare_threshold=0) as second:
            assert second.execute("select pg_backend_pid()").fetchone()[0] == session
            assert second.execute("show work_mem").fetchone() != ("7MB",)
            with pytest.raises(psycopg.errors.InvalidSqlStatementName):
                second.execute("execute mine")


def test_transaction_mode_shares_one_session(server):
    with PgBouncer(server, "transaction", default_pool_size=1) as bouncer, \
            bouncer.connect(prepare_threshold=None) as first, \
            bouncer.connect(prepare_threshold=None) as second:
        sessions = {connection.execute("select pg_backend_pid()").fetchone()[0]
                    for connection in (first, second, first)}
        assert len(sessions) == 1
        first.execute("begin")
        first.execute("set local work_mem = '7MB'")
        answers = []
        waiting = threading.Thread(
            target=lambda: answers.append(second.execute("show work_mem").fetchone()[0]))
        waiting.start()
        wait_until(lambda: any(row["cl_waiting"] == "1" for row in bouncer.admin("show pools")),
                   WAIT_S, "the second client waits for the session")
        assert first.execute("show work_mem").fetchone() == ("7MB",)
        first.execute("commit")
        waiting.join(WAIT_S)
        assert answers and answers != ["7MB"]


def test_administration_console(server):
    with PgBouncer(server, "transaction") as bouncer, bouncer.connect() as client:
        client.execute("select 1")
        pool = next(row for row in bouncer.admin("show pools")
                    if row["database"] == server.database)
        assert (pool["cl_active"], pool["sv_idle"], pool["pool_mode"]) == ("1", "1", "transaction")
        assert [row["state"] for row in bouncer.admin("show servers")] == ["idle"]
        session = client.execute("select pg_backend_pid()").fetchone()[0]
        # PAUSE waits for what runs and closes the servers; after RESUME there are new ones.
        bouncer.admin("pause")
        assert bouncer.admin("show servers") == []
        bouncer.admin("resume")
        assert client.execute("select pg_backend_pid()").fetchone()[0] != session
        # RECONNECT replaces them as they become free.
        session = client.execute("select pg_backend_pid()").fetchone()[0]
        bouncer.admin("reconnect")
        wait_until(lambda: client.execute("select pg_backend_pid()").fetchone()[0] != session,
                   WAIT_S, "another server connection")


def test_servers_that_go_away_are_replaced(server):
    # Each server connection is asked before it is used again.
    with PgBouncer(server, "transaction", server_check_query="select 1",
                   server_check_delay=0) as bouncer, bouncer.connect() as client, \
            server.connect() as boss:
        for _ in range(3):
            session = client.execute("select pg_backend_pid()").fetchone()[0]
            assert boss.execute(f"select pg_terminate_backend({session})").fetchone() == (True,)
            wait_until(lambda: bouncer.admin("show servers") == [], WAIT_S,
                       "PgBouncer has heard that its idle server connection is gone")
            assert client.execute("select pg_backend_pid()").fetchone()[0] != session
        client.execute("begin")
        session = client.execute("select pg_backend_pid()").fetchone()[0]
        assert boss.execute(f"select pg_terminate_backend({session})").fetchone() == (True,)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(WAIT_S * 100):
                client.execute("select pg_sleep(0.01)")
        assert bouncer.query("select 1") == [(1,)]


@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_cancels_reach_the_right_session(server, pool_mode):
    with PgBouncer(server, pool_mode) as bouncer, bouncer.connect() as client, \
            bouncer.connect() as other:
        other.execute("begin")
        other.execute("select 1")
        with cancelling(client), pytest.raises(psycopg.errors.QueryCanceled):
            client.execute("select pg_sleep(60)")
        assert client.execute("select 1").fetchone() == (1,)
        other.execute("commit")


def test_logs_clients_in_by_auth_query(start_server, tmp_path):
    """PgBouncer asks the server for the SCRAM secrets of users that it does not know."""
    rules = tmp_path / "pg_hba.conf"
    rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    (tmp_path / "pwfile").write_text("of the superuser\n")
    guarded = start_server(hba_file=rules, pwfile=tmp_path / "pwfile")
    with guarded.connect(user="postgres", password="of the superuser") as boss:
        boss.execute("create user alice password 'of alice'")
    with PgBouncer(guarded, "transaction", users={"postgres": "of the superuser"},
                   auth_user="postgres",
                   auth_query="select rolname, rolpassword from pg_authid where rolname = $1"
                   ) as bouncer:
        with bouncer.connect(password="of alice") as connection:
            assert connection.execute("select current_user").fetchone() == ("alice",)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            bouncer.connect(password="wrong")
        with pytest.raises(psycopg.OperationalError):
            bouncer.connect(user="nobody", password="wrong")
