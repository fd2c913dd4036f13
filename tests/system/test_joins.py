"""Random joins against PostgreSQL: the same columns, the same rows, the same SQLSTATE."""
import random

import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_joins import FULL_JOIN_DIFFERS, Joins, Tables



@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index"])
def test_random_joins_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    compare_on_tables(pair, source, Tables, Joins, cases(300), 10, [FULL_JOIN_DIFFERS])
    ask(pair[1], "reset all")
