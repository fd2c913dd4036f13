"""The same statement to PostgreSQL and to connbench: the answers must be the same."""
import collections
import re

import psycopg

from generated import seed


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


def compare(pair, source, total, allowed):
    """Asks both for total queries of source. Answers how many PostgreSQL had an answer for.
    allowed: what may differ, with its reason: a pattern of the statement, of PostgreSQL's answer,
    of ours."""
    def may_differ(sql, expected, got):
        return any(re.search(pattern, sql) and re.search(theirs, str(expected)) and
                   re.search(ours, str(got))
                   for pattern, theirs, ours, _ in allowed)

    different = []
    answered = 0
    for _ in range(total):
        sql, parameters = source.query()
        expected, got = (ask(connection, sql, parameters) for connection in pair)
        answered += not isinstance(expected, str)
        if expected != got and not may_differ(sql, expected, got):
            different.append(f"{sql} {parameters}\n    PostgreSQL: {expected}\n"
                             f"    connbench:  {got}")
    different.sort(key=len)
    assert not different, f"{len(different)} of {total} differ; seed {seed()}\n" + \
        "\n".join(different[:10])
    return answered


def compare_on_tables(pair, source, make_tables, make_queries, total, rounds, allowed):
    """The same, each round on tables of its own."""
    answered = 0
    for _ in range(rounds):
        tables = make_tables(source)
        for statement in tables.statements:
            for connection in pair:
                answer = ask(connection, statement)
                assert not isinstance(answer, str), (statement, answer)
        answered += compare(pair, make_queries(source, tables), total // rounds, allowed)
        for connection in pair:
            ask(connection, "drop table " + ", ".join(tables.names))
    assert answered > total / 2, "most queries must be right, or little is compared"
