#!/usr/bin/python3
"""Writes postgres15.txt: what a PostgreSQL 15 server answers to queries.sql.

Usage: regenerate.py DSN > postgres15.txt, where the DSN names an empty database with the C
collation, e.g. "host=localhost dbname=scratch".
"""
import pathlib
import sys

import psycopg


def field(value):
    return "<null>" if value is None else value.decode()


def main():
    folder = pathlib.Path(__file__).parent
    connection = psycopg.connect(sys.argv[1], autocommit=True)
    for line in (folder / "queries.sql").read_text().splitlines():
        if line.startswith("--") or not line:
            continue
        print("Q", line)
        result = connection.pgconn.exec_(line.encode())
        status = psycopg.pq.ExecStatus(result.status)
        if status in (psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.COMMAND_OK):
            for row in range(result.ntuples):
                fields = [field(result.get_value(row, c)) for c in range(result.nfields)]
                print("R", "|".join(fields).replace("\n", "\\n"))
            print("T", result.command_status.decode())
        else:
            get = result.error_field
            position = get(psycopg.pq.DiagnosticField.STATEMENT_POSITION) or b"0"
            code = get(psycopg.pq.DiagnosticField.SQLSTATE)
            message = get(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY)
            print("E", code.decode(), position.decode(), message.decode())


main()
