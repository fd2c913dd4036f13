"""The protocol byte by byte: what PostgreSQL answers, and what no client should send."""
import contextlib
import json
import random
import struct
import time

import pytest

import transcripts
import wire
from wire import Client, SYNC, message, parse, query

RECORDED = json.loads(transcripts.RECORDING.read_text())["transcripts"]


def parameters_last(answers):
    """Since 14 PostgreSQL reports changed parameters behind the statement that changed them, before
    that in front; clients take them anywhere."""
    return sorted(answers, key=lambda answer: answer[0] == "S")


@pytest.mark.parametrize("name", transcripts.TRANSCRIPTS)
def test_answers_are_those_of_postgresql(server, name):
    recorded = RECORDED[name]
    parts = transcripts.TRANSCRIPTS[name]
    assert [part.hex() for part in parts] == recorded["sent"], "record the transcripts again"
    with Client(server, timeout_s=5) as client:
        client.start()
        for number, (part, expected) in enumerate(zip(parts, recorded["answers"])):
            client.send(part)
            answers = []
            with contextlib.suppress(TimeoutError):
                while len(answers) < len(expected):
                    answers.append(transcripts.describe_answer(client.next()))
            assert parameters_last(answers) == parameters_last(expected), f"part {number}: {part}"


def test_greeting(server):
    with Client(server) as client:
        answers = client.start(user="bob", database="db1", application_name="tester")
    assert [kind for kind, _ in answers] == ["R"] + ["S"] * 13 + ["K", "Z"]
    status = [tuple(body.decode().split("\0")[:2]) for kind, body in answers if kind == "S"]
    assert [name for name, _ in status] == [
        "application_name", "client_encoding", "DateStyle", "default_transaction_read_only",
        "in_hot_standby", "integer_datetimes", "IntervalStyle", "is_superuser", "server_encoding",
        "server_version", "session_authorization", "standard_conforming_strings", "TimeZone"]
    values = dict(status)
    assert values["application_name"] == "tester"
    assert values["session_authorization"] == "bob"
    assert values["is_superuser"] == "off"
    assert values["client_encoding"] == "UTF8"
    assert values["server_version"].startswith("15")
    assert client.connection_id > 0


def test_encryption_is_declined(server):
    for requests in ((wire.SSL_REQUEST, wire.GSS_REQUEST), (wire.GSS_REQUEST, wire.SSL_REQUEST)):
        with Client(server) as client:
            for request in requests:
                client.send(request)
                assert client.byte() == b"N"
            assert client.start()[-1] == ("Z", b"I")


def test_newer_protocols_are_negotiated(server):
    with Client(server) as client:
        client.send(wire.startup(wire.PROTOCOL_3 + 9999, user="alice", **{"_pq_.grease": "1"}))
        answers = client.until_ready()
    assert answers[0] == ("v", struct.pack(">ii", wire.PROTOCOL_3, 1) + b"_pq_.grease\0")
    assert answers[-1] == ("Z", b"I")


@pytest.mark.parametrize("packet, code", [
    (wire.startup(0x20000, user="alice"), "0A000"),
    (wire.startup(0x40001, user="alice"), "0A000"),
    (wire.startup(database="shop"), "28000"),
    (wire.startup(user="alice", replication="true"), "0A000"),
    (wire.startup(user="alice", no_such_setting="1"), "42704"),
    (wire.startup(user="alice", statement_timeout="often"), "22023"),
    (b"GET / HTTP/1.1\r\n\r\n", "08P01"),
    (b"\0\0\0\0", "08P01"),
    (b"\xff\xff\xff\xff", "08P01"),
    (b"\0\0\0\x10\0\3\0\0user\0abc", "08P01"),
])
def test_bad_startup_is_refused(server, packet, code):
    with Client(server) as client:
        client.send(packet)
        answers = client.until_closed()
        assert answers[-1][0] == "E"
        error = wire.fields(answers[-1][1])
        assert (error["S"], error["C"]) == ("FATAL", code)
        assert not answers[:-1] or answers[:-1] == [("R", b"\0\0\0\0")]  # settings come after it


def test_direct_tls_is_closed(server):
    with Client(server) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert client.next() is None


@pytest.mark.parametrize("header", [b"Q\0\0\0\3", b"Q\xff\xff\xff\xff", b"Q\x7f\xff\xff\xff",
                                    b"S\0\x01\0\0", b"d\x7f\xff\xff\xff"])
def test_lengths_that_cannot_be_end_the_connection(server, header):
    with Client(server) as client:
        client.start()
        client.send(header)
        assert client.error()["C"] == "08P01"
        assert client.next() is None


def test_startup_options_are_settings(server):
    with Client(server) as client:
        client.start(user="alice", options="-c statement_timeout=1234 --application-name=a\\ b")
        client.send(query("show statement_timeout; show application_name"))
        rows = [body[6:] for kind, body in client.until_ready() if kind == "D"]
    assert rows == [b"1234ms", b"a b"]


def test_a_message_of_many_megabytes(server):
    text = "x" * (20 << 20)
    with server.connect() as connection:
        assert connection.execute("select length(%s::text)", [text]).fetchone() == (len(text),)


def test_every_split_of_a_session(server):
    sent = (wire.startup() + query("select 1") + parse("s", "select $1::int4") +
            wire.bind("", "s", [b"7"]) + wire.describe("P", "") + wire.execute("") + SYNC +
            wire.TERMINATE)
    kinds = None
    for size in (1, 2, 3, 7, 50, len(sent)):
        with Client(server) as client:
            for at in range(0, len(sent), size):
                client.send(sent[at:at + size])
            answer = [kind for kind, _ in client.until_closed()]
        kinds = kinds or answer
        assert answer == kinds, size
    assert kinds[-10:] == ["T", "D", "C", "Z", "1", "2", "T", "D", "C", "Z"]


def test_random_bytes_end_only_their_own_connection(server):
    rng = random.Random(1)
    with server.connect() as bystander:
        for number in range(60):
            with Client(server) as client:
                try:
                    if number % 2:
                        client.start()
                    client.send(rng.randbytes(rng.randrange(1, 2000)))
                    client.vanish()
                except OSError:
                    pass  # the server was faster
        assert bystander.execute("select 1").fetchone() == (1,)


def test_random_messages_end_only_their_own_connection(server):
    """Known types, true lengths, random bodies: deeper than random bytes get."""
    rng = random.Random(2)
    with server.connect() as bystander:
        for _ in range(40):
            with Client(server) as client:
                client.start()
                try:
                    for _ in range(20):
                        client.send(message(rng.choice([b"Q", b"P", b"B", b"D", b"E", b"C", b"S",
                                                        b"H", b"d", b"c", b"f", b"F"]),
                                            rng.randbytes(rng.randrange(60))))
                except OSError:
                    pass
        assert bystander.execute("select 1").fetchone() == (1,)


def test_a_reader_that_stops_blocks_only_itself(server):
    """A client asks for much and reads nothing; others go on, and it can still be ended."""
    with Client(server) as client, server.connect() as bystander:
        client.start()
        client.send(query("select repeat('x', 1000) from generate_series(1, 100000)"))
        time.sleep(0.3)  # the socket's buffers are full by now, however fast the server is
        for _ in range(20):
            assert bystander.execute("select 1").fetchone() == (1,)


def test_cancel_needs_the_right_key(server):
    def send_cancel(connection_id, key):
        with Client(server) as canceller:
            canceller.send(wire.cancel(connection_id, key))
            assert canceller.next() is None

    with Client(server, timeout_s=30) as client:
        client.start()
        client.send(query("select count(*) from generate_series(1, 100000000)"))
        send_cancel(client.connection_id, client.key ^ 1)
        send_cancel(client.connection_id + 1000, client.key)
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.next()  # goes on
        client.socket.settimeout(30)
        send_cancel(client.connection_id, client.key)
        answers = client.until_ready()
        errors = [wire.fields(body) for kind, body in answers if kind == "E"]
        assert [error["C"] for error in errors] == ["57014"]
        client.send(query("select 1"))
        assert [kind for kind, _ in client.until_ready()] == ["T", "D", "C", "Z"]
