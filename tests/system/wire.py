"""Protocol 3.0 by hand, for what no client library would send."""
import socket
import struct

PROTOCOL_3 = 196608
SSL_REQUEST = struct.pack(">ii", 8, 80877103)
GSS_REQUEST = struct.pack(">ii", 8, 80877104)


def message(kind, body=b""):
    return kind + struct.pack(">i", len(body) + 4) + body


def startup(version=PROTOCOL_3, **parameters):
    parameters = parameters or {"user": "alice", "database": "shop"}
    body = struct.pack(">i", version)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    return struct.pack(">i", len(body) + 5) + body + b"\0"


def cancel(connection_id, key):
    return struct.pack(">iiII", 16, 80877102, connection_id, key)


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def parse(statement, sql, types=()):
    return message(b"P", statement.encode() + b"\0" + sql.encode() + b"\0" +
                   struct.pack(f">h{len(types)}I", len(types), *types))


def bind(portal, statement, parameters=(), formats=(), result_formats=()):
    body = portal.encode() + b"\0" + statement.encode() + b"\0"
    body += struct.pack(f">h{len(formats)}h", len(formats), *formats)
    body += struct.pack(">h", len(parameters))
    for value in parameters:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return message(b"B", body + struct.pack(f">h{len(result_formats)}h", len(result_formats),
                                            *result_formats))


def describe(kind, name):
    return message(b"D", kind.encode() + name.encode() + b"\0")


def close(kind, name):
    return message(b"C", kind.encode() + name.encode() + b"\0")


def execute(portal, max_rows=0):
    return message(b"E", portal.encode() + b"\0" + struct.pack(">i", max_rows))


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")
COPY_DONE = message(b"c")


def copy_data(data):
    return message(b"d", data)


def copy_fail(reason):
    return message(b"f", reason.encode() + b"\0")


def fields(body):
    """The fields of ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class Client:
    """A connection whose answers are read message by message."""

    def __init__(self, server, timeout_s=10):
        self.socket = server.raw(timeout_s)
        self.received = b""
        self.connection_id = self.key = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *messages):
        self.socket.sendall(b"".join(messages))

    def start(self, **parameters):
        self.send(startup(**parameters))
        return self.until_ready()

    def byte(self):
        """The answer to SSLRequest or GSSENCRequest."""
        return self.socket.recv(1)

    def next(self):
        """(type, body) of the next message; None when the server has closed."""
        while True:
            if len(self.received) >= 5:
                length = struct.unpack(">i", self.received[1:5])[0]
                if len(self.received) > length:
                    kind, body = self.received[:1].decode(), self.received[5:1 + length]
                    self.received = self.received[1 + length:]
                    if kind == "K":
                        self.connection_id, self.key = struct.unpack(">II", body)
                    return kind, body
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.received += data

    def until_ready(self):
        """Messages up to and with ReadyForQuery, or to the end of the connection."""
        messages = []
        while True:
            answer = self.next()
            if answer is None:
                return messages
            messages.append(answer)
            if answer[0] == "Z":
                return messages

    def until_closed(self):
        messages = []
        while (answer := self.next()) is not None:
            messages.append(answer)
        return messages

    def error(self):
        """The fields of the next ErrorResponse, before which at most columns may be described."""
        answer = self.next()
        if answer is not None and answer[0] == "T":
            answer = self.next()
        assert answer is not None and answer[0] == "E", answer
        return fields(answer[1])

    def vanish(self):
        """Ends the connection with a reset, as a client that crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
