"""The first packet of a connection, in every form that PostgreSQL takes or refuses: the answers of
both servers up to ReadyForQuery or the end."""
import contextlib
import socket
import struct

import pytest

import wire

ALICE = [("user", "alice"), ("database", "shop")]
LONG = "d" * 70  # names are cut to 63 bytes


def packet(parameters, version=wire.PROTOCOL_3, end=b"\0"):
    body = struct.pack(">i", version)
    for name, value in parameters:
        body += name.encode() + b"\0" + value.encode() + b"\0"
    return struct.pack(">i", len(body) + len(end) + 4) + body + end


def alice(*parameters):
    return packet(ALICE + list(parameters))


def options(text):
    return alice(("options", text))


CASES = {
    "plain": alice(),
    **{f"client_encoding {name}": alice(("client_encoding", name))
       for name in ("'utf-8'", "Unicode", '"UTF8"', "'sql_ascii'", "nope", "", "latin1")},
    "application_name that is not ASCII": alice(("application_name", "ä\nb")),
    **{f"options {text!r}": options(text)
       for text in ("-c application_name=a\\ b -c DateStyle=ISO",
                    "--application-name=x --statement_timeout=5", "--application-name",
                    "-c application_name", "-c =x", "-c", "-x", "application_name=x",
                    "-c application_name=x word", "-c nope=1 -x", "-c application_name=x\\",
                    "-c application_name=", "-capplication_name=z", "\t-c\tapplication_name=z\n",
                    "-- x", "--=x", "-", "w -c nope=1", "-e", "-S 4096")},
    "options twice": alice(("options", "-c application_name=a -c DateStyle=ISO"),
                           ("options", "-c application_name=b")),
    "unknown protocol options": alice(("_pq_.x", "1"), ("_pq_.y", "2")),
    "a name like that of a protocol option": alice(("_pq_", "3")),
    "newer minor version": packet(ALICE, wire.PROTOCOL_3 + 5),
    "newer minor version, no user": packet([("database", "shop")], wire.PROTOCOL_3 + 5),
    "newer minor version, unknown setting": packet(ALICE + [("nope", "1")], wire.PROTOCOL_3 + 5),
    "user twice": packet([("user", "nope")] + ALICE),
    "setting twice": alice(("application_name", "a"), ("application_name", "b")),
    "no user": packet([("database", "shop")]),
    "empty user": packet([("user", ""), ("database", "shop")]),
    **{f"replication {value!r}": alice(("replication", value))
       for value in ("FALSE", "of", "o", "", "maybe", "true", "database")},
    "unknown setting": alice(("nope", "1")),
    "setting with a dot": alice(("a.b", "1")),
    "bad names": alice(("a.", "1")),
    "bad name that begins with a digit": alice(("1.b", "1")),
    "bad number": alice(("statement_timeout", "often")),
    "bad boolean": alice(("standard_conforming_strings", "maybe")),
    "setting of the server": alice(("max_connections", "5")),
    "setting that cannot be changed": alice(("server_version", "5")),
    "time zone": alice(("TimeZone", "Europe/Berlin"), ("datestyle", "iso")),
    "unknown time zone": alice(("TimeZone", "nope")),
    "name in capitals": alice(("APPLICATION_NAME", "X")),
    "user in capitals": alice(("USER", "X")),
    "read only": alice(("default_transaction_read_only", "yes")),
    "interval style": alice(("IntervalStyle", "iso_8601")),
    "version 4": packet(ALICE, 4 << 16 | 1),
    "version 2": packet(ALICE, 2 << 16),
    "bytes behind the terminator": packet(ALICE, end=b"\0xx"),
    "no terminator": packet(ALICE, end=b""),
    "name without end": struct.pack(">i", 16) + b"\0\3\0\0user\0abc",
    "not PostgreSQL": b"GET / HTTP/1.1\r\n\r\n",
    "length 0": b"\0\0\0\0",
    "length of 4 GB": b"\xff\xff\xff\xff",
    "longer than allowed": struct.pack(">i", 10005) + b"\0" * 10001,
    "cancel request too short": struct.pack(">iii", 12, 80877102, 1),
    "bytes behind SSLRequest": wire.SSL_REQUEST + alice(),
    "long database name": packet([("user", "alice"), ("database", LONG)]),
    "database of the user's name": packet([("user", "alice")]),
}

SILENT = "PostgreSQL closes without a word; here the client learns why"
DIFFERENT = {
    "client_encoding latin1": "there are no conversions: 0A000",
    "options '-e'": "only the options that set parameters are known",
    "options '-S 4096'": "only the options that set parameters are known",
    **{f"options {text!r}": "the hint names what is known here, instead of postgres --help"
       for text in ("-c", "-x", "application_name=x", "-c application_name=x word", "-- x", "-")},
    "replication 'true'": "there is no replication: 0A000 before authentication",
    "replication 'database'": "there is no replication: 0A000 before authentication",
    "version 2": "PostgreSQL answers in the form of protocol 2.0",
    "not PostgreSQL": SILENT, "length 0": SILENT, "length of 4 GB": SILENT,
    "longer than allowed": SILENT, "cancel request too short": SILENT,
}
NOT_COMPARED = ("server_version",)


def answers(server, data):
    """All messages, without what is a server's own affair."""
    with server.raw() as sock:
        with contextlib.suppress(OSError):  # the server may close before it has read everything
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while more := sock.recv(65536):
                received += more
        except ConnectionResetError:
            pass
    found = []
    if data.startswith(wire.SSL_REQUEST):
        found.append(received[:1])
        received = received[1:]
    while len(received) >= 5:
        length = struct.unpack(">i", received[1:5])[0]
        kind, body = received[:1].decode("latin1"), received[5:1 + length]
        received = received[1 + length:]
        if kind == "E":
            found.append((kind, {name: value for name, value in wire.fields(body).items()
                                 if name in "SVCMDHPW"}))
        elif kind == "S" and body.split(b"\0")[0].decode() in NOT_COMPARED:
            found.append((kind, body.split(b"\0")[0]))
        else:
            found.append((kind, b"" if kind == "K" else body))
    return found + ([received] if received else [])


@pytest.fixture(scope="module")
def reference(postgres):
    with postgres.connect(user="postgres", dbname="postgres") as connection:
        for name in ("alice", LONG[:63]):
            connection.execute(f"create database {name} owner alice")
    return postgres


@pytest.mark.parametrize("name", CASES)
def test_startup_is_answered_as_by_postgresql(reference, server, name):
    expected, got = answers(reference, CASES[name]), answers(server, CASES[name])
    if name in DIFFERENT:
        assert got != expected, f"take it off the list: {DIFFERENT[name]}"
        assert got[-1][0] == "E", got  # every one of them is an error that says why
    else:
        assert got == expected
