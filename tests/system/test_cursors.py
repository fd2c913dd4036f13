"""Cursors: psycopg's named ones on every model, and FETCH and MOVE as PostgreSQL answers them."""
import random

import psycopg
import pytest

from compared import ask
from generated import cases, seed

ROWS = 500


@pytest.mark.every_model
def test_named_cursors_of_psycopg(server):
    """Two clients, each with two cursors that are read in turns."""
    with server.connect(autocommit=False) as first, server.connect(autocommit=False) as second:
        first.execute("drop table if exists numbers")
        first.execute("create table numbers (n int primary key, t text)")
        first.execute("insert into numbers select g, 'row ' || g from generate_series(1, %s) g",
                      [ROWS])
        first.commit()
        opened = []
        for number, connection in enumerate((first, second)):
            up = connection.cursor("up")
            up.itersize = 7 + number
            up.execute("select n, t from numbers where n > %s order by n", [number])
            down = connection.cursor("down", binary=True)
            down.execute("select n from numbers order by n desc")
            opened.append((number, up, down))
        for number, up, down in opened:
            assert up.fetchone() == (number + 1, f"row {number + 1}")
            assert down.fetchmany(3) == [(ROWS,), (ROWS - 1,), (ROWS - 2,)]
        first.execute("delete from numbers where n > 10")  # the cursors see what was there
        for number, up, down in opened:
            up.scroll(2)
            assert [n for n, _ in up] == list(range(number + 4, ROWS + 1))
            assert len(down.fetchall()) == ROWS - 3
            assert down.description[0].name == "n"
            up.close()
            with pytest.raises(psycopg.errors.InvalidCursorName):
                down.connection.execute("fetch up")
            down.connection.rollback()
        # A text parameter has no type of its own: the query says which.
        with first.cursor("again") as again:
            again.execute("select n from numbers where t = %s or n = %s", ["row 3", None])
            assert again.fetchall() == [(3,)]
        with first.cursor("again") as again:
            again.execute("select count(*) from numbers")
            assert again.fetchall() == [(ROWS,)]
        first.execute("drop table numbers")
        first.commit()


class Fetches:
    """Statements about the cursors c and d, and savepoints around them."""

    def __init__(self, source):
        self.random = source

    def statement(self):
        name = self.random.choice(("c", "c", "d"))
        choice = self.random.randrange(14)
        if choice == 0:
            return f"close {self.random.choice((name, name, 'all'))}"
        if choice < 4:
            limit = self.random.choice(("", " where g % 3 = 0", " where false"))
            return f"declare {name} no scroll cursor for " \
                f"select g, 'x' || g from generate_series(1, 30) g{limit}"
        if choice == 4:
            return self.random.choice(("savepoint s", "rollback to s", "release s", "rollback",
                                       "begin", "commit"))
        count = self.random.randrange(-1, 9)
        what = self.random.choice(("", "next", f"{count}", f"forward {count}", "all",
                                   f"absolute {count * 4}", f"relative {count}", "forward all",
                                   "first", "last", "prior", f"backward {count}"))
        verb = self.random.choice(("fetch", "fetch", "move"))
        return f"{verb} {what} {'from ' if what else ''}{name}"


def answer(connection, sql):
    """Rows and the command's tag, or "ERROR <SQLSTATE>"."""
    result = connection.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        return "ERROR " + result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode()
    return result.command_status, [result.fname(column) for column in range(result.nfields)], [
        [result.get_value(row, column) for column in range(result.nfields)]
        for row in range(result.ntuples)]


@pytest.mark.generated
def test_random_fetches_answer_as_postgresql(pair):
    source = random.Random(seed())
    fetches = Fetches(source)
    answered = 0
    script = ["begin"]
    for connection in pair:
        ask(connection, "begin")
    for _ in range(cases(1500)):
        statement = fetches.statement()
        script.append(statement)
        expected, got = (answer(connection, statement) for connection in pair)
        assert got == expected, "\n".join(script[-12:]) + f"; seed {seed()}"
        answered += not isinstance(expected, str)
        if isinstance(expected, str) and source.random() < 0.8:
            script.append("rollback; begin")
            for connection in pair:
                ask(connection, "rollback")
                ask(connection, "begin")
    for connection in pair:
        ask(connection, "rollback")
    assert answered > 300
