"""Sends the same bytes to two servers and says where their answers differ."""
import contextlib
import socket
import struct

import wire
import wire_cases

# Fields of an error that are never compared: file, line and routine of PostgreSQL's source.
SOURCE_FIELDS = "FLR"
# The data type that an error is about, for programs; connbench does not send it.
TYPE_FIELD = "d"


def describe(answer):
    """A message as it is compared: without what is a server's own affair."""
    kind, body = answer
    if kind in "EN":
        fields = {part[:1].decode("latin1"): part[1:].decode(errors="backslashreplace")
                  for part in body.split(b"\0") if part}
        return kind, tuple(sorted((name, value) for name, value in fields.items()
                                  if name not in SOURCE_FIELDS + TYPE_FIELD))
    if kind == "K":
        return kind, ""
    if kind == "T":
        return kind, row_description(body)
    return kind, body


def row_description(body):
    """Of a column's table only whether there is one: its oid is the server's own."""
    columns, at = [], 2
    for _ in range(struct.unpack(">H", body[:2])[0]):
        end = body.index(b"\0", at)
        table, *rest = struct.unpack(">ihihih", body[end + 1:end + 19])
        columns.append((body[at:end], table != 0, *rest))
        at = end + 19
    assert at == len(body), "bytes behind the last column"
    return tuple(columns)


def answers(server, data, cuts=()):
    """Everything that the server says to these bytes, sent in the pieces that cuts says, and then
    to the end of the connection. The last entry says how it ended."""
    with wire.Client(server, timeout_s=15) as client:
        client.start(user=server.user, database=server.database)
        with contextlib.suppress(OSError):  # the server may close before it has read everything
            at = 0
            for cut in [*cuts, len(data)]:
                client.send(data[at:cut])
                at = cut
            client.socket.shutdown(socket.SHUT_WR)
        try:
            return [describe(answer) for answer in client.until_closed()] + ["closed"]
        except TimeoutError:
            return ["it hangs"]


def prepare_tables(server):
    with wire.Client(server, timeout_s=15) as client:
        client.start(user=server.user, database=server.database)
        client.send(wire.query(wire_cases.SETUP))
        errors = [body for kind, body in client.until_ready() if kind == "E"]
        assert not errors, errors


def difference(reference, server, steps, cuts=()):
    """None, or (index of the first answer that differs, PostgreSQL's and ours from there on)."""
    data = b"".join(step.data for step in steps)
    for one in (reference, server):
        prepare_tables(one)
    expected, got = answers(reference, data), answers(server, data, cuts)
    if expected == got:
        return None
    at = next((i for i, pair in enumerate(zip(expected, got)) if pair[0] != pair[1]),
              min(len(expected), len(got)))
    return at, expected[at:], got[at:]


def smallest(reference, server, steps, matters):
    """Takes steps away while there is still a difference that matters. The ending stays: without
    its Sync a server that is left sends what it has, or does not."""
    ending = steps[-wire_cases.ENDING_STEPS:]
    steps = steps[:-wire_cases.ENDING_STEPS]
    size = max(1, len(steps) // 2)
    while size >= 1:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size:]
            found = difference(reference, server, fewer + ending)
            if found is not None and matters(fewer + ending, found):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps + ending


# --- when answers come ---

QUIET_S = 0.15  # how long PostgreSQL must be silent before an answer counts as ended
FLUSHING = (b"S", b"H", b"Q", b"c", b"f")


def parts_that_flush(steps):
    """Steps in groups, each of which ends with a message that makes a server send what it has."""
    parts = [[]]
    for step in steps:
        parts[-1].append(step)
        if step.data[:1] in FLUSHING:
            parts.append([])
    return parts[:-1]


def answers_by_part(server, parts, expected=None):
    """What comes before the next part is sent. With expected: no more is waited for than that many
    messages of each part."""
    prepare_tables(server)
    by_part = []
    with wire.Client(server) as client:
        client.start(user=server.user, database=server.database)
        if expected is None:
            client.socket.settimeout(QUIET_S)
        for number, part in enumerate(parts):
            answers_now = []
            with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                client.send(b"".join(step.data for step in part))
                while expected is None or len(answers_now) < len(expected[number]):
                    answer = client.next()
                    answers_now.append("closed" if answer is None else describe(answer))
                    if answer is None:
                        break
            by_part.append(answers_now)
    return by_part
