"""Owners, privileges and prepared statements as real clients meet them: several users at once, and
statements that drivers send by the extended protocol."""
import psycopg
import pytest
from psycopg import errors


@pytest.fixture
def shared(start_server):
    """A server with the login roles app and other, and a superuser's table with one row."""
    server = start_server()
    with server.connect(user="postgres") as root:
        root.execute("create role app login")
        root.execute("create role other login")
        root.execute("create table t (id serial primary key, v int)")
        root.execute("insert into t (v) values (7)")
    return server


def test_a_login_role_cannot_touch_what_is_not_its_own(shared):
    with shared.connect(user="app") as app, shared.connect(user="postgres") as root:
        for sql in ("drop table t", "truncate t", "delete from t", "drop index t_pkey",
                    "alter table t owner to app", "create role mine superuser",
                    "alter role app superuser", "select rolpassword from pg_authid",
                    "select nextval('t_id_seq')", "grant all on t to app", "copy t to stdout"):
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute(sql)
        pid = root.execute("select pg_backend_pid()").fetchone()[0]
        for function in ("pg_terminate_backend", "pg_cancel_backend"):
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute(f"select {function}(%s::int)", [pid])
        assert root.execute("select v from t").fetchall() == [(7,)]


def test_prepared_statements_follow_grants(shared):
    with shared.connect(user="app") as app, shared.connect(user="postgres") as root:
        query = "select v from t where id = %s"
        root.execute("grant select on t to app")
        for _ in range(3):
            assert app.execute(query, [1], prepare=True).fetchall() == [(7,)]
        root.execute("revoke select on t from app")
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute(query, [1], prepare=True)
        root.execute("grant select on t to public")
        assert app.execute(query, [1], prepare=True).fetchall() == [(7,)]


def test_users_without_a_role_share_their_tables(shared):
    with shared.connect(user="alice") as alice, shared.connect(user="bob") as bob:
        alice.execute("create table g (a int)")
        bob.execute("insert into g values (1)")
        with shared.connect(user="app") as app, pytest.raises(errors.InsufficientPrivilege):
            app.execute("select * from g")
        with pytest.raises(errors.InsufficientPrivilege):
            bob.execute("drop table t")
        bob.execute("drop table g")


def test_prepare_by_the_extended_protocol_runs_nothing(shared):
    with shared.connect(user="postgres") as root:
        root.execute("prepare d as delete from t", prepare=True)
        assert root.execute("select count(*) from t").fetchone() == (1,)
        # EXECUTE has no parameters of its own; reading one ended the server.
        root.execute("prepare s (int) as select $1")
        with pytest.raises(errors.UndefinedParameter):
            root.execute("execute s($1)", prepare=True)
        root.execute("execute d", prepare=True)
        assert root.execute("select count(*) from t").fetchone() == (0,)


def test_rows_of_no_columns(shared):
    with shared.connect(user="postgres") as root:
        for prepare in (False, True):
            for sql, rows in (("select", 1), ("select from t", 1),
                              ("select from t where v = 0", 0)):
                cursor = root.execute(sql, prepare=prepare)
                assert cursor.description == [] and cursor.rowcount == rows
        with psycopg.ClientCursor(root) as cursor:
            assert cursor.execute("select from t").fetchall() == [()]
