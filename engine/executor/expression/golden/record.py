#!/usr/bin/env python3
"""Asks a PostgreSQL 15 (PG* variables say which; encoding UTF8, locale C) for the answers to each
*.txt here and writes the *.tsv (or from the first argument to the second): expression, type oid,
text, binary as hex; or expression, "ERROR", SQLSTATE, position, message, detail, hint.
"""
import pathlib
import sys

import psycopg

HERE = pathlib.Path(__file__).parent
PREFIX = "select "


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def answer(connection, expression):
    results = []
    for binary in (False, True):
        try:
            with connection.cursor(binary=binary) as cursor:
                cursor.execute(PREFIX.encode() + expression.encode(), prepare=False)
                result = cursor.pgresult
                results.append((result.ftype(0), result.get_value(0, 0)))
        except psycopg.Error as error:
            diagnosis = error.diag
            position = max(0, int(diagnosis.statement_position or 0) - len(PREFIX))
            fields = ["ERROR", diagnosis.sqlstate, str(position), diagnosis.message_primary,
                      diagnosis.message_detail or "", diagnosis.message_hint or ""]
            return [escape(field) for field in fields]
    (oid, text), (_, binary) = results
    if text is None:
        return [str(oid), "\\N", "\\N"]
    return [str(oid), escape(text.decode()), binary.hex()]


def record(connection, source, target):
    rows = []
    connection.execute("set timezone to 'UTC'")
    for line in source.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("\\timezone "):
            connection.execute(f"set timezone to '{line.split()[1]}'")
            rows.append([line])
            continue
        rows.append([line] + answer(connection, line))
    target.write_text("".join("\t".join(row) + "\n" for row in rows))


def main():
    sources = [pathlib.Path(sys.argv[1])] if len(sys.argv) > 1 else sorted(HERE.glob("*.txt"))
    with psycopg.connect("", autocommit=True) as connection:
        for source in sources:
            target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else source.with_suffix(".tsv")
            record(connection, source, target)


if __name__ == "__main__":
    main()
