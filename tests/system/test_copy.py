"""COPY against PostgreSQL: its options and what contradicts them, random lines of text and CSV, in
random pieces, random damage to binary data; both directions, with all columns of an error."""
import random
import struct

import psycopg
import pytest

from generated import cases, seed

FIELD = psycopg.pq.DiagnosticField
ERROR_FIELDS = (FIELD.SQLSTATE, FIELD.MESSAGE_PRIMARY, FIELD.MESSAGE_DETAIL, FIELD.MESSAGE_HINT,
                FIELD.STATEMENT_POSITION, FIELD.CONTEXT, FIELD.COLUMN_NAME, FIELD.CONSTRAINT_NAME)
STATUS = psycopg.pq.ExecStatus

SETUP = """
drop table if exists c, every_type, pairs cascade;
drop view if exists looking;
create table c (a int, b text, d varchar(3) default 'new', check (a <> 13));
create table pairs (k int primary key, v numeric(5, 2) not null);
create view looking as select 1 as one;
create table every_type (b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric,
    t text, v varchar(9), c char(4), ts timestamp, tz timestamptz, d date, u uuid, y bytea,
    iv interval, ti time, j json);
insert into every_type values
    (true, 1, 2, 3, 1.5, -2.25, 123456.789, E'a\\tb\\\\c,"d"\\n', 'v', 'c', '2024-02-29 12:00:00.5',
     '2024-02-29 12:00:00.5+00', '2024-02-29', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff5c',
     '1 mon 2 days 03:04:05.6', '12:34:56.789', '{"a": [1, "x"]}'),
    (false, -1, -2, -3, 'NaN', 'Infinity', 'NaN', '', '', '', 'infinity', '-infinity', '0001-01-01',
     'ffffffff-ffff-ffff-ffff-ffffffffffff', '',
     '-1 year', '24:00', 'null'),
    (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null)
"""

# Each option alone, wrong, twice, and with what it contradicts.
OPTIONS = [
    "", "csv", "binary", "(format text)", "(format csv)", "(format binary)", "(format xml)",
    "(format)", "(format csv, format csv)", "(format 'CSV')", "(delimiter)", "(delimiter ',')",
    "(delimiter 'ab')", "(delimiter '')", "(delimiter 'ü')", "(delimiter E'\\n')",
    "(delimiter E'\\r')", "(delimiter 'a')", "(delimiter '.')", "(delimiter '7')",
    "(delimiter 'A')", "(format csv, delimiter 'a')", "(format csv, delimiter '\"')",
    "(format csv, delimiter E'\\t')", "(delimiter ',', delimiter ',')", "(null 'x')",
    "(null E'a\\nb')", "(null E'a\\rb')", "(null E'\\t')", "(null '')", "(null)",
    "(format csv, null ',')", "(format csv, null '\"')", "(format csv, null 'NULL')",
    "(header)", "(header true)", "(header off)", "(header 1)", "(header 2)", "(header 'On')",
    "(header match)", "(header 'MATCH')", "(header maybe)", "(format csv, header match)",
    "(quote '''')", "(format csv, quote '''')", "(format csv, quote '')",
    "(format csv, quote 'ab')",
    "(format csv, quote ',')", "(escape 'x')", "(format csv, escape 'x')",
    "(format csv, escape '')", "(format csv, escape 'xy')", "(format csv, escape ',')",
    "(force_quote *)", "(format csv, force_quote *)", "(format csv, force_quote (a, b))",
    "(format csv, force_quote (nosuch))", "(format csv, force_quote a)",
    "(format csv, force_quote)", "(force_not_null (a))", "(format csv, force_not_null (b))",
    "(format csv, force_not_null *)", "(format csv, force_not_null (nosuch))",
    "(force_null (a))", "(format csv, force_null (b))", "(format csv, force_null b)",
    "(format csv, force_null (b, b))", "(format csv, force_null (b), force_not_null (b))",
    "(format binary, delimiter ',')", "(format binary, null 'x')", "(format binary, header)",
    "(format binary, header off)", "(format binary, quote 'x')", "(freeze off)",
    "(freeze maybe)", "(encoding 'utf8')", "(encoding 'UTF-8')", "(encoding 'nosuch')",
    "(nosuch)", "(nosuch 1)", "csv header", "csv quote as 'x' escape as 'y'",
    "csv force quote a", "csv force quote *", "csv force not null b",
    "delimiter as '|' null as '-'",
    "binary delimiter ','", "csv header header",
]

STATEMENTS = [
    "copy nosuch from stdin", "copy looking from stdin (nosuch)", "copy looking to stdout",
    "copy looking (one, one) to stdout", "copy c (a, a) from stdin", "copy c (nosuch) from stdin",
    "copy c (nosuch) from stdin (nosuch)", "copy nosuch from stdin (nosuch)",
    "copy c (b) to stdout (format csv, force_quote (a))",
    "copy c (b) from stdin (format csv, force_null (a))",
    "copy c (b) from stdin (format csv, force_not_null (a))",
    "copy (select 1 as x) to stdout (format csv, force_quote (x))",
    "copy (select 1 as x) to stdout (format csv, force_quote (y))",
    "copy (select 1 as x, 'a\"b' as y) to stdout (format csv, force_quote *, header)",
    "copy (select E'\\\\.' as x) to stdout csv", "copy (select E'\\\\.', 1) to stdout csv",
    "copy (select '' as x, null as y) to stdout csv", "copy (select '' as x, null) to stdout",
    "copy (select E'a\\tb\\x01\\x7f|') to stdout (delimiter '|')",
    "copy (select 1 where false) to stdout (format binary)",
    "copy (select 1, null::text, 'x' as y) to stdout (format binary)",
    "copy (insert into c values (1, 'x')) to stdout", "copy (delete from c returning a) to stdout",
    "copy (select from c) to stdout (format binary)", "copy (select 1 / 0) to stdout",
    "copy every_type to stdout", "copy every_type to stdout csv header",
    "copy every_type to stdout binary", "copy every_type (t, n) to stdout (format binary)",
    "copy every_type to stdout (delimiter '|', null '-', header)",
    "copy every_type to stdout (format csv, quote '''', escape '\\', force_quote (t, v))",
    "copy c from stdin where a > 1 and b = 'x'", "copy c from stdin where nosuch = 1",
    "copy c from stdin where a", "copy c from stdin where a = (select 1)",
    "copy c from stdin where count(*) > 1", "copy c from stdin where row_number() over () = 1",
    "copy c from stdin where b like 'x%' or d = 'new'",
    "copy c from stdin where 1 / a > 0", "copy c from stdin where $1",
    "copy c to stdout where a = 1",
]

LINES = b"1\tx\ty\n2\t\\N\tz\n0\ta\tb\n"


def error(result):
    fields = [value.decode(errors="replace") if (value := result.error_field(field)) else None
              for field in ERROR_FIELDS]
    if fields[0] == "0A000":  # ours always has a position, at least the statement's
        fields[4] = None
    return fields


def results(connection):
    """What is left of a COPY's answers."""
    answers = []
    while (result := connection.get_result()) is not None:
        answers.append(error(result) if result.status == STATUS.FATAL_ERROR
                       else result.command_status)
    return answers


def copy(connection, sql, pieces):
    """The answer to a COPY; what it sends, or what becomes of the pieces that it is sent."""
    connection.send_query(sql.encode())
    result = connection.get_result()
    formats = [result.fformat(at) for at in range(result.nfields)]
    if result.status == STATUS.COPY_IN:
        for piece in pieces:
            connection.put_copy_data(piece)
        connection.put_copy_end()
        return formats, results(connection)
    if result.status == STATUS.COPY_OUT:
        messages = []
        while (message := connection.get_copy_data(0))[0] > 0:
            messages.append(bytes(message[1]))
        return formats, messages, results(connection)
    return [error(result), *results(connection)]


def table(connection, name):
    result = connection.exec_(f"select * from {name}".encode())
    return [[result.get_value(row, column) for column in range(result.nfields)]
            for row in range(result.ntuples)]


def empty(pair):
    for connection in pair:
        connection.exec_(b"truncate c, pairs")


def both(pair, sql, pieces=(), of="c"):
    expected, got = (copy(connection, sql, pieces) for connection in pair)
    assert got == expected, (sql, pieces)
    expected, got = (table(connection, of) for connection in pair)
    assert got == expected, (sql, pieces)
    return expected


@pytest.fixture(scope="module", name="pair")
def pair_with_tables(pair):
    for connection in pair:
        assert connection.exec_(SETUP.encode()).error_message == b""
    return pair


@pytest.mark.parametrize("options", OPTIONS)
def test_options(pair, options):
    empty(pair)
    both(pair, f"copy c from stdin {options}", [LINES])
    both(pair, f"copy c to stdout {options}")


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements(pair, sql):
    empty(pair)
    both(pair, sql, [LINES])


@pytest.mark.parametrize("header", ["a,b,d", "a,b", "a,b,x", "a,,d", "A,b,d", '"a",b,d', "d,b,a",
                                    "", "a,b,d,e"])
def test_a_header_that_is_matched(pair, header):
    empty(pair)
    for options in ("(format csv, header match)", "(header match, delimiter ',')"):
        both(pair, f"copy c from stdin {options}", [f"{header}\n1,x,y\n".encode()])
        both(pair, f"copy c (b, a, d) from stdin {options}", [f"{header}\nx,1,y\n".encode()])


def test_every_type_comes_back(pair):
    for options in ("text", "csv", "binary"):
        _, messages, _ = copy(pair[0], f"copy every_type to stdout (format {options})", ())
        for connection in pair:
            connection.exec_(b"delete from every_type")
        rows = both(pair, f"copy every_type from stdin (format {options})", messages, "every_type")
        assert len(rows) == 3


def pieces_of(rng, data):
    """The data in one piece, or in random ones, or byte by byte."""
    way = rng.randrange(3)
    if way == 0:
        return [data]
    cuts = range(1, len(data)) if way == 1 else sorted(rng.sample(range(len(data) + 1),
                                                                  min(3, len(data))))
    begin, pieces = 0, []
    for cut in cuts:
        pieces.append(data[begin:cut])
        begin = cut
    return [piece for piece in [*pieces, data[begin:]] if piece]


FRAGMENTS = ["1", "2", "13", "x", "abc", "toolong", "ü", "\\N", "\\n", "\\x41", "\\101", "\\", '"',
             '""', "'", " ", "", "|", ",", "\t", "NULL", "\\t", "\\\\", "\\.", "-"]


def random_lines(rng, delimiter):
    ending = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    text = ""
    for _ in range(rng.randint(0, 4)):
        fields = [rng.choice(["1", "2", "", "\\N", "NULL", rng.choice(FRAGMENTS)])]
        for _ in range(rng.choice([2, 2, 2, 2, 2, 1, 3])):
            field = "".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(0, 2)))
            if rng.random() < 0.3:
                field = '"' + field + rng.choice(["", "\n", "\r", '""', delimiter]) + '"'
            fields.append(field)
        text += delimiter.join(fields)
        text += ending if rng.random() < 0.97 else rng.choice(["\n", "\r", "\r\n", "\\.\n", ""])
    return text.encode()


@pytest.mark.generated
def test_random_lines(pair):
    rng = random.Random(seed())
    for at in range(cases(700)):
        csv = rng.random() < 0.5
        delimiter = rng.choice([",", "|", "\t"])
        options = [f"format {'csv' if csv else 'text'}", f"delimiter E'{delimiter}'"]
        if rng.random() < 0.3:
            options.append(f"null '{rng.choice(['', 'NULL', '-', 'x'])}'")
        if rng.random() < 0.2:
            options.append("header")
        if csv and rng.random() < 0.3:
            options.append(rng.choice(["quote ''''", "escape E'\\\\'", "escape ''''",
                                       "quote '''', escape 'x'"]))
        if csv and rng.random() < 0.3:
            options.append(rng.choice(["force_null (b)", "force_not_null (b)", "force_null (b, d)",
                                       "force_not_null (a, d)"]))
        if at % 20 == 0:
            empty(pair)
        where = rng.choice(["", "", "", " where a > 1", " where b is not null"])
        both(pair, f"copy c from stdin ({', '.join(options)}){where}",
             pieces_of(rng, random_lines(rng, delimiter)))


@pytest.mark.parametrize("value", [b"\xff", b"a\0b", b"\xc3", b"\x97a", b"\xed\xa0\x80", b"\\xff",
                                   b"\\000", b"\\377x"])
def test_bytes_that_are_no_text(pair, value):
    """In one line: PostgreSQL checks a buffer at a time, and names the line it is at."""
    empty(pair)
    both(pair, "copy c from stdin", [b"1\t" + value + b"\tx\n"])
    both(pair, "copy c from stdin csv", [b'1,"' + value + b'",x\n'])


def random_binary(rng):
    """Rows of (int4, text, varchar) with random damage."""
    data = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", rng.choice([0, 0, 0, 0, 5]), 0)
    if rng.random() < 0.05:
        data = data[:11] + struct.pack(">ii", 0, 3) + b"abc"
    for _ in range(rng.randint(0, 3)):
        fields = [rng.choice([struct.pack(">i", rng.randint(0, 14)), None, b"", b"\0\0\1"])
                  if rng.random() < 0.3 else struct.pack(">i", rng.randint(0, 14))]
        fields += [rng.choice([b"x", b"abc", "ü".encode(), b"", b"long one", None, b"\xff"]),
                   rng.choice([b"x", b"abc", None, b"", b"long  "])]
        if rng.random() < 0.05:
            fields.pop()
        data += struct.pack(">h", len(fields))
        for field in fields:
            data += struct.pack(">i", -1) if field is None else (
                struct.pack(">i", len(field)) + field)
    if rng.random() < 0.7:
        data += struct.pack(">h", -1)
    change = rng.random()
    if change < 0.2:
        return data[:rng.randint(0, len(data))]
    if change < 0.4:
        at = rng.randrange(len(data))
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    if change < 0.5:
        return data + rng.choice([b"\0", b"\0\1\0", b"x" * 20])
    return data


@pytest.mark.generated
def test_random_binary_data(pair):
    rng = random.Random(seed())
    for at in range(cases(700)):
        if at % 20 == 0:
            empty(pair)
        where = rng.choice(["", "", "", " where a > 1"])
        both(pair, f"copy c from stdin binary{where}", pieces_of(rng, random_binary(rng)))


def test_the_line_of_a_duplicate_key_beside_rows_that_are_left_out(pair):
    empty(pair)
    lines = b"".join(b"%d\t1.5\n" % key for key in [1, 2, 3, 4, 5, 2, 7])
    both(pair, "copy pairs from stdin where k > 1", [lines], "pairs")
    data = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
    one = struct.pack(">hhhhh", 1, 0, 0, 0, 1)  # as numeric
    for key in [1, 2, 2]:
        data += struct.pack(">hiii", 2, 4, key, len(one)) + one
    both(pair, "copy pairs from stdin (format binary) where k > 1", [data], "pairs")
