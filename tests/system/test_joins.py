"""Random joins against PostgreSQL: the same columns, the same rows, the same SQLSTATE."""
import collections
import random
import re

import psycopg
import pytest

from generated import cases, seed
from random_joins import Joins, Tables
from servers import Connbench

# What may differ, with its reason: a pattern of the statement, of PostgreSQL's answer, of ours.
ALLOWED = [
    (r"full join", r"^\(", r"^ERROR 0A000$",
     "PostgreSQL makes a full join a simpler one where WHERE leaves out its null-extended rows"),
]


def ask(connection, sql, parameters=()):
    """Names and types of the columns and the rows with their counts, or "ERROR <SQLSTATE>"."""
    if parameters:
        result = connection.exec_params(sql.encode(), [value.encode() for value in parameters])
    else:
        result = connection.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
        return "ERROR " + result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode()
    columns = [(result.fname(column), result.ftype(column), result.fmod(column))
               for column in range(result.nfields)]
    rows = collections.Counter(
        tuple(result.get_value(row, column) for column in range(result.nfields))
        for row in range(result.ntuples))
    return columns, rows


def allowed(sql, expected, got):
    return any(re.search(pattern, sql) and re.search(theirs, str(expected)) and
               re.search(ours, str(got))
               for pattern, theirs, ours, _ in ALLOWED)


@pytest.fixture(scope="module")
def pair(postgres, binary):
    with Connbench(binary, "thread") as server, postgres.connect() as reference, \
            server.connect() as tested:
        yield reference.pgconn, tested.pgconn


def compare(pair, source, total):
    different = []
    answered = 0
    for _ in range(total):
        sql, parameters = source.query()
        expected, got = (ask(connection, sql, parameters) for connection in pair)
        answered += not isinstance(expected, str)
        if expected != got and not allowed(sql, expected, got):
            different.append(f"{sql} {parameters}\n    PostgreSQL: {expected}\n"
                             f"    connbench:  {got}")
    different.sort(key=len)
    assert not different, f"{len(different)} of {total} differ; seed {seed()}\n" + \
        "\n".join(different[:10])
    assert answered > total / 2, "most queries must be right, or little is compared"


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index"])
def test_random_joins_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    reference, tested = pair
    if setting == "no_index":
        ask(tested, "set enable_indexscan = off")
    rounds = 10
    for _ in range(rounds):
        tables = Tables(source)
        for statement in tables.statements:
            for connection in pair:
                answer = ask(connection, statement)
                assert not isinstance(answer, str), (statement, answer)
        compare(pair, Joins(source, tables), cases(300) // rounds)
        for connection in (reference, tested):
            ask(connection, "drop table " + ", ".join(tables.names))
    ask(tested, "reset all")
