"""Random joins against PostgreSQL: the same columns, the same rows, the same SQLSTATE."""
import random

import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_joins import Joins, Tables
from servers import Connbench

# What may differ, with its reason: a pattern of the statement, of PostgreSQL's answer, of ours.
ALLOWED = [
    (r"full join", r"^\(", r"^ERROR 0A000$",
     "PostgreSQL makes a full join a simpler one where WHERE leaves out its null-extended rows"),
]


@pytest.fixture(scope="module")
def pair(postgres, binary):
    with Connbench(binary, "thread") as server, postgres.connect() as reference, \
            server.connect() as tested:
        yield reference.pgconn, tested.pgconn


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index"])
def test_random_joins_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    compare_on_tables(pair, source, Tables, Joins, cases(300), 10, ALLOWED)
    ask(pair[1], "reset all")
