"""Scripts in pgbench's language: what pgbench 15 makes of a script, `connbench load` makes of it,
too. Both run it once against the same PostgreSQL; the last statement of a script writes its
variables down."""
import random
import re
import subprocess

import pytest

from generated import cases, seed

VARIABLES = ["a", "b", "c", "d"]
MODES = ["simple", "extended", "prepared"]
# As -D gives them to both, so that hash() and permute() without a seed agree.
DEFINES = ["-D", "default_seed=5", "-D", "text=abc", "-D", "yes=ye", "-D", "num= 12",
           "-D", "real=1e3", "-D", "big=9223372036854775808"]

# Where connbench differs from pgbench on purpose: a pattern in the script, and why.
ALLOWED = [
    (r"\bcopy\b.*\bto stdout\b", "COPY TO STDOUT is run, and its rows are read and dropped"),
    (r"\\(set)?shell", "a script starts no programs"),
]


@pytest.fixture(scope="module")
def both(binary, postgres, tmp_path_factory):
    reader = postgres.connect()
    reader.execute("create table if not exists written(v text)")
    file = tmp_path_factory.mktemp("scripts") / "script.sql"

    def run(script, mode):
        """[(ran without an error, what it wrote)] of pgbench and of connbench."""
        file.write_text(script)
        answers = []
        for command in (["pgbench", "-n", "-t", "1", "-c", "1", "-M", mode, "-f", file, *DEFINES],
                        [binary, "load", "-q", "-t", "1", "-c", "1", "-M", mode, "-f", file,
                         *DEFINES]):
            reader.execute("truncate written")
            result = postgres.run(*command, check=False)
            wrong = re.search(r"(^|\n)pgbench: error: |[1-9]\d* failed|connbench load: ",
                              result.stdout + result.stderr)
            rows = [row[0] for row in reader.execute("select v from written order by v")]
            answers.append((not wrong, rows, result.stdout + result.stderr))
        return answers

    yield run
    reader.close()


def difference(both, script, mode):
    """What differs, in words; None: nothing does."""
    if any(re.search(pattern, script, re.I) for pattern, _ in ALLOWED):
        return None
    (they_ran, their_rows, they_said), (we_ran, our_rows, we_said) = both(script, mode)
    if they_ran == we_ran and (their_rows == our_rows or not they_ran):
        return None
    return (f"-M {mode}\n{script}\npgbench: {'ran' if they_ran else 'failed'}, wrote {their_rows}\n"
            f"{they_said[:300]}\nconnbench: {'ran' if we_ran else 'failed'}, wrote {our_rows}\n"
            f"{we_said[-300:]}")


def write_down(mode, names=VARIABLES):
    if mode == "simple":
        return "insert into written values ('" + "|".join(f":{name}" for name in names) + "');"
    # pgbench sends the text NULL for a null; connbench a null.
    return ("insert into written values (concat_ws('|', " +
            ", ".join(f"coalesce(:{name}::text, 'NULL')" for name in names) + "));")


def expression(dice, depth=0):
    if depth > 3 or dice.random() < 0.3:
        return dice.choice([
            str(dice.randrange(10)), str(dice.randrange(-5, 100)), "0.5", "1e3", ".25", "7.",
            "1E-2", "9223372036854775807", "-9223372036854775808", "1e308", "true", "FALSE",
            "null", "pi()", *[f":{name}" for name in VARIABLES], ":yes", ":num", ":real"])
    sub = [expression(dice, depth + 1) for _ in range(3)]
    return dice.choice([
        f"({sub[0]} {dice.choice(['+', '-', '*', '/', '%'])} {sub[1]})",
        f"{sub[0]} {dice.choice(['+', '-', '*'])} {sub[1]}",
        f"({sub[0]} {dice.choice(['=', '<>', '!=', '<', '<=', '>', '>='])} {sub[1]})",
        f"({sub[0]} {dice.choice(['and', 'or', 'AND'])} {sub[1]})",
        f"({sub[0]} {dice.choice(['&', '|', '#', '<<', '>>'])} {sub[1]})",
        f"(not {sub[0]})", f"(- {sub[0]})", f"(~ {sub[0]})", f"(+ {sub[0]})",
        f"({sub[0]} is {dice.choice(['null', 'not null', 'true', 'not true', 'false'])})",
        f"({sub[0]} {dice.choice(['isnull', 'notnull'])})",
        f"{dice.choice(['abs', 'int', 'double', 'sqrt', 'ln', 'exp'])}({sub[0]})",
        f"{dice.choice(['greatest', 'least', 'GREATEST'])}"
        f"({', '.join(sub[:dice.randrange(1, 4)])})",
        f"{dice.choice(['mod', 'pow', 'power'])}({sub[0]}, {sub[1]})",
        f"{dice.choice(['hash', 'hash_fnv1a', 'hash_murmur2'])}({sub[0]})",
        f"hash({sub[0]}, {sub[1]})", f"permute({sub[0]}, {dice.randrange(1, 50)})",
        f"permute({sub[0]}, {sub[1]}, {sub[2]})",
        f"case when {sub[0]} then {sub[1]} else {sub[2]} end",
        f"case when {sub[0]} then {sub[1]} end",
    ])


def sql_values(dice):
    return dice.choice([
        f"select {dice.randrange(9)} as {dice.choice(VARIABLES)}",
        f"select null as {dice.choice(VARIABLES)}, 1.50 as {dice.choice(VARIABLES)}",
        f"select 'x y' as {dice.choice(VARIABLES)}", f"select 't' as {dice.choice(VARIABLES)}",
        f"select 1 as {dice.choice(VARIABLES)} where false",
        f"select g as {dice.choice(VARIABLES)} from generate_series(1, {dice.randrange(3)}) g",
        f"select 1 as a\\; select 2 as b, ':' as c", "select 1 as a\\; set work_mem = '4MB'",
        "select 1", "select 1 as \"A b\"",
        f"insert into written values ('{dice.randrange(9)}') returning v as a",
        f"select :{dice.choice(VARIABLES)}::text || '::' as {dice.choice(VARIABLES)}",
    ])


def line(dice, mode):
    kind = dice.random()
    name = dice.choice(VARIABLES)
    if kind < 0.45:
        return [f"\\{dice.choice(['set', 'set', 'SET'])} {name} {expression(dice)}"]
    if kind < 0.65:
        return [
            f"{sql_values(dice)} "
            f"{dice.choice(['@gset', '@gset', '@aset', '@gset p_', ';']).replace('@', chr(92))}"]
    if kind < 0.75:
        return [f"\\if {expression(dice)}", *line(dice, mode), "\\else",
                *line(dice, mode), "\\endif"]
    if kind < 0.8:
        return [dice.choice(["begin;", "commit;", "rollback;", "begin; -- a comment"])]
    if kind < 0.9:
        inside = [f"insert into written values ('p{dice.randrange(9)}');"
                  for _ in range(dice.randrange(3))]
        return ["\\startpipeline", *inside, *(line(dice, mode) if dice.random() < 0.3 else []),
                dice.choice(["\\endpipeline", "\\EndPipeline"])]
    if kind < 0.95:
        return [dice.choice(["\\sleep 1 us", "\\sleep 1 US", "\\sleep :a us", "\\sleep 1us",
                             "\\endif", "\\else", "\\endpipeline", "\\gset", "\\nothing",
                             "\\set a", "\\set 1a 2", "\\if", "copy written from stdin;",
                             "select 1/0;", "select nothing;", "\\elif true", "\\set a 1e400",
                             "\\set a 99999999999999999999", "\\set a :nothing + 1",
                             "\\set a :text", "\\set a :big", "\\endif x"])]
    return [f"select $$ ; :{name} $$, ';', e'\\'; ' /* ; */;"]


def script(dice, mode):
    lines = [f"\\set {name} {i}" for i, name in enumerate(VARIABLES)]
    for _ in range(dice.randrange(1, 5)):
        lines += line(dice, mode)
    return lines + [write_down(mode)]


def smallest(both, lines, mode):
    """Leaves out lines as long as it still differs."""
    i = 0
    while i < len(lines):
        fewer = lines[:i] + lines[i + 1:]
        if fewer and difference(both, "\n".join(fewer) + "\n", mode):
            lines = fewer
        else:
            i += 1
    return difference(both, "\n".join(lines) + "\n", mode)


@pytest.mark.generated
def test_random_scripts_do_what_they_do_in_pgbench(both):
    number = seed()
    dice = random.Random(number)
    for case in range(cases(20)):
        mode = dice.choice(MODES)
        lines = script(dice, mode)
        if difference(both, "\n".join(lines) + "\n", mode):
            pytest.fail(f"seed {number}, case {case}: {smallest(both, lines, mode)}")


# What random scripts seldom meet, and rows of reported faults.
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", [
    "copy written from stdin;",
    "insert into written values ('before');\ncopy written from stdin;\n"
    "insert into written values ('after');",
    "\\sleep -5 ms\n@", "\\sleep -5ms\n@", "\\set a 0 - 5\n\\sleep :a ms\n@", "\\sleep +1 us\n@",
    "\\sleep - 5 ms\n@", ";;;", "insert into written values ('1');;;", ";\n@",
    "begin;\nselect 1;",
    "begin;\ninsert into written values ('x');\ncommit;",
    "select null as a \\gset\ninsert into written values (coalesce(:a::text, 'really null'));",
    "select null as a \\gset\n\\set b :a + 1",
    "select 1 as a \\gset\nselect 7 as a where false \\aset\n@",
    "select 1 as a\\; select 2 as b, 3 as a \\aset\n@",
    "select 1 as a\\; select 2 as b \\gset\n@",
    "select 1 as a \\gset p_\n\\set a :p_a\n@",
    "select 1 \\gset",
    "\\startpipeline\ninsert into written values ('1');\ninsert into written values ('2');\n"
    "\\endpipeline\n@",
    "\\startpipeline\n\\endpipeline\n@",
    "\\startpipeline\nselect 1;\nselect 1/0;\ninsert into written values ('1');\n\\endpipeline",
    "\\startpipeline\nselect 1;",
    "\\startpipeline\n\\startpipeline\nselect 1;\n\\endpipeline",
    "\\endpipeline",
    "\\startpipeline\nselect 1 as a \\gset\n\\endpipeline",
    "\\startpipeline\nbegin;\ninsert into written values ('1');\ncommit;\n\\endpipeline\n@",
    "\\startpipeline\ncopy written from stdin;\n\\endpipeline",
    "\\startpipeline\ncopy written from stdin;\nselect 1;\n\\endpipeline",
    "\\set a 1e400\n@", "\\set a 1e-400\n@", "\\set a 9223372036854775808\n@",
    "\\set a -9223372036854775808\n@", "\\set a 0x10\n@", "\\set a 010\n@", "\\set a 1e308 * 10\n@",
    "\\set a -(1e308 * 10)\n@", "\\set a 0.1 + 0.2\n@", "\\set a 1 / 3.0\n@",
    "\\set a int(1e19)\n@",
    "\\set a :num + 1\n@", "\\set a :real\n@", "\\set a :big\n@", "\\set a :yes\n@",
])
def test_scripts_do_what_they_do_in_pgbench(both, mode, text):
    start = "".join(f"\\set {name} {i}\n" for i, name in enumerate(VARIABLES))
    complaint = difference(both, start + text.replace("@", write_down(mode)) + "\n", mode)
    assert complaint is None, complaint


@pytest.mark.parametrize("mode", ["extended", "prepared"])
def test_a_copy_in_a_script_fails_at_once_and_says_why(binary, server, tmp_path, mode):
    (tmp_path / "copy.sql").write_text(
        "drop table if exists copied;\ncreate table copied(a int);\ncopy copied from stdin;\n")
    result = server.run(binary, "load", "-q", "-t", "1", "-M", mode, "-f", tmp_path / "copy.sql",
                        "--statement-timeout", "100s", check=False)
    assert result.returncode == 2
    assert "COPY FROM STDIN is not possible in a script" in result.stdout, result.stdout


def test_a_script_may_come_through_a_pipe(binary, server):
    result = server.run(binary, "load", "-q", "-t", "5", "-f", "/dev/stdin@2", check=False,
                        input="select 1;\nselect 2;\n")
    assert "5 = 5 ok + 0 failed" in result.stdout, result.stdout + result.stderr


def test_statements_that_fail_make_the_load_fail(binary, server, tmp_path):
    """pgbench's clients abort at once. These go on, and the exit code says that work was lost."""
    (tmp_path / "half.sql").write_text("\\set r random(1, 2)\nselect 1 / (:r - 1);\n")
    result = server.run(binary, "load", "-q", "-t", "100", "-f", tmp_path / "half.sql", check=False)
    assert result.returncode == 2, result.stdout
    assert "22012" in result.stdout, result.stdout


def test_pipelines_work_on_every_kind_of_server(binary, server, tmp_path):
    (tmp_path / "pipe.sql").write_text(
        "\\startpipeline\nselect 1;\nselect 2;\nselect 3;\n\\endpipeline\nselect 4;\n")
    result = server.run(binary, "load", "-q", "-t", "50", "-c", "4", "-M", "prepared", "-f",
                        tmp_path / "pipe.sql", check=False)
    assert "200 = 200 ok + 0 failed" in result.stdout, result.stdout + result.stderr


# Flags that both have, and values. connbench refuses more: nothing may follow a number, and
# durations have units.
FLAGS = ["-c", "-j", "-t", "-T", "-P", "-s", "-L", "-R"]
VALUES = ["0", "-1", "010", "5", "0x10", "1e400", "nan", "inf", "", "5x", "99999999999999999999",
          "9223372036854775807"]
STRICTER = {
    "nan": "pgbench reads it with atof", "inf": "pgbench reads it with atof", "1e400": "as inf",
    "0x10": "pgbench reads it with atof", "5x": "pgbench stops at the x",
    "99999999999999999999": "a rate and a limit have a maximum",
    "9223372036854775807": "a rate and a limit have a maximum",
}


@pytest.mark.parametrize("flag", FLAGS)
def test_numbers_are_refused_and_read_as_by_pgbench(binary, postgres, tmp_path, flag):
    (tmp_path / "s.sql").write_text("select 1;\n")
    nobody = ["-h", "127.0.0.1", "-p", "1", "-f", str(tmp_path / "s.sql")]
    for value in VALUES:
        theirs = postgres.run("pgbench", "-n", *nobody, flag, value, check=False)
        ours = postgres.run(binary, "load", "-q", *nobody, flag, value, check=False)
        they_refuse = "connection to server" not in theirs.stderr
        we_refuse = ours.returncode == 1
        if they_refuse != we_refuse and not (we_refuse and value in STRICTER):
            pytest.fail(
                f"{flag} {value!r}: pgbench {theirs.stderr}\n"
                f"connbench {ours.returncode} {ours.stderr}")


@pytest.mark.parametrize("flags, word", [
    (["-t", "5", "-T", "1"], "both -t and -T"),
    (["-T", "0"], "-T"),
    (["-T", "0.0s"], "-T"),
    (["-C", "--pattern", "steady"], "churn"),
    (["--reconnect", "2", "--transactions-per-connection", "3"], "--reconnect"),
    (["-C", "-t", "5"], "-t"),
    (["-R", "0"], "always 0"),
    (["-L", "0"], "-L"),
    (["--seed", ""], "--seed"),
    (["-D", "a="], "-D"),
    (["-D", "=1"], "-D"),
    (["--seed", "-1"], "--seed"),
    (["--ladder", "5,0x10"], "--ladder"),
    (["--statement-timeout", "0"], "--statement-timeout"),
    (["--connect-timeout", "nan"], "--connect-timeout"),
    (["-p", "0"], "--port"),
    (["-p", "70000"], "--port"),
    (["-c", "100001"], "100000"),
    (["--active", "-1"], "--active"),
    (["--queue-limit", "0"], "--queue-limit"),
    (["--source-addresses", "0"], "--source-addresses"),
    (["--cpu-affinity", "0x1"], "0x1"),
    (["-P", "010x"], "--progress"),
    (["-R", ""], "-R"),
    (["--connect-rate", ""], "--connect-rate"),
])
def test_flags_that_mean_nothing_are_refused(binary, tmp_path, flags, word):
    (tmp_path / "s.sql").write_text("select 1;\n")
    result = subprocess.run([binary, "load", "-f", tmp_path / "s.sql", *flags], capture_output=True,
                            text=True, timeout=60)
    assert result.returncode == 1, result.stderr
    assert word in result.stderr, result.stderr


@pytest.mark.parametrize("weight", ["9223372036854775807",
                         "2147483648", "-1", "0x5", "1.5", "", "5 "])
def test_weights_of_scripts_have_bounds(binary, tmp_path, weight):
    (tmp_path / "s.sql").write_text("select 1;\n")
    result = subprocess.run([binary, "load", "-f", f"{tmp_path}/s.sql@{weight}"],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 1, result.stderr
    assert "weight" in result.stderr


def test_a_port_in_the_environment_is_checked(binary, postgres, tmp_path):
    (tmp_path / "s.sql").write_text("select 1;\n")
    for port in ("abc", "0", "5432x", "70000"):
        result = subprocess.run([binary, "load", "-f", tmp_path / "s.sql"], capture_output=True,
                                text=True, timeout=60,
                                env={**postgres.environment(), "PGPORT": port})
        assert result.returncode == 1 and "PGPORT" in result.stderr, result.stderr
