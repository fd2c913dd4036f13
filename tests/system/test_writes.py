"""Random statements that write against PostgreSQL: the same answers, the same rows afterwards."""
import random

import pytest

from compared import ask, compare_on_tables
from generated import cases, seed
from random_writes import Writes, WrittenTables


@pytest.mark.generated
@pytest.mark.parametrize("setting", ["default", "no_index"])
def test_random_writes_answer_as_postgresql(pair, setting):
    source = random.Random(f"{seed()} {setting}")
    if setting == "no_index":
        ask(pair[1], "set enable_indexscan = off")
    compare_on_tables(pair, source, WrittenTables, Writes, cases(600), 30, [])
    ask(pair[1], "reset all")
