"""Random sequences of protocol messages. Most are what a client could send; some are out of place,
malformed or about names that do not exist. The SQL in them is what connbench supports: these cases
are about the protocol.

A case is a list of steps, each of which is one message; any sublist of a case is a case, so that a
failing one can be made smaller.
"""
import dataclasses
import pathlib
import random
import struct
import sys

import wire

# The tables of every case, made new for each.
TABLE_ROWS = "(1, 'one'), (2, 'two'), (3, null), (4, 'four'), (5, 'five')"
SETUP = ("drop table if exists w, v, u; create table w (a int primary key, b text); "
         f"insert into w values {TABLE_ROWS}; create table v (i int8, n numeric(8,2), f float8, "
         "c varchar(5), t timestamp)")

INT2, INT4, INT8, TEXT, BOOL, NUMERIC, FLOAT8, VARCHAR = 21, 23, 20, 25, 16, 1700, 701, 1043
INTS = 1007
UNSPECIFIED, UNKNOWN = 0, 705

MAX_STEPS = 14
MAX_STATEMENTS_IN_QUERY = 4
NAMES = ["", "", "s", "t", "a b"]
PORTALS = ["", "", "", "p", "q"]
SAVEPOINTS = ["x", "y"]


@dataclasses.dataclass(frozen=True)
class Step:
    """One message, and how people read it."""
    text: str
    data: bytes


# What Parse may get: SQL and the types of its parameters, which a client may also leave open.
PREPARABLE = [
    ("select 1 as one", []),
    ("select 1, 'x'::text, null::int4", []),
    ("select $1::int4", [INT4]),
    ("select $1::int4 + 1, $2::text", [INT4, TEXT]),
    ("select $1::int8, $1::int8", [INT8]),
    ("select $1::bool, $2::numeric, $3::float8", [BOOL, NUMERIC, FLOAT8]),
    ("select $2::text, $1::int2", [INT2, TEXT]),
    ("select a, b from w order by a", []),
    ("select a from w where a = $1", [INT4]),
    ("select a from w where a > $1 order by a", [INT4]),
    ("select b, a from w where b = $1", [TEXT]),
    ("select generate_series from generate_series(1, 7)", []),
    ("select 10 / (a - 3) from w", []),
    ("select 1 / $1::int4", [INT4]),
    ("select * from v", []),
    ("insert into w values ($1, $2)", [INT4, TEXT]),
    ("insert into w (b, a) values ($2, $1) returning a, b", [INT4, TEXT]),
    ("insert into v (i, c) values ($1, $2)", [INT8, VARCHAR]),
    ("update w set b = $2 where a >= $1", [INT4, TEXT]),
    ("update w set b = 'u' where a < 4 returning a", []),
    ("delete from w where a = $1", [INT4]),
    ("delete from w returning b", []),
    ("begin", []), ("commit", []), ("rollback", []), ("savepoint x", []), ("rollback to x", []),
    ("release x", []), ("start transaction read only", []), ("commit and chain", []),
    ("set application_name = 'generated'", []), ("show application_name", []),
    ("show DateStyle", []), ("reset application_name", []), ("set local timezone = 'UTC'", []),
    ("create table u (a int)", []), ("drop table if exists u", []), ("truncate w", []),
    ("drop table u", []),
    ("copy w from stdin", []), ("copy w (a) to stdout", []), ("copy w to stdout (format csv)", []),
    ("copy (select a from w order by a) to stdout", []),
    ("", []), (";", []), ("-- nothing", []),
    ("selec 1", []), ("select nope", []), ("select * from nope", []), ("select 1; select 2", []),
    ("insert into w values (1, 'again')", []), ("insert into w values (null, 'null')", []),
    ("select a from w for update", []),
    ("deallocate s", []), ("deallocate all", []), ("discard all", []),
    ("lock table w", []), ("vacuum w", []), ("set transaction read only", []),
    ("insert into w values ($1, $2) on conflict (a) do update set b = excluded.b returning *",
     [INT4, TEXT]),
    ("insert into w values ($1, 'new') on conflict do nothing", [INT4]),
    ("update w set b = o.b from (values (1, 'o'), (3, 'p')) o (a, b) where o.a = w.a", []),
    ("delete from w using (select 2 as a) o where o.a = w.a returning w.b", []),
    ("select $1::int4[], $1 || 1, cardinality($1)", [INTS]),
    ("select a from w where a = any ($1) order by a", [INTS]),
    ("select unnest($1::int4[]), 'x'::text", [INTS]),
    ("select distinct on (a % 2) a % 2, array_agg(a order by a) from w group by a order by 1", []),
    ("declare p cursor for select a, b from w order by a", []),
    ("declare c no scroll cursor for select a from w where a >= $1 order by a", [INT4]),
    ("declare c cursor for select 10 / (a - 3) from w", []),
    ("fetch 2 from p", []), ("fetch all c", []), ("fetch c", []), ("move 1 in c", []),
    ("fetch forward 3 from q", []), ("close p", []), ("close c", []), ("close all", []),
]

SIMPLE = [sql for sql, types in PREPARABLE if not types and sql != "select 1; select 2"] + [
    "select a from w where a = 2", "insert into w values (7, 'seven')",
    "update w set b = 'z' where a = 1", "delete from w where a > 3",
    "begin", "begin", "commit", "rollback", "savepoint x", "savepoint y", "rollback to x",
    "rollback to savepoint y", "release y", "release savepoint x", "end", "abort",
    "begin read only", "begin isolation level repeatable read", "rollback and chain",
    "select 1 / 0", "select 'x'::int4", "select $1::int4",
    "set timezone = 'UTC'", "set application_name to 'a', 'b'", "set nope = 1",
    "set statement_timeout = 'often'", "set local application_name = 'mine'",
    "prepare s as select 1", "prepare t (int4) as select $1 + 1", "execute s", "execute t (3)",
    "execute nope", "deallocate t", "drop table nope", "create table w (a int)",
    "create table if not exists w (a int)", "copy w from stdin", "copy w from stdin (format csv)",
    "copy w (b, a) from stdin with (delimiter ',', null 'N')", "copy nope from stdin",
    "copy w (nope) to stdout", "copy v to stdout", "copy w to stdout with (format csv, header)",
    "show transaction_isolation", "show nope", "set client_encoding = 'utf-8'",
    "set client_min_messages = 'error'",
]

TEXT_VALUES = {
    INT2: [b"7", b"-1", b"40000", b"x", b""],
    INT4: [b"1", b"2", b"3", b"-5", b" 4 ", b"0", b"12345678901", b"x1", b""],
    INTS: [b"{1,2,NULL}", b"{}", b"[0:1]={4,5}", b"{x}", b"{ 3 }"],
    INT8: [b"1", b"123456789012", b"99999999999999999999", b"1.5"],
    TEXT: [b"", b"one", b"tab\there", "ä€".encode(), b"\xff", b"a" * 300],
    VARCHAR: [b"abc", b"abcdefgh", b""],
    BOOL: [b"t", b"false", b"maybe", b"1"],
    NUMERIC: [b"1.50", b"-0.001", b"NaN", b"1e3", b"abc"],
    FLOAT8: [b"1.5", b"-1e300", b"1e400", b"Infinity", b"x"],
}
BINARY_VALUES = {
    INT2: [struct.pack(">h", 7), b"\0", b""],
    INT4: [struct.pack(">i", value) for value in (1, 2, 3, 0, -9)] + [b"\0\0\1", b"\0" * 5],
    INTS: [struct.pack(">8i", 1, 1, INT4, 2, 1, 4, 7, -1), struct.pack(">3i", 0, 0, INT4),
           struct.pack(">7i", 1, 0, INT8, 1, 1, 4, 7), struct.pack(">6i", 1, 0, INT4, 1, 1, 9),
           struct.pack(">5i", 1, 0, INT4, 2**30, 1), b"\0\0"],
    INT8: [struct.pack(">q", value) for value in (1, -2**40)] + [b"\0" * 4],
    TEXT: [b"", b"one", "ä".encode(), b"\xc3", b"a\0b"],
    VARCHAR: [b"abc", b"abcdefgh"],
    BOOL: [b"\1", b"\0", b"\2", b""],
    NUMERIC: [struct.pack(">hhHHhh", 2, 0, 0, 2, 1, 5000), struct.pack(">hhHH", 0, 0, 0xC000, 0),
              b"\0\1"],
    FLOAT8: [struct.pack(">d", 1.5), struct.pack(">d", float("-inf")), b"\0" * 7],
}

COPY_LINES = [b"11\televen\n", b"12\t\\N\n", b"13\ta\\tb\\\\\n", b"14\t\n", b"15\tx\n",
              b"16,csv\n", b"17,\"quoted, text\"\n", b"x,18\n"]
BAD_COPY_LINES = [b"x\ty\n", b"1\tduplicate\n", b"20\n", b"21\ta\tb\n", b"22\t\xff\n", b"\\.\n",
                  b"\\N\tnull\n", b"99999999999\tlarge\n", b"\n"]


class Generator:
    """Makes cases from a random.Random; the same seed makes the same cases."""

    def __init__(self, rng, without=()):
        """without: beginnings of statements that are not to come."""
        self.rng = rng
        self.preparable = [(sql, types) for sql, types in PREPARABLE
                           if not sql.startswith(without)]
        self.simple = [sql for sql in SIMPLE if not sql.startswith(without)]
        self.statements = {}  # name -> (sql, types), as far as no error came between
        self.portals = {}

    def case(self):
        self.statements, self.portals = {}, {}
        steps = []
        while len(steps) < self.rng.randint(2, MAX_STEPS):
            steps += self.group()
        return steps + ENDING

    def chance(self, probability):
        return self.rng.random() < probability

    def group(self):
        """Messages that belong together."""
        kinds = [(self.query, 24), (self.batch, 30), (self.loose, 22), (self.copy_in, 9),
                 (self.stray, 4), (self.broken, 5), (self.pieces, 6)]
        make = self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        return make()

    # --- the simple protocol ---

    def query(self):
        count = self.rng.choice([1, 1, 1, 2, 2, 3, MAX_STATEMENTS_IN_QUERY])
        sql = "; ".join(self.rng.choice(self.simple) for _ in range(count))
        return [simple(sql)] + (self.copy_data() if "from stdin" in sql else [])

    # --- the extended protocol ---

    def batch(self):
        """Parse, Bind, Describe, Execute of one statement, as drivers send it."""
        steps, name, portal = [], self.rng.choice(NAMES), self.rng.choice(PORTALS)
        if name and self.chance(0.5):
            steps.append(self.close("S", name))
        steps.append(self.parse(name))
        if self.chance(0.4):
            steps.append(self.describe("S", name))
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            if portal and self.chance(0.5):
                steps.append(self.close("P", portal))
            steps.append(self.bind(portal, name))
            if self.chance(0.6):
                steps.append(self.describe("P", portal))
            steps.append(self.execute(portal))
        if "from stdin" in self.statements[name][0]:
            steps += self.copy_data()
        return steps + self.ending()

    def pieces(self):
        """A portal that is fetched in parts, with something else between them."""
        sql = self.rng.choice(["select generate_series from generate_series(1, 5)",
                               "select a, b from w order by a", "delete from w returning a",
                               "update w set b = 'v' returning a, b"])
        portal = self.rng.choice(PORTALS)
        steps = [simple("begin")] if self.chance(0.6) else []
        steps += [self.parse("", sql, []), self.bind(portal, ""), self.execute(portal, 2)]
        for _ in range(self.rng.randint(1, 3)):
            steps += self.rng.choice([
                [], [step("Sync", wire.SYNC)], [step("Flush", wire.FLUSH)],
                [simple(self.rng.choice(["savepoint x", "rollback to x", "release x", "commit",
                                         "select 1 / 0", "select 2", "deallocate all"]))],
                [self.describe("P", portal)], [self.parse("", "savepoint x", []),
                                               self.bind("q", ""), self.execute("q", 0)]])
            steps.append(self.execute(portal, self.rng.choice([0, 1, 2, 3])))
        return steps + self.ending()

    def loose(self):
        """One message of the extended protocol, about whichever names."""
        name, portal = self.rng.choice(NAMES + ["nope"]), self.rng.choice(PORTALS + ["nope"])
        kind, called = self.rng.choice([("S", name), ("P", portal)])
        one = self.rng.choice([
            lambda: self.parse(name), lambda: self.bind(portal, name),
            lambda: self.describe(kind, called), lambda: self.execute(portal),
            lambda: self.close(kind, called), lambda: step("Flush", wire.FLUSH),
            lambda: step("Sync", wire.SYNC)])
        return [one()] + (self.ending() if self.chance(0.3) else [])

    def ending(self):
        return self.rng.choice([[step("Sync", wire.SYNC)]] * 6 + [[], [step("Flush", wire.FLUSH)]])

    def parse(self, name, sql=None, types=None):
        if sql is None:
            sql, types = self.rng.choice(self.preparable)
        self.statements[name] = (sql, types)
        given = []
        if types and self.chance(0.4):  # PostgreSQL infers the rest
            given = [kind if self.chance(0.7) else UNSPECIFIED
                     for kind in types[:self.rng.randint(1, len(types))]]
        elif self.chance(0.04):
            given = [self.rng.choice([INT4, TEXT, UNKNOWN]) for _ in range(self.rng.randint(1, 3))]
        return step(f"Parse {name!r} {sql!r} {given}", wire.parse(name, sql, given))

    def bind(self, portal, name):
        sql, types = self.statements.get(name, ("", []))
        self.portals[portal] = sql
        count = len(types)
        if self.chance(0.04):
            count = self.rng.randint(0, 3)
        formats = self.rng.choice([[], [], [0], [1], None])
        if formats is None:
            formats = [self.rng.randint(0, 1) for _ in range(count)]
        if self.chance(0.02):
            formats = self.rng.choice([[2], [0, 1, 0], [-1]])
        values = [self.value(types[i] if i < len(types) else TEXT,
                             formats[min(i, len(formats) - 1)] if formats else 0)
                  for i in range(count)]
        results = self.rng.choice([[], [], [0], [1], [1, 0], [0, 1], [0, 1, 0]])
        if len(results) > 1 and self.chance(0.6):
            results = results[:1]
        if self.chance(0.02):
            results = [7]
        return step(f"Bind {portal!r} {name!r} {values} {formats} {results}",
                    wire.bind(portal, name, values, formats, results))

    def value(self, kind, value_format):
        if self.chance(0.1):
            return None
        known = (BINARY_VALUES if value_format == 1 else TEXT_VALUES)[kind]
        return known[0] if self.chance(0.5) else self.rng.choice(known)

    def describe(self, kind, name):
        return step(f"Describe {kind} {name!r}", wire.describe(kind, name))

    def close(self, kind, name):
        return step(f"Close {kind} {name!r}", wire.close(kind, name))

    def execute(self, portal, max_rows=None):
        if max_rows is None:
            max_rows = self.rng.choice([0, 0, 0, 1, 2, 100, -1])
        return step(f"Execute {portal!r} {max_rows}", wire.execute(portal, max_rows))

    # --- COPY ---

    def copy_in(self):
        sql = self.rng.choice(["copy w from stdin", "copy w (a, b) from stdin",
                               "copy w from stdin (format csv)", "copy w from stdin; select 3",
                               "begin; copy w from stdin; commit", "copy w (a) from stdin"])
        return [simple(sql)] + self.copy_data()

    def copy_data(self):
        data = b"".join(self.rng.choice(COPY_LINES if self.chance(0.85) else BAD_COPY_LINES)
                        for _ in range(self.rng.randint(0, 5)))
        if self.chance(0.2) and data:
            data = data[:-1]  # the last line without its end
        steps = []
        while data:
            size = self.rng.randint(0, len(data)) if self.chance(0.6) else len(data)
            steps.append(step(f"CopyData {data[:size]}", wire.copy_data(data[:size])))
            data = data[size:]
            if self.chance(0.08):
                steps.append(self.rng.choice([step("Flush", wire.FLUSH), step("Sync", wire.SYNC)]))
        steps.append(self.rng.choice([step("CopyDone", wire.COPY_DONE)] * 7 +
                                     [step("CopyFail", wire.copy_fail("why"))] * 2 +
                                     [simple("select 'too early'")]))
        return steps + (self.ending() if self.chance(0.5) else [])

    # --- what no client should send ---

    def stray(self):
        return [self.rng.choice([
            step("CopyData", wire.copy_data(b"1\tstray\n")), step("CopyDone", wire.COPY_DONE),
            step("CopyFail", wire.copy_fail("stray")), step("Terminate", wire.TERMINATE),
            step("unknown y", wire.message(b"y")), step("Password", wire.message(b"p", b"x\0"))])]

    def broken(self):
        """A message whose body is too short, too long, or changed in one byte."""
        good = self.rng.choice([
            lambda: self.parse(self.rng.choice(NAMES)), lambda: self.execute(""),
            lambda: self.bind("", self.rng.choice(NAMES)), lambda: self.describe("S", "s"),
            lambda: self.close("P", "p"), lambda: simple(self.rng.choice(self.simple)),
            lambda: step("Sync", wire.SYNC), lambda: step("Flush", wire.FLUSH)])()
        kind, body = good.data[:1], bytearray(good.data[5:])
        change = self.rng.choice(["cut", "add", "flip"])
        if change == "cut" and body:
            body = body[:self.rng.randrange(len(body))]
        elif change == "add" or not body:
            body += self.rng.choice([b"\0", b"x", b"\0\1\0\0"])
        else:
            body[self.rng.randrange(len(body))] = self.rng.choice([0, 1, 0x7f, 0xff])
        return [step(f"broken {good.text} -> {bytes(body)}", wire.message(kind, bytes(body)))]


def step(text, data):
    return Step(text, data)


def simple(sql):
    return Step(f"Query {sql!r}", wire.query(sql))


ENDING = [step("Sync", wire.SYNC), simple("rollback"), simple("select 'end'")]
ENDING_STEPS = len(ENDING)


def main():
    """Writes cases as inputs of wire_session_fuzzer, whose first byte says how the rest is cut."""
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        steps = Generator(random.Random(f"corpus/{number}")).case()
        data = b"".join(one.data for one in steps)
        (folder / f"case_{number:03}").write_bytes(bytes([number % 8 * 5]) + data)


if __name__ == "__main__":
    main()
