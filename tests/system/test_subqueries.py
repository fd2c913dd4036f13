"""Random subqueries, set operations and WITH against PostgreSQL: the same columns, the same rows,
the same SQLSTATE."""
import random

import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_joins import FULL_JOIN_DIFFERS, Tables
from random_subqueries import Subqueries

# What may differ, with its reason: a pattern of the statement, of PostgreSQL's answer, of ours.
ALLOWED = [
    FULL_JOIN_DIFFERS,
    (r"/\* many \*/", r"^\(|21000", r"^\(|21000",
     "whether a subquery with a second row is run depends on the order of conditions"),
]


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index", "small_memory"])
def test_random_subqueries_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    if setting == "small_memory":
        ask(pair[1], "set work_mem = '64kB'")
    compare_on_tables(pair, source, Tables, Subqueries, cases(300), 10, ALLOWED)
    ask(pair[1], "reset all")
