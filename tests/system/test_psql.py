"""psql, as people use it: scripts on stdin, meta-commands, errors, interrupts."""
import subprocess
import time

from servers import CLIENT_TIMEOUT_S
from terminal import Terminal

# Runs until it is told to stop.
LONG_QUERY = "select count(*) from generate_series(1, 10000000000)"


def test_select(server):
    assert server.psql("select 1;").stdout == "1\n"
    result = server.run("psql", "-X", "-c", "select 1 as one, 'two' as two")
    assert result.stdout == " one | two \n-----+-----\n   1 | two\n(1 row)\n\n"


def test_statements_over_several_lines(server):
    script = "select\n  1 + -- a comment\n  2\n  as sum\n;\nselect 'a\nb';\n"
    assert server.psql(script).stdout == "3\na\nb\n"


def test_an_error_shows_its_place(server):
    result = server.psql("select 1,\n  nope;\n", check=False)
    assert result.returncode == 0  # psql goes on after errors in a script from stdin
    assert result.stderr.splitlines() == [
        'ERROR:  column "nope" does not exist',
        "LINE 2:   nope;",
        "          ^",
    ]


def test_goes_on_after_an_error(server):
    result = server.psql("selec 1;\nselect 2;\n", check=False)
    assert result.stdout == "2\n"
    assert 'syntax error at or near "selec"' in result.stderr


def test_stops_at_an_error_when_told_to(server):
    result = server.psql("\\set ON_ERROR_STOP 1\nselect 1/0;\nselect 2;\n", check=False)
    assert result.returncode == 3
    assert result.stdout == ""
    assert "division by zero" in result.stderr


def test_timing_and_quit(server):
    result = server.psql("\\timing on\nselect 1;\n\\q\nselect 2;\n")
    lines = result.stdout.splitlines()
    assert lines[0] == "Timing is on."
    assert lines[1] == "1"
    assert lines[2].startswith("Time: ") and lines[2].endswith(" ms")
    assert len(lines) == 3


def test_transaction_prompt_and_single_transaction(server):
    server.psql("drop table if exists psql_tx; create table psql_tx (a int);")
    result = server.run("psql", "-X", "-1", "-v", "ON_ERROR_STOP=1", "-c",
                        "insert into psql_tx values (1)", "-c", "select 1/0", check=False)
    assert result.returncode != 0
    assert server.psql("select count(*) from psql_tx;").stdout == "0\n"
    server.psql("drop table psql_tx;")


def test_copy_to_and_from_a_file(server, tmp_path):
    rows = "".join(f"{n}\tname {n}\n" for n in range(1, 1001)) + "1001\t\\N\n"
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text(rows)
    server.psql("drop table if exists psql_copy; create table psql_copy (a int, b text);")
    assert server.psql(f"\\copy psql_copy from '{source}'").stdout == "COPY 1001\n"
    assert server.psql(f"\\copy psql_copy to '{target}'").stdout == "COPY 1001\n"
    assert target.read_text() == rows
    assert server.psql("copy psql_copy from stdin;\n1002\tinline\n\\.\n"
                       "select b from psql_copy where a = 1002;").stdout == "COPY 1\ninline\n"
    server.psql("drop table psql_copy;")


def test_copy_of_bad_data_says_where(server, tmp_path):
    source = tmp_path / "source"
    source.write_text("1\n2\nthree\n4\n")
    server.psql("drop table if exists psql_bad; create table psql_bad (a int);")
    result = server.psql(f"\\copy psql_bad from '{source}'", check=False)
    assert 'invalid input syntax for type integer: "three"' in result.stderr
    assert "COPY psql_bad, line 3, column a" in result.stderr
    assert server.psql("select count(*) from psql_bad; drop table psql_bad;").stdout == \
        "0\nDROP TABLE\n"


def test_copy_of_a_duplicate_key_says_where(server):
    """Rows are written in batches, but each is known by its own line."""
    result = server.psql("drop table if exists psql_twice;"
                         "create table psql_twice (a int primary key);\n"
                         "copy psql_twice from stdin;\n1\n2\n1\n3\n4\n\\.\n", check=False)
    assert "Key (a)=(1) already exists." in result.stderr
    assert "COPY psql_twice, line 3\n" in result.stderr
    server.psql("drop table psql_twice;")


def test_variables_and_prepared_statements(server):
    script = ("\\set limit 3\nprepare p (int) as select $1 + :limit;\nexecute p(4);\n"
              "deallocate p;\nselect current_user, current_database();\n")
    assert server.psql(script).stdout == "PREPARE\n7\nDEALLOCATE\nalice|shop\n"


def test_connection_options(server):
    result = server.run("psql", "-X", "-A", "-t", "-c", "show application_name")
    assert result.stdout == "test\n"
    environment = server.environment(PGOPTIONS="-c statement_timeout=2s")
    result = subprocess.run(["psql", "-X", "-A", "-t", "-c", "show statement_timeout"],
                            env=environment, capture_output=True, text=True,
                            timeout=CLIENT_TIMEOUT_S, check=True)
    assert result.stdout == "2s\n"


def interrupt(psql, query):
    """Types a query, then Ctrl-C. Until psql has sent the query, the interrupt throws away the line
    instead; when it has cannot be seen from outside, so an early one is tried again, later."""
    for attempt in range(1, 20):
        psql.type(f"{query};\n")
        time.sleep(0.2 * attempt)
        psql.type("\x03")
        if "canceling statement due to user request" in psql.expect(r"ERROR: .*\n|\^C\nshop=\*> "):
            return
    raise AssertionError("the query is not cancelled")


def test_by_hand(server):
    """Typed on a terminal: prompts, a query over two lines, Ctrl-C on a long query, \\q."""
    with Terminal("psql", "-X", "-n", env=server.environment()) as psql:
        psql.expect("shop=> ")
        psql.type("select 40\n")
        psql.expect("shop-> ")
        psql.type("+ 2;\n")
        assert "42" in psql.expect("shop=> ")
        psql.type("begin;\n")
        psql.expect(r"shop=\*> ")  # in a transaction
        interrupt(psql, LONG_QUERY)
        psql.expect(r"shop=!> ")  # in a failed one
        psql.type("rollback;\n")
        psql.expect("ROLLBACK\n")
        psql.expect("shop=> ")
        psql.type("\\timing\n")
        psql.expect("Timing is on.\n")
        psql.type("select nope;\n")
        assert "LINE 1: select nope;\n               ^\n" in psql.expect("Time: .* ms\n")
        psql.type("\\q\n")
        assert psql.exit_status() == 0


def test_describe_and_list_do_not_break_the_session(server):
    """The catalogs behind \\d are not there: an answer or an error, and the session lives on."""
    result = server.psql("\\dt\n\\d nope\n\\l\nselect 1;\n", check=False)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "1"
