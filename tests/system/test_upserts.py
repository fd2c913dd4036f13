"""INSERT ... ON CONFLICT, UPDATE ... FROM and DELETE ... USING among sessions: who waits for whom
and what each is answered, as on PostgreSQL; and counters that many sessions make and count in."""
import threading

import psycopg
import pytest

from crash_torture import durable
from isolation import play
from servers import wait_until

SETUP = ["drop table if exists t",
         "create table t (id int primary key, u int unique, v int)",
         "insert into t values (1, 10, 100), (2, 20, 200)",
         "drop table if exists s",
         "create table s (id int, n int)",
         "insert into s values (1, 1), (2, 2), (1, 1)"]

RR = "begin isolation level repeatable read"
READ = "select * from t order by id"
COUNT = "insert into t values (5, 50, 1) on conflict (id) do update set v = t.v + excluded.v"

SCHEDULES = {
    "waits for an inserter that commits, and updates its row": f"""
        1 begin
        1 insert into t values (5, 55, 7)
        2* {COUNT}
        1 commit
        2<
        2 {READ}""",
    "waits for an inserter that rolls back, and inserts": f"""
        1 begin
        1 insert into t values (5, 55, 7)
        2* {COUNT}
        1 rollback
        2<
        2 {READ}""",
    "a savepoint's inserter": f"""
        1 begin
        1 savepoint s
        1 {COUNT}
        2* {COUNT}
        1 rollback to s
        2<
        1 insert into t values (6, 60, 1) on conflict do nothing
        1 commit
        2 {READ}""",
    "two upserts of a new row count both": f"""
        1 begin
        1 {COUNT}
        2* {COUNT}
        1 commit
        2<
        2 {READ}""",
    "updates the newest version, not that of its snapshot": f"""
        1 begin
        1 update t set v = v + 1 where id = 1
        2* insert into t values (1, 0, 1000) on conflict (id) do update set v = t.v + excluded.v
        1 commit
        2<
        2 {READ}""",
    "a row whose key goes away is inserted": f"""
        1 begin
        1 update t set id = 9 where id = 1
        2* insert into t values (1, 11, 1) on conflict (id) do update set v = 0
        1 commit
        2<
        2 {READ}""",
    "a row that is deleted is inserted": f"""
        1 begin
        1 delete from t where id = 1
        2* insert into t values (1, 10, 1) on conflict (id) do update set v = 0
        1 commit
        2<
        2 {READ}""",
    "a deletion that is rolled back": f"""
        1 begin
        1 delete from t where id = 1
        2* insert into t values (1, 10, 1) on conflict do nothing
        1 rollback
        2<
        2 {READ}""",
    "do nothing waits for the inserter, too": f"""
        1 begin
        1 insert into t values (5, 55, 7)
        2* insert into t values (6, 55, 7) on conflict do nothing
        1 commit
        2<
        2 {READ}""",
    "do nothing does not wait for who has only locked the row": f"""
        1 begin
        1 select * from t where id = 1 for update
        2 insert into t values (1, 55, 7) on conflict do nothing
        1 commit
        2 {READ}""",
    "do update waits for who has locked the row": f"""
        1 begin
        1 select * from t where id = 1 for update
        2* insert into t values (1, 55, 7) on conflict (id) do update set v = -1
        1 commit
        2<
        2 {READ}""",
    "an update of the key locks against those who share it": f"""
        1 begin
        1 select * from t where id = 1 for key share
        2 insert into t values (1, 0, 0) on conflict (id) do update set v = -1
        3* insert into t values (1, 0, 0) on conflict (id) do update set id = 7
        1 commit
        3<
        2 {READ}""",
    "the condition keeps the row locked": f"""
        1 begin
        1 insert into t values (1, 0, 0) on conflict (id) do update set v = -1 where t.v > 1000
        2* update t set v = v + 1 where id = 1
        1 commit
        2<
        2 {READ}""",
    "repeatable read refuses a row that it does not see": f"""
        1 {RR}
        1 {READ}
        2 insert into t values (5, 55, 7)
        1 {COUNT}
        1 rollback
        1 {READ}""",
    "repeatable read refuses to do nothing for it": f"""
        1 {RR}
        1 {READ}
        2 insert into t values (5, 55, 7)
        1 insert into t values (5, 55, 7) on conflict do nothing
        1 rollback""",
    "repeatable read and an update": f"""
        1 {RR}
        1 {READ}
        2 begin
        2 update t set v = 0 where id = 1
        1* insert into t values (1, 55, 7) on conflict (id) do update set v = t.v + 1
        2 commit
        1<
        1 rollback
        1 {READ}""",
    "repeatable read and a deletion": f"""
        1 {RR}
        1 {READ}
        2 begin
        2 delete from t where id = 1
        1* insert into t values (1, 55, 7) on conflict (id) do update set v = t.v + 1
        2 commit
        1<
        1 commit
        1 {READ}""",
    "repeatable read and its own rows": f"""
        1 {RR}
        1 {COUNT}
        1 {COUNT}
        1 insert into t values (5, 55, 7) on conflict do nothing
        1 {READ}
        1 commit""",
    "another unique key is no arbiter": f"""
        1 begin
        1 insert into t values (5, 55, 7)
        2* insert into t values (6, 55, 7) on conflict (id) do update set v = 0
        1 commit
        2<
        2 {READ}""",
    "an update from another table goes on with the newest version": f"""
        1 begin
        1 update t set v = v + 1 where id = 1
        2* update t set v = v + s.n * 1000 from s where t.id = s.id
        1 commit
        2<
        2 {READ}""",
    "an update from another table leaves a row that joins no more": f"""
        1 begin
        1 update t set u = -1 where id = 1
        2* update t set v = v + s.n * 1000 from s where t.id = s.id and t.u = s.n * 10
        1 commit
        2<
        2 {READ}""",
    "a row that has come to join another row is not joined with it": f"""
        1 begin
        1 update t set u = 7 where id = 1
        1 insert into s values (1, 7)
        2* update t set v = 0 from s where t.id = s.id and t.u in (10, s.n)
        1 commit
        2<
        2 {READ}""",
    "a deletion by another table goes on with the newest version": f"""
        1 begin
        1 update t set v = v + 1
        2* delete from t using s where t.id = s.id and t.v < 200 returning t.v, s.n
        1 commit
        2<
        2 {READ}""",
    "repeatable read and an update from another table": f"""
        1 {RR}
        1 {READ}
        2 update t set v = v + 1 where id = 1
        1 update t set v = 0 from s where t.id = s.id
        1 rollback""",
    "two keys, two holders": f"""
        1 begin
        1 insert into t values (5, 55, 7)
        2 begin
        2 insert into t values (6, 66, 7)
        3* insert into t values (5, 66, 1) on conflict do nothing
        1 rollback
        2 commit
        3<
        3 {READ}""",
}


def prepare(server):
    with server.connect() as connection:
        for statement in SETUP:
            connection.execute(statement)


@pytest.mark.parametrize("name", SCHEDULES)
def test_waits_and_answers_as_postgresql(server, postgres, name):
    transcripts = []
    for each in (postgres, server):
        prepare(each)
        transcripts.append(play(each, SCHEDULES[name]))
    assert transcripts[1] == transcripts[0]


def answers_by_privileges(server):
    """What a role that has some privileges is told."""
    statements = [f"insert into own values (1, 1) on conflict {rest}" for rest in (
        "do nothing", "(k) do nothing", "on constraint own_pkey do nothing",
        "(k) do update set v = 3", "(k) do update set v = excluded.v")]
    statements += ["update own set v = 1 from all_read", "delete from own using all_read",
                   "update own set v = n from all_read", "update own set v = k from all_read",
                   "delete from own using all_read where n = k"]
    answers = []
    with server.connect(user="postgres") as owner:
        owner.execute("create role upserter login")
        owner.execute("create table own (k int primary key, v int)")
        owner.execute("create table all_read (n int)")
        owner.execute("grant select on all_read to upserter")
        for granted in ("insert", "insert, select", "insert, update", "update, delete",
                        "insert, update, delete, select"):
            owner.execute("revoke all on own from upserter")
            owner.execute(f"grant {granted} on own to upserter")
            with server.connect(user="upserter") as writer:
                for statement in statements:
                    try:
                        answers.append((granted, writer.execute(statement).statusmessage))
                    except psycopg.Error as error:
                        answers.append((granted, statement, error.sqlstate, str(error)))
        owner.execute("drop table own, all_read")
        owner.execute("drop role upserter")
    return answers


def test_needs_the_privileges_that_postgresql_needs(server, postgres):
    assert answers_by_privileges(server) == answers_by_privileges(postgres)


UPSERTERS = 8
ROUNDS = 60
COUNTERS = 5


@pytest.mark.every_model
def test_counters_lose_nothing(server):
    """Every session counts in all counters, in an order of its own; some transactions roll back."""
    with server.connect() as connection:
        connection.execute("drop table if exists counters")
        connection.execute("create table counters (id int primary key, n int not null)")
    errors = []

    def count(number):
        try:
            with server.connect() as connection:
                for round_ in range(ROUNDS):
                    with connection.transaction(force_rollback=round_ % 7 == number % 7):
                        connection.execute(
                            "insert into counters values (%s, 1) on conflict (id) "
                            "do update set n = counters.n + excluded.n returning n",
                            [(number + round_) % COUNTERS])
        except psycopg.Error as error:
            errors.append(repr(error))

    threads = [threading.Thread(target=count, args=(number,)) for number in range(UPSERTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    counted = sum(round_ % 7 != number % 7 for number in range(UPSERTERS)
                  for round_ in range(ROUNDS))
    with server.connect() as connection:
        answer = connection.execute("select count(*), sum(n) from counters").fetchone()
        assert answer == (COUNTERS, counted)
        connection.execute("drop table counters")


def test_counters_and_checks_survive_a_kill(binary, model, tmp_path):
    """Sessions count until the server is killed: what was answered is there after it, and at most
    one more of each session."""
    def serve():
        return durable(binary, model, tmp_path / "data").start()

    server = serve()
    with server.connect(user="postgres") as connection:
        connection.execute("create table counters (id int primary key, other int unique, n int "
                           "check (n < 1000000), constraint c check (other >= id))")
    counted = [0] * UPSERTERS

    def count(number):
        try:
            with server.connect(user="postgres") as connection:
                while True:
                    connection.execute(
                        "insert into counters values (%s, %s, 1) on conflict (id) do update "
                        "set n = counters.n + 1", [counted[number] % 3] * 2)
                    counted[number] += 1
        except psycopg.Error:
            pass

    threads = [threading.Thread(target=count, args=(number,)) for number in range(UPSERTERS)]
    for thread in threads:
        thread.start()
    wait_until(lambda: min(counted) >= 20, 60, "every session has counted")
    server.kill_everything()
    for thread in threads:
        thread.join()
    server = serve()
    rows = server.query("select id, other, n from counters order by id", user="postgres")
    assert [row[:2] for row in rows] == [(0, 0), (1, 1), (2, 2)]
    assert sum(counted) <= sum(row[2] for row in rows) <= sum(counted) + UPSERTERS
    with server.connect(user="postgres") as connection:
        for row in ("(9, 8, 0)", "(9, 9, 1000000)"):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(f"insert into counters values {row}")
        assert connection.execute(
            "select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'c' "
            "order by conname").fetchall() == [
                ("c", "CHECK ((other >= id))"), ("counters_n_check", "CHECK ((n < 1000000))")]
    server.stop()
