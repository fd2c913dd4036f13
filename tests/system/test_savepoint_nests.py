"""Random nests of savepoints in interleaved sessions, played to PostgreSQL and to us: row locks of
every mode, updates, settings, read-only modes, portals. Every answer must be the same, and so must
who is kept waiting: lock_timeout turns a wait into an answer.

A difference is shrunk before it is shown, and the seed is printed."""
import concurrent.futures
import random

import pytest

import generated
from isolation import sessions
from servers import Connbench

SESSIONS = 3
STEPS = 36
TABLE = ["drop table if exists g",
         "create table g (id int primary key, u int unique, v int, w int)"]
ROWS = "insert into g select i, i * 10, i * 100, 0 from generate_series(1, 4) i"
SETTINGS = ["set lock_timeout = 12"]
SHRINKING_RUNS = 150

MODES = ["for key share", "for share", "for no key update", "for update"]
POLICIES = ["", "", " nowait", " skip locked"]
LEVELS = ["", "", " isolation level read committed", " isolation level repeatable read",
          " isolation level read uncommitted", " read only", " read write",
          " isolation level repeatable read read only"]


class Script:
    """Steps at random, as (session, action). What it knows of a session makes sense likelier than
    not; nothing has to."""

    def __init__(self, chance):
        self.chance = chance
        self.savepoints = [[] for _ in range(SESSIONS)]
        self.open = [False] * SESSIONS
        self.portals = [[] for _ in range(SESSIONS)]

    def steps(self):
        # Most of what one session does follows on what it did.
        session = 0
        for _ in range(STEPS):
            if self.chance.random() < 0.35:
                session = self.chance.randrange(SESSIONS)
            yield session, self.action(session)

    def action(self, session):
        chance = self.chance
        if not self.open[session] and chance.random() < 0.7:
            self.open[session] = True
            self.savepoints[session], self.portals[session] = [], []
            return "begin" + chance.choice(LEVELS)
        kind = chance.choices(
            [self.end, self.savepoint, self.back, self.release, self.lock, self.write, self.setting,
             self.modes, self.portal, self.failure, self.read],
            [4, 14, 10, 7, 22, 22, 6, 5, 12, 2, 6])[0]
        return kind(session)

    def end(self, session):
        self.open[session] = False
        action = self.chance.choice(["commit", "commit", "rollback", "commit and chain",
                                     "rollback and chain"])
        if action.endswith("chain"):
            self.open[session] = True
        self.savepoints[session], self.portals[session] = [], []
        return action

    def savepoint(self, session):
        name = self.chance.choice("abc")
        self.savepoints[session].append(name)
        return f"savepoint {name}"

    def _name(self, session):
        known = self.savepoints[session]
        return self.chance.choice(known if known and self.chance.random() < 0.95 else "abcd")

    def back(self, session):
        return f"rollback to {self._name(session)}"

    def release(self, session):
        return f"release {self._name(session)}"

    def row(self):
        return self.chance.choice(["id = 1", "id = 1", "id = 2", "id = 2", "id = 3", "u = 10",
                                   "id in (1, 2)", "v >= 200", "id < 4"])

    def lock(self, session):
        return (f"select id, v from g where {self.row()} order by id {self.chance.choice(MODES)}"
                f"{self.chance.choice(POLICIES)}")

    def write(self, session):
        row = self.row()
        number = self.chance.randrange(1, 6)
        return self.chance.choice([
            f"update g set v = v + 1 where {row}",
            f"update g set v = v + 1 where {row}",
            f"update g set w = w + 1, id = id where {row} returning id, v, w",
            f"update g set v = 5, w = v where {row}",
            f"update g set u = u + 1 where {row}",
            f"update g set id = id + 10 where id = {number}",
            f"update g set u = {number * 10} where id = {number}",
            f"delete from g where {row}",
            f"delete from g where id = {number}",
            f"insert into g values ({number}, {number * 10}, 1, 1)",
            f"insert into g values ({number + 10}, {number * 10 + 1}, 1, 1)",
        ])

    def read(self, session):
        return "select * from g order by id"

    def setting(self, session):
        name, values = self.chance.choice([
            ("work_mem", ["'1MB'", "'2MB'", "default"]),
            ("application_name", ["'x'", "'y'", "'z'"]),
            ("default_transaction_read_only", ["on", "off"]),
            ("default_transaction_isolation", ["'repeatable read'", "'read committed'"]),
            ("my.own", ["'1'", "'2'"]),
        ])
        return self.chance.choice([
            f"set {name} = {self.chance.choice(values)}",
            f"set local {name} = {self.chance.choice(values)}",
            f"show {name}" if name != "my.own" else f"select current_setting('{name}', true)",
            f"reset {name}",
        ])

    def modes(self, session):
        return self.chance.choice([
            "set transaction read only", "set transaction read write",
            "set transaction isolation level repeatable read",
            "set transaction isolation level read committed", "show transaction_read_only",
            "show transaction_isolation", "set transaction not deferrable",
            "set session characteristics as transaction read write"])

    def portal(self, session):
        known = self.portals[session]
        if not known or self.chance.random() < 0.35:
            name = f"p{len(known)}"
            known.append(name)
            query = self.chance.choice([
                "select id, v from g order by id", "select id, v from g order by id",
                f"select id, v from g order by id {self.chance.choice(MODES)}",
                f"select id, v from g where id < 4 order by id "
                f"{self.chance.choice(MODES)} skip locked",
                "select 10 / (3 - i) from generate_series(1, 5) i",
                "update g set w = w + 1 where id < 3 returning id, w"])
            return f":bind {name} {query}"
        name = self.chance.choice(known)
        if self.chance.random() < 0.1:
            return f":close {name}"
        return f":execute {name} {self.chance.choice([1, 1, 2, 0])}"

    def failure(self, session):
        return "select 1 / 0"


# (why, whether these answers to the action may differ). What follows in the nest is not compared.
ALLOWED = [
    ("PostgreSQL waits for a delete of a later version of the row whatever NOWAIT and SKIP LOCKED "
     "say",
     lambda action, ours, theirs: "for key share" in action and theirs.count("lock timeout") and
     ("nowait" in action or "skip locked" in action)),
    ("PostgreSQL sends the rows of RETURNING when the statement has ended, we send each when it is "
     "there",
     lambda action, ours, theirs: "returning" in action and ours.endswith(theirs)),
    ("we also report a parameter that a statement changed and that went back when it ended",
     lambda action, ours, theirs: action.startswith("set local") and ours.startswith(theirs)),
]


def play(server, steps):
    """The answers to the steps, then what is left in the table."""
    with server.connect() as connection:
        for statement in TABLE:
            connection.execute(statement)
        connection.execute(ROWS)
    with sessions(server, SESSIONS, SETTINGS) as opened:
        answers = [opened[session].run(action) for session, action in steps]
        for session in opened:
            session.run("rollback")
        answers.append(opened[0].run("select * from g order by id"))
    return answers


def same(steps, ours, theirs):
    for place, (mine, other) in enumerate(zip(ours, theirs)):
        if mine == other:
            continue
        return place < len(steps) and any(
            allowed(steps[place][1], mine, other) for _, allowed in ALLOWED)
    return True


def compare(server, postgres, steps):
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        theirs = other.submit(play, postgres, steps)
        ours = play(server, steps)
        return ours, theirs.result()


def shrink(server, postgres, steps):
    """Fewer steps that still answer differently."""
    runs = 0
    size = len(steps) // 2
    while size >= 1 and runs < SHRINKING_RUNS:
        at = 0
        while at < len(steps) and runs < SHRINKING_RUNS:
            fewer = steps[:at] + steps[at + size:]
            runs += 1
            if not same(fewer, *compare(server, postgres, fewer)):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def report(seed, steps, ours, theirs):
    lines = [f"seed {seed}"]
    for place, (mine, other) in enumerate(zip(ours, theirs)):
        step = f"{steps[place][0] + 1} {steps[place][1]}" if place < len(steps) else "at the end"
        lines.append(f"{step} -> {other}")
        if mine != other:
            lines.append(f"    BUT HERE -> {mine}")
    return "\n".join(lines)


@pytest.mark.generated
@pytest.mark.parametrize("nest_model", ["fork", "thread"])
def test_nests(binary, postgres, nest_model):
    with Connbench(binary, nest_model) as server:
        for number in range(generated.cases(12)):
            seed = generated.seed() + number
            steps = list(Script(random.Random(seed)).steps())
            if not same(steps, *compare(server, postgres, steps)):
                steps = shrink(server, postgres, steps)
                ours, theirs = compare(server, postgres, steps)
                pytest.fail(report(seed, steps, ours, theirs))


# ---- counters ----

CLIENTS = 6
INCREMENTS = 40


def increment(server, seed, counters):
    """Increments in many shapes; returns how many were committed."""
    chance = random.Random(seed)
    done = 0
    with sessions(server, 1) as (session,):
        while done < INCREMENTS:
            counter = chance.randrange(1, counters + 1)
            mode = chance.choice(["for update", "for no key update"])
            read = f"select v from c where id = {counter} {mode}"
            bad = f"update c set v = -1000000 where id = {counter}"
            before, between = chance.choice([
                ([], ["savepoint s", bad, "rollback to s"]),
                (["savepoint r"], ["release r", "savepoint s", bad, "rollback to s"]),
                (["savepoint r"],
                 ["savepoint s", bad, "savepoint t", bad, "rollback to s", "release r"]),
                ([], ["savepoint s", f"delete from c where id = {counter}", "rollback to s",
                      "release s"]),
                (["savepoint r"], ["savepoint s", "select 1 / 0", "rollback to s"]),
                ([], []),
            ])
            answer = ""
            for action in ["begin", *before, read]:
                answer = session.run(action)
            if "ERROR" in answer:
                session.run("rollback")
                continue
            value = int(answer[1:answer.index(")")])
            for action in between:
                session.run(action)
            after = chance.choice([[], ["savepoint w"]])
            for action in [*after, f"update c set v = {value + 1} where id = {counter}"]:
                answer = session.run(action)
            assert "UPDATE 1" in answer, answer
            if chance.random() < 0.1:
                session.run("rollback")
                continue
            assert "COMMIT" in session.run("commit")
            done += 1
    return done


@pytest.mark.generated
@pytest.mark.parametrize("counters", [1, 3])
def test_increments_are_exact(server, counters):
    with server.connect() as connection:
        connection.execute("drop table if exists c")
        connection.execute("create table c (id int primary key, v int)")
        connection.execute(f"insert into c select i, 0 from generate_series(1, {counters}) i")
    clients = CLIENTS * generated.cases(1)
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        seeds = [generated.seed() + client for client in range(clients)]
        done = sum(pool.map(lambda seed: increment(server, seed, counters), seeds))
    assert server.query("select sum(v) from c") == [(done,)], f"seed {generated.seed()}"
