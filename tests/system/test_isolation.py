"""Isolation and row locks by written schedules, each run on PostgreSQL and on every core model:
what waits must wait, and every answer must be the same."""
import pytest

import wire
from isolation import play, sessions
from servers import Postgres

SETUP = ["drop table if exists t",
         "create table t (id int primary key, u int unique, v int)",
         "insert into t values (1, 10, 100), (2, 20, 200), (3, 30, 300)"]

RR = "begin isolation level repeatable read"
ONE = "where id = 1"
READ = "select * from t order by id"

SCHEDULES = {
    # ---- anomalies ----
    "lost update, read committed: the second sees the first's value": f"""
        1 begin
        2 begin
        1 select v from t {ONE}
        2 select v from t {ONE}
        1 update t set v = v + 1 {ONE}
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 commit
        1 {READ}""",
    "lost update, repeatable read: refused": f"""
        1 {RR}
        2 {RR}
        1 select v from t {ONE}
        2 select v from t {ONE}
        1 update t set v = v + 1 {ONE}
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 commit
        1 {READ}""",
    "an update that is rolled back is no conflict": f"""
        1 {RR}
        2 {RR}
        2 select v from t {ONE}
        1 update t set v = v + 1 {ONE}
        2* update t set v = v + 10 {ONE}
        1 rollback
        2<
        2 commit
        1 {READ}""",
    "a lock alone is no conflict": f"""
        1 {RR}
        2 {RR}
        2 select v from t {ONE}
        1 select v from t {ONE} for update
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 commit
        1 {READ}""",
    "delete against update, repeatable read": f"""
        1 {RR}
        2 {RR}
        2 {READ}
        1 delete from t {ONE}
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 rollback""",
    "delete against delete, repeatable read": f"""
        1 {RR}
        2 {RR}
        2 {READ}
        1 delete from t {ONE}
        2* delete from t {ONE}
        1 commit
        2<
        2 rollback""",
    "delete against for share, repeatable read": f"""
        1 {RR}
        2 {RR}
        2 {READ}
        1 delete from t {ONE}
        2* select * from t {ONE} for share
        1 commit
        2<
        2 rollback""",
    "update against for share, repeatable read": f"""
        2 {RR}
        2 {READ}
        1 update t set v = 0 {ONE}
        2 select * from t {ONE} for share
        2 rollback""",
    "an update of no key against for key share, repeatable read": f"""
        2 {RR}
        2 {READ}
        1 update t set v = 0 {ONE}
        2 select * from t {ONE} for key share
        1 begin
        1* delete from t {ONE}
        2 commit
        1<
        1 rollback""",
    "an update of a key against for key share, repeatable read": f"""
        2 {RR}
        2 {READ}
        1 update t set u = 11 {ONE}
        2 select * from t {ONE} for key share
        2 rollback""",
    "write skew, repeatable read: allowed": f"""
        1 {RR}
        2 {RR}
        1 select sum(v) from t
        2 select sum(v) from t
        1 update t set v = 0 where id = 1
        2 update t set v = 0 where id = 2
        1 commit
        2 commit
        1 {READ}""",
    "write skew, with the rows locked: refused": f"""
        1 {RR}
        2 {RR}
        1 select * from t order by id for share
        2 select * from t order by id for share
        1* update t set v = 0 where id = 1
        2 rollback
        1<
        1 commit""",
    "the read-only anomaly, repeatable read: allowed": f"""
        1 {RR}
        1 {READ}
        2 {RR}
        2 update t set v = v + 20 where id = 2
        2 commit
        3 begin isolation level repeatable read read only
        3 {READ}
        3 commit
        1 update t set v = v - 11 where id = 1
        1 commit
        1 {READ}""",
    "no dirty read, no dirty write": f"""
        1 begin
        1 update t set v = 0 {ONE}
        2 {READ}
        2 begin isolation level read uncommitted
        2 show transaction_isolation
        2 {READ}
        2 commit
        1 rollback
        2 {READ}""",
    "non-repeatable read and phantoms": f"""
        1 begin
        2 {RR}
        1 {READ}
        2 {READ}
        3 update t set v = 1 {ONE}
        3 insert into t values (4, 40, 400)
        1 {READ}
        2 {READ}
        2 commit
        2 {READ}
        1 commit""",
    "lock table takes no snapshot": f"""
        1 begin
        1 update t set v = 0 {ONE}
        2 {RR}
        2* lock table t in share mode
        1 commit
        2<
        2 {READ}
        2 update t set v = v + 1 {ONE}
        2 commit""",
    "set and show take no snapshot": f"""
        2 {RR}
        2 set work_mem = '1MB'
        2 show work_mem
        2 savepoint s
        2 rollback to s
        1 update t set v = 0 {ONE}
        2 {READ}
        1 update t set v = 1 {ONE}
        2 {READ}
        2 commit""",
    # ---- what read committed looks at again ----
    "the condition is tested again: no longer met": f"""
        1 begin
        1 update t set v = 500 {ONE}
        2* update t set v = v + 1 where v < 300
        1 commit
        2<
        2 {READ}""",
    "the condition is tested again: newly met rows are not found": f"""
        1 begin
        1 update t set v = 0 where id = 3
        2* update t set v = v + 1 where v < 300 or id = 3
        1 commit
        2<
        2 {READ}""",
    "a row that was deleted is passed over": f"""
        1 begin
        1 delete from t {ONE}
        2* update t set v = v + 1 where id < 3
        1 commit
        2<
        2 {READ}""",
    "a row that was deleted and inserted again is passed over": f"""
        1 begin
        1 delete from t {ONE}
        1 insert into t values (1, 10, 101)
        2* update t set v = v + 1 {ONE}
        1 commit
        2<
        2 {READ}""",
    "a key that was changed is tested again": f"""
        1 begin
        1 update t set id = 9 {ONE}
        2* update t set v = v + 1 {ONE}
        1 commit
        2<
        2 {READ}""",
    "for update gives the newest version": f"""
        1 begin
        1 update t set v = v + 1 {ONE}
        2* select * from t {ONE} for update
        1 commit
        2<""",
    "two updates in a row are followed": f"""
        1 begin
        1 update t set v = v + 1 {ONE}
        2* update t set v = v + 10 {ONE}
        3* update t set v = v + 100 {ONE}
        1 commit
        2<
        3<
        3 {READ}""",
    # ---- unique keys ----
    "insert of a key that is being inserted, then committed": f"""
        1 begin
        1 insert into t values (4, 40, 1)
        2* insert into t values (4, 41, 2)
        1 commit
        2<
        2 {READ}""",
    "insert of a key that is being inserted, then rolled back": f"""
        1 begin
        1 insert into t values (4, 40, 1)
        2* insert into t values (4, 41, 2)
        1 rollback
        2<
        2 {READ}""",
    "insert of a key that is being deleted": f"""
        1 begin
        1 delete from t {ONE}
        2* insert into t values (1, 11, 2)
        1 commit
        2<
        2 {READ}""",
    "insert of a key whose delete is rolled back": f"""
        1 begin
        1 delete from t {ONE}
        2* insert into t values (1, 11, 2)
        1 rollback
        2<""",
    "update to a key that is being updated away": f"""
        1 begin
        1 update t set u = 11 {ONE}
        2* update t set u = 10 where id = 2
        1 commit
        2<
        2 {READ}""",
    "a key that a savepoint inserted and gave up": f"""
        1 begin
        1 savepoint s
        1 insert into t values (4, 40, 1)
        2* insert into t values (4, 41, 2)
        1 rollback to s
        2<
        1 commit
        2 {READ}""",
    # ---- row locks ----
    "sharers share, an update waits for all of them": f"""
        1 begin
        2 begin
        1 select v from t {ONE} for share
        2 select v from t {ONE} for share
        3* update t set v = 0 {ONE}
        1 commit
        2 commit
        3<""",
    "a key share lets an update of no key pass": f"""
        1 begin
        1 select v from t {ONE} for key share
        2 update t set v = 0 {ONE}
        2 update t set u = u {ONE}
        2* update t set u = 99 {ONE}
        1 commit
        2<
        2 {READ}""",
    "a key share keeps a delete out, also after an update": f"""
        1 begin
        1 select v from t {ONE} for key share
        2 update t set v = 0 {ONE}
        2* delete from t {ONE}
        1 commit
        2<""",
    "a key share beside an update keeps the updater's delete out": f"""
        2 begin
        2 update t set v = 0 {ONE}
        1 begin
        1 select v from t {ONE} for key share
        2* delete from t {ONE}
        1 commit
        2<
        2 commit
        1 {READ}""",
    "a lock in an outer level survives an update that is rolled back": f"""
        1 begin
        1 select v from t {ONE} for update
        1 savepoint s
        1 update t set v = v + 1 {ONE}
        1 rollback to s
        2* update t set v = v + 10 {ONE}
        1 update t set v = v + 100 {ONE}
        1 commit
        2<
        2 {READ}""",
    "a lock survives the release of the savepoint that took it": f"""
        1 begin
        1 savepoint a
        1 select v from t {ONE} for share
        1 release a
        1 savepoint b
        1 delete from t {ONE}
        1 rollback to b
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 {READ}""",
    "a lock is given up with the savepoint that took it": f"""
        1 begin
        1 savepoint a
        1 select v from t {ONE} for update
        2* update t set v = v + 10 {ONE}
        1 rollback to a
        2<
        1 select v from t {ONE}
        1 commit""",
    "an error in a savepoint gives up its locks at once": f"""
        1 begin
        1 select v from t where id = 2 for update
        1 savepoint a
        1 select v from t {ONE} for update
        1 select 1/0
        2 update t set v = v + 10 {ONE}
        2* update t set v = v + 10 where id = 2
        1 rollback to a
        1 commit
        2<""",
    "an updated row in an outer level stays locked": f"""
        1 begin
        1 update t set v = 1 {ONE}
        1 savepoint s
        1 update t set v = 2 {ONE}
        1 savepoint s2
        1 update t set v = 3 {ONE}
        1 rollback to s2
        1 rollback to s
        2* update t set v = v + 10 {ONE}
        1 commit
        2<
        2 {READ}""",
    "nowait": f"""
        1 begin
        1 select v from t {ONE} for no key update
        2 select v from t {ONE} for share nowait
        2 select v from t {ONE} for key share nowait
        2 begin
        2 select id from t order by id for update nowait
        2 rollback
        1 commit
        2 select v from t {ONE} for update nowait""",
    "skip locked": f"""
        1 begin
        1 select v from t where id = 2 for share
        2 select id from t order by id for update skip locked
        2 select id from t order by id for share skip locked
        2 select id from t order by id limit 1 offset 1 for update skip locked
        1 commit
        2 select id from t order by id for update skip locked""",
    "skip locked passes over a newest version that is locked": f"""
        1 begin
        1 update t set v = 0 {ONE}
        2 begin
        2 select id from t order by id for update skip locked
        1 commit
        3 select id, v from t order by id for update skip locked
        2 commit""",
    "the strongest of several clauses counts": f"""
        1 begin
        1 select v from t {ONE} for share for update
        2 select v from t {ONE} for key share nowait
        1 commit
        1 begin
        1 select v from t {ONE} for share of t nowait
        2 select v from t {ONE} for update for share nowait
        1 commit
        1 select v from t for update of x
        1 select v from t as x for no key update of t
        1 select v from t for share of public.t
        1 select count(*) from t for share
        1 select distinct v from t for key share
        1 select v from t group by v for no key update
        1 begin read only
        1 select v from t for key share""",
    "an upgrade waits only for the other holder": f"""
        1 begin
        2 begin
        1 select v from t {ONE} for key share
        2 select v from t {ONE} for key share
        3* delete from t {ONE}
        1* select v from t {ONE} for update
        2 commit
        1<
        1 commit
        3<""",
    # ---- subtransactions ----
    "read only ends with the savepoint that asked for it": f"""
        1 begin
        1 savepoint a
        1 set transaction read only
        1 show transaction_read_only
        1 savepoint b
        1 set transaction read write
        1 rollback to b
        1 update t set v = 1 {ONE}
        1 rollback to a
        1 show transaction_read_only
        1 update t set v = 1 {ONE}
        1 set transaction read only
        1 release a
        1 show transaction_read_only
        1 commit""",
    "read only cannot be left in a savepoint": f"""
        1 begin read only
        1 savepoint x
        1 set transaction read write
        1 rollback to x
        1 insert into t values (7, 7, 7)
        1 rollback
        1 begin read only
        1 set transaction read write
        1 insert into t values (7, 7, 7)
        1 rollback
        1 begin read only
        1 select 1
        1 set transaction read write
        1 rollback""",
    "the isolation level cannot be changed in a savepoint": """
        1 begin
        1 savepoint x
        1 set transaction isolation level repeatable read
        1 rollback to x
        1 set transaction isolation level read committed
        1 show transaction_isolation
        1 set transaction not deferrable
        1 rollback
        1 begin
        1 select 1
        1 set transaction isolation level repeatable read
        1 rollback
        1 begin
        1 select 1
        1 set transaction deferrable
        1 rollback""",
    "settings follow their savepoint": """
        1 begin
        1 set application_name = 'a'
        1 savepoint s
        1 set application_name = 'b'
        1 set local work_mem = '1MB'
        1 savepoint s2
        1 set local work_mem = '2MB'
        1 release s2
        1 show work_mem
        1 rollback to s
        1 show work_mem
        1 show application_name
        1 set application_name = 'c'
        1 release s
        1 select 1/0
        1 rollback
        1 show application_name
        1 begin
        1 set local work_mem = '1MB'
        1 set application_name = 'd'
        1 savepoint s
        1 set application_name = 'e'
        1 set work_mem = '3MB'
        1 release s
        1 commit
        1 show work_mem
        1 show application_name
        1 reset all""",
    "the modes as settings": """
        1 begin isolation level repeatable read read only
        1 reset transaction_isolation
        1 show transaction_isolation
        1 set transaction_read_only to default
        1 show transaction_read_only
        1 select set_config('transaction_read_only', 'on', false)
        1 show transaction_read_only
        1 rollback
        1 set transaction_read_only = on
        1 show transaction_read_only
        1 begin
        1 select set_config('transaction_isolation', 'repeatable read', true)
        1 savepoint s
        1 set local transaction_read_only = on
        1 reset all
        1 show transaction_read_only
        1 rollback to s
        1 show transaction_read_only
        1 rollback""",
    "and chain keeps the modes, also after an error": f"""
        1 {RR} read only
        1 select 1/0
        1 rollback and chain
        1 show transaction_read_only
        1 show transaction_isolation
        1 commit and chain
        1 show transaction_read_only
        1 commit""",
    "a begin that fails begins nothing": """
        1 select 1; begin isolation level repeatable read
        1 select 1""",
    "a portal survives the rollback of a later savepoint": f"""
        1 begin
        1 :bind p {READ}
        1 :execute p 1
        1 savepoint s
        1 :execute p 1
        1 :bind q {READ}
        1 :execute q 1
        1 rollback to s
        1 :execute p 1
        1 :execute q 1
        1 rollback
        1 :execute p 1""",
    "a portal of a savepoint survives its release": f"""
        1 begin
        1 savepoint r
        1 savepoint s
        1 :bind p {READ}
        1 :execute p 1
        1 release s
        1 savepoint t
        1 rollback to t
        1 :execute p 1
        1 rollback to r
        1 :execute p 1
        1 rollback""",
    "a portal sees what was there when it was bound": f"""
        1 begin
        1 :bind p {READ}
        1 savepoint s
        1 update t set v = v + 1
        1 :bind q {READ}
        1 :execute p 1
        1 :execute q 1
        1 rollback to s
        1 :execute p 0
        1 commit""",
    "a portal that fails in a savepoint cannot be run": """
        1 begin
        1 :bind p select 10 / (3 - i) from generate_series(1, 5) i
        1 :execute p 1
        1 savepoint s
        1 :execute p 0
        1 rollback to s
        1 :execute p 0
        1 rollback to s
        1 :close p
        1 select 1
        1 commit""",
    "an error closes the portals of its savepoint only": f"""
        1 begin
        1 :bind p {READ}
        1 savepoint s
        1 :bind q {READ}
        1 :execute p 1
        1 select 1/0
        1 :execute p 1
        1 rollback to s
        1 :execute p 1
        1 :execute q 1
        1 rollback""",
    "a prepared statement is not undone": """
        1 begin
        1 savepoint s
        1 prepare one as select 1
        1 rollback to s
        1 execute one
        1 rollback
        1 execute one
        1 deallocate one""",
    "savepoints of one name hide each other": f"""
        1 begin
        1 update t set v = 1 {ONE}
        1 savepoint s
        1 update t set v = 2 {ONE}
        1 savepoint s
        1 update t set v = 3 {ONE}
        1 rollback to s
        1 {READ}
        1 release s
        1 rollback to s
        1 {READ}
        1 release s
        1 rollback to s
        1 rollback""",
}


@pytest.fixture(scope="module")
def expected(postgres):
    """The transcripts of PostgreSQL, each made when it is first asked for."""
    known = {}

    def ask(name):
        if name not in known:
            known[name] = run(postgres, SCHEDULES[name])
        return known[name]

    return ask


def run(server, schedule):
    with server.connect() as connection:
        for statement in SETUP:
            connection.execute(statement)
    return play(server, schedule)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(server, expected, name):
    assert run(server, SCHEDULES[name]) == expected(name)


DEADLOCKS = {
    "updates in opposite order": ("update t set v = 1 where id = 1",
                                  "update t set v = 1 where id = 2"),
    "two sharers who want to update": ("select v from t where id = 1 for share",
                                       "select v from t where id = 1 for share",
                                       "update t set v = 1 where id = 1",
                                       "update t set v = 1 where id = 1"),
    "two key sharers who want to delete": ("select v from t where id = 1 for key share",
                                           "select v from t where id = 1 for key share",
                                           "delete from t where id = 1",
                                           "delete from t where id = 1"),
}


@pytest.mark.parametrize("name", DEADLOCKS)
def test_deadlock(server, name):
    """One of the two is the victim, the other goes on."""
    first, second, *wanted = DEADLOCKS[name]
    wanted = wanted or [second, first]
    with server.connect() as connection:
        for statement in SETUP:
            connection.execute(statement)
    transcript = []
    with sessions(server, 3) as (a, b, observer):
        for session, statement in [(a, "begin"), (b, "begin"), (a, first), (b, second)]:
            transcript.append(session.run(statement))
        a.send(wanted[0])
        assert a.waits(observer)
        b.send(wanted[1])
        answers = [None, None]
        while None in answers:
            for place, session in enumerate((a, b)):
                if answers[place] is None and session.answered(0.05):
                    answers[place] = session.answer()
                    session.run("rollback" if "ERROR" in answers[place] else "commit")
        failed = [answer for answer in answers if "ERROR" in answer]
        assert len(failed) == 1 and "40P01" in failed[0], (transcript, answers)


@pytest.fixture
def ours(server):
    """PostgreSQL has SERIALIZABLE: what is promised in its place is ours."""
    if isinstance(server, Postgres):
        pytest.skip("not PostgreSQL's")
    return server


SERIALIZABLE = ["begin isolation level serializable",
                "start transaction isolation level serializable, read only, deferrable",
                "set default_transaction_isolation = serializable",
                "set session characteristics as transaction isolation level serializable",
                "select set_config('default_transaction_isolation', 'serializable', false)"]


@pytest.mark.parametrize("statement", SERIALIZABLE)
def test_serializable_is_refused(ours, statement):
    """With 0A000 and a hint, and no transaction is left open."""
    with wire.Client(ours) as client:
        client.start(user=ours.user, database=ours.database)
        client.send(wire.query(statement))
        error = client.error()
        assert error["C"] == "0A000" and "repeatable read" in error["H"]
        assert client.until_ready()[-1] == ("Z", b"I")


def test_serializable_is_refused_within_a_transaction(ours):
    for statement in ["set transaction isolation level serializable",
                      "set transaction_isolation = 'serializable'",
                      "begin isolation level serializable"]:
        with wire.Client(ours) as client:
            client.start(user=ours.user, database=ours.database)
            client.send(wire.query("begin"))
            client.until_ready()
            client.send(wire.query(statement))
            answers = client.until_ready()
            errors = [wire.fields(body) for kind, body in answers if kind == "E"]
            assert [error["C"] for error in errors] == ["0A000"] and "H" in errors[0]
            assert answers[-1] == ("Z", b"E")


def test_serializable_is_refused_at_startup(ours):
    for parameters in [{"default_transaction_isolation": "serializable"},
                       {"options": "-c default_transaction_isolation=serializable"}]:
        with wire.Client(ours) as client:
            client.send(wire.startup(user=ours.user, database=ours.database, **parameters))
            answers = client.until_closed()
            errors = [wire.fields(body) for kind, body in answers if kind == "E"]
            assert [error["C"] for error in errors] == ["0A000"], answers
            assert errors[0]["S"] == "FATAL" and "repeatable read" in errors[0]["H"]
