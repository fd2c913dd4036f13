#!/usr/bin/env python3
"""Prints postgres_functions.inc: what the pg_proc of a PostgreSQL 15 (PG* variables say which) has
under the names of functions that are in functions_*.cc and aggregates.cc here."""
import pathlib
import re

import psycopg

HERE = pathlib.Path(__file__).parent
QUERY = """
select oid, proname, prokind, prorettype, proretset, proargtypes::text, provariadic,
       pronargdefaults, provolatile, proparallel, proisstrict, proleakproof, prolang, prosrc,
       procost::int, prorows::int, pg_get_function_arguments(oid)
  from pg_proc
 where pronamespace = 'pg_catalog'::regnamespace and proname = any(%s)
 order by proname collate "C", oid
"""


def literal(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if len(value) == 1:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main():
    names = {"generate_series"}
    for source in [*HERE.glob("functions_*.cc"), HERE / "aggregates.cc"]:
        names.update(re.findall(r'"([a-z_0-9]+)"', source.read_text()))
    with psycopg.connect("") as connection:
        for row in connection.execute(QUERY, [sorted(names)]):
            fields = list(row)
            texts = {1, 5, 13, 16}
            print("{" + ", ".join(
                '"' + literal(field).strip("'\"") + '"' if at in texts else literal(field)
                for at, field in enumerate(fields)) + "},")


if __name__ == "__main__":
    main()
