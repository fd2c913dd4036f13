"""What is sent in test_wire.py's transcripts, and how PostgreSQL's answers were recorded:

  python3 tests/system/transcripts.py      records them again, into transcripts.json
"""
import contextlib
import json
import pathlib
import struct

import wire
from wire import (bind, close, copy_data, copy_fail, describe, execute, message, parse, query,
                  COPY_DONE, FLUSH, SYNC, TERMINATE)

# Fails when it runs, not when it is planned.
FAILS = "select 1 / (generate_series - 1) from generate_series(1, 1)"

# Each is a list of what is sent; the answers to each part must be PostgreSQL's.
TRANSCRIPTS = {
    "select": [query("select 1 as one, 'x'::text, null::int")],
    "several statements": [query("select 1; begin; select 2; commit")],
    "empty queries": [query(""), query(" ; "), query("-- comment")],
    "error position": [query("select 1, nope"), query("selec 1"), query("select ä from nope")],
    "error between statements": [query(f"select 1; {FAILS}; select 2")],
    "failed transaction": [query("begin"), query(FAILS), query("select 1"),
                           query("commit"), query("select 1")],
    "implicit transaction": [query("create table w_impl (a int); insert into w_impl values (1);"
                                   f" {FAILS}"),
                             query("select * from w_impl")],
    "prepared": [parse("s", "select $1::int4 + 1 as next", (23,)) + describe("S", "s") + SYNC,
                 bind("", "s", [b"41"]) + describe("P", "") + execute("") + SYNC,
                 bind("", "s", [b"\0\0\0\x29"], (1,), (1,)) + execute("") + SYNC,
                 bind("", "s", [None]) + execute("") + SYNC,
                 close("S", "s") + SYNC,
                 bind("", "s", [b"1"]) + SYNC],
    "portal in pieces": [parse("", "select generate_series from generate_series(1, 5)") +
                         bind("p", "") + execute("p", 2) + execute("p", 2) + execute("p") + SYNC],
    "portal ended": [parse("", "select 1") + bind("p", "") + execute("p") + execute("p") + SYNC],
    "portal ends with its transaction": [query("begin"), parse("s1", "select 1") +
                                         bind("keep", "s1") + SYNC,
                                         execute("keep") + SYNC, query("commit"),
                                         execute("keep") + SYNC, close("S", "s1") + SYNC],
    "flush": [parse("", "select 1") + FLUSH + bind("", "") + describe("P", "") + execute("") +
              SYNC],
    "skip to sync": [parse("", "select nope") + bind("", "") + execute("") + query("select 1") +
                     SYNC, query("select 2")],
    "pipeline": [b"".join(parse("", sql) + bind("", "") + execute("") + SYNC
                          for sql in ("select 1", "select nope", "select 2"))],
    "duplicate statement": [parse("d", "select 1") + parse("d", "select 1") + SYNC,
                            close("S", "d") + SYNC],
    "duplicate portal": [parse("d", "select 1") + bind("p", "d") + bind("p", "d") + SYNC,
                         close("S", "d") + SYNC],
    "missing names": [bind("", "nope") + SYNC, describe("S", "nope") + SYNC,
                      describe("P", "nope") + SYNC, execute("nope") + SYNC,
                      close("S", "nope") + close("P", "nope") + SYNC],
    "two statements in parse": [parse("", "select 1; select 2") + SYNC],
    "empty statement": [parse("", "") + describe("S", "") + bind("", "") + describe("P", "") +
                        execute("") + SYNC],
    "parameter count": [parse("", "select $1::text") + bind("", "") + SYNC],
    "result format count": [parse("", "select 1") + bind("", "", (), (), (0, 1)) + SYNC],
    "bad parameter": [parse("", "select $1::int4") + bind("", "", [b"x"]) + execute("") + SYNC],
    "bad binary parameter": [parse("", "select $1::int4") + bind("", "", [b"xx"], (1,)) +
                             execute("") + SYNC],
    "malformed": [message(b"Q", b"a\0b\0"),
                  parse("", "select $1::text") +
                  message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0") + SYNC,
                  message(b"B", b"\0\0\0\1\0\2\0\1\0\0\0\1x\0\0") + SYNC,
                  message(b"P", b"\0select 1\0\0\2\0\0\0\1") + SYNC,
                  message(b"D", b"X\0") + SYNC, message(b"C", b"X\0") + SYNC],
    "malformed in a transaction": [query("begin"), message(b"D", b"X\0") + SYNC, query("rollback")],
    "copy in": [query("create table w_in (a int, b text)"),
                query("copy w_in from stdin; select count(*) from w_in"),
                copy_data(b"1\tone\n2\t\\N\n3\t") + copy_data(b"th") + copy_data(b"ree\n") +
                COPY_DONE,
                query("select * from w_in order by a"), query("drop table w_in")],
    "copy in fails": [query("create table w_bad (a int)"),
                      query("copy w_bad from stdin"), copy_data(b"1\nx\n"),
                      copy_data(b"2\n") + COPY_DONE + query("select count(*) from w_bad"),
                      query("begin"), query("copy w_bad from stdin; select 1"), copy_fail("why"),
                      query("rollback"), query("drop table w_bad")],
    "copy in extended": [query("create table w_ext (a int)"),
                         parse("", "copy w_ext from stdin") + bind("", "") + describe("P", "") +
                         execute("") + SYNC, copy_data(b"1\n") + COPY_DONE, SYNC,
                         parse("", "copy w_ext from stdin") + bind("", "") + execute(""),
                         copy_fail("why") + query("select 1"), SYNC, query("drop table w_ext")],
    "copy out": [query("create table w_out (a int, b text)"),
                 query("insert into w_out values (1, 'a\tb'), (2, null), (3, 'c\\d')"),
                 query("copy w_out to stdout"), query("drop table w_out")],
    "copy interrupted": [query("create table w_int (a int)"), query("copy w_int from stdin"),
                         query("select 1")],
    "unknown message": [b"y\0\0\0\4"],
    "password": [message(b"p", b"x\0")],
    "terminate": [TERMINATE],
    "set": [query("set application_name = 'other'"), query("set timezone = 'UTC'"),
            query("show application_name"), query("reset application_name")],
    "tags": [query("create table w_tags (a int primary key, b int)"),
             query("insert into w_tags values (1, 1), (2, 2)"), query("update w_tags set b = 3"),
             query("delete from w_tags where a = 1"), query("begin"), query("savepoint s"),
             query("rollback to s"), query("release s"), query("rollback"),
             query("select * from w_tags"), query("truncate w_tags"), query("drop table w_tags")],
    "constraint": [query("create table w_con (a int primary key, b int not null)"),
                   query("insert into w_con values (1, 1)"), query(
                       "insert into w_con values (1, 1)"),
                   query("insert into w_con values (2, null)"), query("drop table w_con")],
}

# Fields of an error that must be PostgreSQL's. Not compared: detail and hint, where we may say
# more, and file, line and routine, which we do not send.
COMPARED_FIELDS = "SVCMP"
CLOSED = "closed"
QUIET_S = 0.5  # how long PostgreSQL must be silent before an answer counts as ended
RECORDING = pathlib.Path(__file__).with_name("transcripts.json")


def describe_answer(answer):
    """A message as JSON can hold it, without what is a server's own affair."""
    if answer is None:
        return CLOSED
    kind, body = answer
    if kind in "EN":
        fields = wire.fields(body)
        return [kind, {field: fields[field] for field in COMPARED_FIELDS if field in fields}]
    if kind == "T":
        columns, at = [], 2
        for _ in range(struct.unpack(">h", body[:2])[0]):
            end = body.index(b"\0", at)
            table, number, *rest = struct.unpack(">ihihih", body[end + 1:end + 19])
            # Of the table only whether there is one: its oid is the server's own.
            columns.append([body[at:end].decode(), table != 0, number, *rest])
            at = end + 19
        return [kind, columns]
    return [kind, body.decode("latin1")]


def record(server, parts):
    """PostgreSQL's answers to each part."""
    answers = []
    with wire.Client(server, QUIET_S) as client:
        client.start(user=server.user, database=server.database)
        for part in parts:
            client.send(part)
            answers.append([])
            with contextlib.suppress(TimeoutError):
                while not answers[-1] or answers[-1][-1] != CLOSED:
                    answers[-1].append(describe_answer(client.next()))
    return answers


def main():
    from servers import Postgres
    with Postgres() as server:
        recording = {name: {"sent": [part.hex() for part in parts],
                            "answers": record(server, parts)}
                     for name, parts in TRANSCRIPTS.items()}
        version = server.query("show server_version")[0][0]
    RECORDING.write_text(json.dumps({"server_version": version, "transcripts": recording},
                                    indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
