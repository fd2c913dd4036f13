"""Random clients of a pooler, against the same clients alone on `fork`: what a client is answered
does not depend on who else has had its backend."""
import random
import re

import pytest

import wire
from generated import cases, seed
from servers import Connbench

CLIENTS = 3
STEPS = 14
# A statement that depends on one of these is not generated for that mode. PgBouncer has all of
# them, and more: there any SET but of what the server reports stays on the backend for whoever
# comes next.
DIFFERENCES = {
    "sql_prepare": (("transaction", "statement"),
                    "SQL's PREPARE is known to the backend that ran it, until another client has "
                    "it"),
    "sequence": (("transaction", "statement"),
                 "so is what currval() and lastval() remember"),
    "names": (("session", "transaction", "statement"),
              "SQL's EXECUTE and DEALLOCATE do not know the statements of the protocol, nor its "
              "Parse those of PREPARE: on a backend they have other names"),
    "block": (("statement",), "a transaction block ends its client"),
}
SETTINGS = {
    "application_name": ["'one'", "'it''s'", "''"],
    "timezone": ["'UTC'", "'Europe/Paris'", "'Asia/Tokyo'"],
    "statement_timeout": ["'1h'", "'2h'", "0"],
    "lock_timeout": ["'1h'", "7200000"],
    "work_mem": ["'1MB'", "'2MB'", "'a lot'"],
    "default_transaction_read_only": ["on", "off"],
    "default_transaction_isolation": ["'repeatable read'", "'read committed'"],
    "enable_seqscan": ["on", "off"],
    "my.own": ["'x'", "'y z'"],
    "no_such_setting": ["1"],
}


class Script:
    """What one client says, step by step. Same choices for the same seed, whatever is tabled."""

    def __init__(self, rng, mode, table):
        self.rng = rng
        self.table = table
        self.without = {what for what, (modes, _) in DIFFERENCES.items() if mode in modes}
        self.parameters = {}
        if rng.random() < 0.4:
            self.parameters["application_name"] = rng.choice(["mine", "yours"])
        if rng.random() < 0.3:
            self.parameters["timezone"] = rng.choice(["Asia/Tokyo", "America/New_York"])
        self.steps = [self.step() for _ in range(STEPS)]

    def statement(self):
        rng, table = self.rng, self.table
        name = rng.choice(list(SETTINGS))
        value = rng.choice(SETTINGS[name])
        key = rng.randrange(5)
        statements = [
            (6, f"set {name} = {value}"), (3, f"set local {name} = {value}"), (3, f"reset {name}"),
            (8, f"show {name}"), (2, "reset all"), (2, "discard all"), (3, "deallocate all"),
            (2, f"select set_config('{name}', 'x', {rng.choice(['true', 'false'])})"),
            (4, f"insert into {table} values ({key})"), (3, f"delete from {table} where a = {key}"),
            (3, f"select count(*), sum(a) from {table}"), (2,
             "select 1 / 0"), (2, "selec nonsense"),
            (3, f"select {key}, current_setting('timezone')"), (1, ""),
            (1, f"copy (select {key}, 'x') to stdout"),
        ]
        if "block" not in self.without:
            point = rng.choice(["s1", "s2"])
            statements += [(7, rng.choice(["begin", "begin read only", "start transaction"])),
                           (7, rng.choice(["commit", "end", "rollback", "rollback and chain"])),
                           (3, f"savepoint {point}"), (3, f"rollback to {point}"),
                           (1, f"release {point}")]
        prepared = rng.choice(["p1", "p2"])
        if "sql_prepare" not in self.without:
            statements += [(2, f"prepare {prepared} as select {key}"), (2, f"execute {prepared}"),
                           (2, f"deallocate {prepared}")]
        if "sequence" not in self.without:
            statements += [(2, f"select nextval('{table}_ids_s_seq')"),
                           (2, f"select currval('{table}_ids_s_seq')"),
                           (1, "select lastval()")]
        weights, texts = zip(*statements)
        return rng.choices(texts, weights)[0]

    def simple(self):
        count = self.rng.choice([1, 1, 1, 2, 3])
        return wire.query("; ".join(self.statement() for _ in range(count)))

    def copy(self):
        rng = self.rng
        rows = [rng.choice([b"7\n", b"8\n9\n", b"bad\n", b"1", b"\n"])
                for _ in range(rng.randrange(4))]
        data = b"".join(wire.copy_data(row) for row in rows)
        end = rng.choice([wire.COPY_DONE, wire.COPY_DONE, wire.copy_fail("enough"),
                          wire.COPY_DONE + wire.copy_data(b"late\n") + wire.COPY_DONE])
        begin = rng.choice([f"copy {self.table} from stdin", f"copy {self.table}_none from stdin"])
        if rng.random() < 0.5:
            return wire.query(begin) + data + end
        return (wire.parse("", begin) + wire.bind("", "") + wire.execute("") +
                rng.choice([b"", wire.FLUSH, wire.SYNC]) + data + end + wire.SYNC +
                # A later step that ran it again would wait for its data.
                wire.close("S", "") + wire.SYNC)

    def batch(self):
        rng = self.rng
        messages = []
        for _ in range(rng.randrange(1, 6)):
            name = rng.choice(["", "", "n1", "n2"])
            use = wire.bind("", name) + rng.choice([b"", wire.describe("P", "")]) + wire.execute("")
            messages.append(rng.choice([
                wire.parse(name, self.statement()),
                wire.parse(name, self.statement()) + use, use, use,
                wire.describe("S", name), wire.close("S", name), wire.close("P", ""),
                wire.execute("", 1), wire.FLUSH, wire.bind("c", name), wire.execute("c")]))
        return b"".join(messages) + wire.SYNC

    def step(self):
        return self.rng.choice([self.simple, self.simple, self.batch, self.batch, self.copy])()


class Client:
    def __init__(self, server, script):
        self.wire = wire.Client(server)
        self.closed = False
        self.holds_backend = False
        parameters = {"user": server.user, "database": server.database, **script.parameters}
        self.answers = [self.read(self.wire.start(**parameters))]

    def read(self, messages):
        """What came, without what is another on each server."""
        self.closed = not messages or messages[-1][0] != "Z"
        self.holds_backend = not self.closed and messages[-1][1] != b"I"
        answer = []
        for kind, body in messages:
            if kind in "EN":
                shown = wire.fields(body)
                answer.append((kind, *(shown.get(field) for field in "SCMDHP")))
            elif kind != "K":
                answer.append((kind, body))
        return answer

    def run(self, step):
        """Sends a step, and takes what is answered up to the last ReadyForQuery."""
        if self.closed:
            return
        self.wire.send(step)
        messages = self.wire.until_ready()
        for _ in range(ready_for_query(step, messages) - 1):
            messages += self.wire.until_ready()
        self.answers.append(self.read(messages))


def ready_for_query(step, answers):
    """How many a step is answered by; the answers up to the first show whether a COPY began, in
    which a Sync has no answer."""
    kinds, rest = "", step
    while rest:
        kinds += rest[:1].decode()
        rest = rest[1 + int.from_bytes(rest[1:5], "big"):]
    amid_copy = "S" in re.split("[cf]", kinds)[0] and any(kind == "G" for kind, _ in answers)
    return kinds.count("Q") + kinds.count("S") - (1 if amid_copy else 0)


def run_alone(server, scripts):
    """Each client by itself, one after the other."""
    answers = []
    for script in scripts:
        client = Client(server, script)
        for step in script.steps:
            client.run(step)
        client.wire.socket.close()
        answers.append(client.answers)
    return answers


def run_together(server, scripts, mode, pool_size, rng):
    """All of them in a random order; one that would have to wait for a backend is not chosen."""
    if mode == "session":  # each has its backend until it leaves
        waiting, running = list(range(len(scripts))), []
    else:
        waiting, running = [], list(range(len(scripts)))
    clients = [None if waiting else Client(server, script) for script in scripts]
    left = [list(script.steps) for script in scripts]
    while running or waiting:
        while waiting and len(running) < pool_size:
            index = waiting.pop(0)
            clients[index] = Client(server, scripts[index])
            running.append(index)
        holders = [index for index in running if clients[index].holds_backend]
        free = mode == "session" or len(holders) < pool_size
        index = rng.choice(running if free else holders)
        if left[index] and not clients[index].closed:
            clients[index].run(left[index].pop(0))
        else:
            clients[index].wire.socket.close()
            clients[index].holds_backend = False
            running.remove(index)
    return [client.answers for client in clients]


class Case:
    """A seed, and what was left out of it to make it small."""

    def __init__(self, number, mode, pool_size):
        self.number, self.mode, self.pool_size = number, mode, pool_size
        self.runs = 0

    def scripts(self, left_out):
        self.runs += 1
        scripts = []
        for client in range(CLIENTS):
            script = Script(random.Random(f"{self.number} {client}"), self.mode, f"t_{client}")
            script.steps = [step for place, step in enumerate(script.steps)
                            if (client, place) not in left_out]
            scripts.append(script)
        return scripts

    def difference(self, fork, pooled, left_out=frozenset()):
        """None, or (client, step, alone, pooled)."""
        for server in (fork, pooled):
            with server.connect() as connection:
                for client in range(CLIENTS):
                    connection.execute(f"drop table if exists t_{client}")
                    connection.execute(f"drop table if exists t_{client}_ids")
                    connection.execute(f"create table t_{client} (a int)")
                    connection.execute(f"create table t_{client}_ids (s serial)")
        alone = run_alone(fork, self.scripts(left_out))
        together = run_together(pooled, self.scripts(left_out), self.mode, self.pool_size,
                                random.Random(f"{self.number} order"))
        for client, (one, other) in enumerate(zip(alone, together)):
            for step, (expected, got) in enumerate(zip(one, other)):
                if expected != got:
                    return client, step, expected, got
            if len(one) != len(other):
                return client, min(len(one), len(other)), one[len(other):], other[len(one):]
        return None

    def smallest(self, fork, pooled):
        """Leaves out whatever the difference does not need."""
        left_out = frozenset()
        for place in [(client, step) for client in range(CLIENTS) for step in range(STEPS)]:
            if self.difference(fork, pooled, left_out | {place}) is not None:
                left_out |= {place}
        return ([script.steps for script in self.scripts(left_out)],
                self.difference(fork, pooled, left_out))


@pytest.fixture(scope="module")
def fork(binary):
    with Connbench(binary, "fork") as server:
        yield server


@pytest.mark.generated
@pytest.mark.parametrize("pool_size", [1, 2])
@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
@pytest.mark.parametrize("pooler", ["pool-tx", "pool-tx-thread"])
def test_a_pooled_client_is_answered_as_if_it_were_alone(binary, fork, pooler, mode, pool_size):
    with Connbench(binary, pooler, pool_mode=mode, pool_size=pool_size) as pooled:
        for number in range(cases(6)):
            case = Case(f"{seed()} {number}", mode, pool_size)
            if case.difference(fork, pooled) is not None:
                steps, difference = case.smallest(fork, pooled)
                raise AssertionError(
                    f"CONNBENCH_SEED={seed()}, case {number}: {steps}\n{difference}")
