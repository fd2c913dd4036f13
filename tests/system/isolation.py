"""Several sessions in a written order, on any server: what each statement answers, and which wait.

A schedule is text, one step a line: the session's number, then what it does.

    1 begin                     must be answered
    2* update t set v = 2       must wait for a lock: the server says that it does
    2<                          what it waited for has happened: must be answered now
    1 :bind p select 1          the extended protocol: bind a portal of this query,
    1 :execute p 1              run it for so many rows (0: all of them),
    1 :close p                  close it

The transcript has one line for each answer, the same for every server that behaves the same."""
import contextlib
import select
import struct
import time

import wire
from servers import Postgres

# A statement is answered, or waits for a lock, within this, whatever else runs.
ANSWER_TIMEOUT_S = 60
ASK_AGAIN_S = 0.002
# Whether a session waits for a lock, on PostgreSQL and on connbench.
LOCK_WAITS = {True: "select 1 from pg_stat_activity where pid = {} and wait_event_type = 'Lock'",
              False: "select 1 from connbench_lock_waits where connection_id = {}"}


class Session:
    """A connection whose answers become text."""

    def __init__(self, server):
        self.client = wire.Client(server, ANSWER_TIMEOUT_S)
        self.client.start(user=server.user, database=server.database)
        self.lock_waits = LOCK_WAITS[isinstance(server, Postgres)]
        self.waiting = False

    def close(self):
        self.client.vanish()

    def send(self, action):
        assert not self.waiting
        if action.startswith(":"):
            verb, name, *rest = action[1:].split(" ", 2)
            if verb == "bind":
                messages = [wire.parse("", rest[0]), wire.bind(name, "")]
            elif verb == "execute":
                messages = [wire.execute(name, int(rest[0]))]
            else:
                assert verb == "close", action
                messages = [wire.close("P", name)]
            self.client.send(*messages, wire.SYNC)
        else:
            self.client.send(wire.query(action))
        self.waiting = True

    def answered(self, timeout_s):
        """Whether something of the answer is there: a statement that waits has sent nothing."""
        if self.client.received:
            return True
        return bool(select.select([self.client.socket], [], [], timeout_s)[0])

    def waits(self, observer):
        """Once it is answered or waits for a lock: whether it waits. observer: a session of the
        same server that is asked."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.answered(0):
                return False
            if "(1)" in observer.run(self.lock_waits.format(self.client.connection_id)):
                return True
            time.sleep(ASK_AGAIN_S)
        raise AssertionError("neither answers nor waits for a lock")

    def answer(self):
        """Changed parameters come last: we report them before an error, PostgreSQL after it."""
        self.waiting = False
        messages = sorted(self.client.until_ready(), key=lambda message: message[0] == "S")
        return " ".join(filter(None, map(text, messages)))

    def run(self, action):
        self.send(action)
        return self.answer()


def text(message):
    kind, body = message
    if kind == "D":
        values, at = [], 2
        for _ in range(struct.unpack(">h", body[:2])[0]):
            length = struct.unpack(">i", body[at:at + 4])[0]
            at += 4
            values.append("null" if length < 0 else body[at:at + length].decode())
            at += max(length, 0)
        return "(" + ",".join(values) + ")"
    if kind == "C":
        return body[:-1].decode()
    if kind in "EN":
        parts = wire.fields(body)
        return f"{parts['S']} {parts['C']} \"{parts['M']}\""
    if kind == "S":
        return "=".join(part.decode() for part in body.split(b"\0")[:2])
    if kind == "Z":
        return f"[{body.decode()}]"
    return {"s": "suspended", "I": "empty", "3": "closed"}.get(kind, "")


@contextlib.contextmanager
def sessions(server, count, settings=()):
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            session = Session(server)
            stack.callback(session.close)
            for setting in settings:
                session.run(setting)
            opened.append(session)
        yield opened


def play(server, schedule, count=3, settings=()):
    """Runs the schedule; its transcript, as lines."""
    transcript = []
    with sessions(server, count, settings) as opened, sessions(server, 1) as (observer,):
        for line in filter(None, map(str.strip, schedule.splitlines())):
            step, _, action = line.partition(" ")
            session = opened[int(step[0]) - 1]
            mark = step[1:]
            if mark != "<":
                session.send(action)
            if mark == "*":
                assert session.waits(observer), (
                    f"does not wait: {line}\nanswer: {session.answer()}\n" + "\n".join(transcript))
                transcript.append(f"{line} -> waits")
                continue
            assert session.answered(ANSWER_TIMEOUT_S), f"waits: {line}\n" + "\n".join(transcript)
            transcript.append(f"{line} -> {session.answer()}")
    return transcript
