"""What a hostile server says is shown, and does nothing else: no byte of it steers a terminal."""
import contextlib
import os
import socket
import struct
import subprocess
import threading

import pytest

ESCAPES = b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\xc2\x9b1mbold\xe2\x80\xaegnp\xff\rover\x08\x08"


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def error(severity=b"FATAL", code=b"\x1b[7m"):
    return message(b"E", b"S" + severity + b"\0V" + severity + b"\0C" + code + b"\0M" + ESCAPES +
                   b"\0D" + ESCAPES + b"\0H" + ESCAPES + b"\0\0")


WELCOME = (message(b"R", struct.pack("!i", 0)) +
           message(b"S", b"server_version\0" + ESCAPES + b"\0") +
           message(b"K", struct.pack("!ii", 1, 2)) + message(b"Z", b"I"))
ANSWERS = {
    "instead of an answer to SSLRequest": lambda request: error(),
    "at startup": lambda request: b"N" if len(request) == 8 else error(),
    "in a query": lambda request: (b"N" if len(request) == 8 else
                                   WELCOME if request[:1] == b"\0" else
                                   error(b"ERROR", b"42601") + message(b"Z", b"I")),
    "as a message that is none":
        lambda request: b"N" if len(request) == 8 else b"\x1b\x1b\x1b[2J" * 9,
}


@pytest.mark.parametrize("when", ANSWERS)
def test_no_word_of_a_server_reaches_the_terminal_as_it_is(binary, tmp_path, when):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)

    def serve(client):
        with client, contextlib.suppress(ConnectionError):  # the client may go before it has read
            while request := client.recv(65536):
                client.sendall(ANSWERS[when](request))

    def accept():
        try:
            while True:
                threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    (tmp_path / "s.sql").write_text("select 1;\n")
    result = subprocess.run(
        [binary, "load", "-f", tmp_path / "s.sql", "-t", "1", "-h", "127.0.0.1", "-p",
         str(listener.getsockname()[1])],
        capture_output=True, timeout=60, env={**os.environ, "PGSSLMODE": "prefer"})
    listener.close()
    said = result.stdout + result.stderr
    assert result.returncode == 2, said
    for byte in (b"\x1b", b"\x07", b"\x08", b"\r", b"\xc2\x9b", b"\xe2\x80\xae", b"\xff"):
        assert byte not in said, said
    if when != "as a message that is none":
        assert rb"\x1b]0;owned\x07" in said, said
