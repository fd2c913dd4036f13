"""The command line: help, near names, versions, exit codes, completion, the launcher."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = re.findall(r'^CONNBENCH_COMMAND\("([^"]+)"', (ROOT / "harness/cli/commands.def")
                      .read_text(), re.M)
LAUNCHER_COMMANDS = re.findall(r'^CONNBENCH_LAUNCHER_COMMAND\("([^"]+)"',
                               (ROOT / "harness/cli/launcher.def").read_text(), re.M)


def call(*words, **environment):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S, env={**os.environ, **environment})


def test_version_names_commit_and_build(binary):
    result = call(binary, "--version")
    assert result.returncode == 0
    assert re.fullmatch(r"connbench \d+\.\d+\.\d+ \((commit [0-9a-f]{40}( with changes)?|of no "
                        r"commit), release build, .+\)\n", result.stdout), result.stdout


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("words", [[], *[[command] for command in COMMANDS]])
def test_help_fits_the_terminal_and_columns_do_not_collide(binary, words, width):
    result = call(binary, *words, "--help", COLUMNS=str(width))
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    for line in lines:
        # One word (a path, a setting with its value) may be longer than what is left for it.
        assert len(line) <= width or len(line.split()) <= 2 or line.startswith("Usage"), line
    assert not [line for line in lines if re.match(r"  [a-z-]+thread(the|a) ", line)]


def test_help_lists_every_command(binary):
    text = call(binary, "--help").stdout
    for command in COMMANDS + LAUNCHER_COMMANDS:
        assert re.search(rf"^  {command} ", text, re.M), command


@pytest.mark.parametrize("command", COMMANDS)
def test_h_is_help_where_it_is_not_the_host(binary, command):
    result = call(binary, command, "-h")
    if command in ("serve", "load"):  # pgbench's letter
        assert result.returncode == 1
        assert "-h" in result.stderr
    else:
        assert result.returncode == 0
        assert "Usage: connbench " + command in result.stdout


@pytest.mark.parametrize("words, near", [
    (["rnu"], "run"), (["tset"], "test"), (["run", "--modells", "fork"], "--models"),
    (["compare", "--thresold", "3"], "--threshold"), (["serve", "--modle", "fork"], "--model"),
    (["list", "modles"], "models"), (["run", "quik"], "quick"), (["load", "stedy"], "steady"),
    (["serve", "--model", "forc"], "fork"), (["completion", "bsh"], "bash"),
    (["--versio"], "--version"), (["compare", "--by", "model", "--base", "fork",
                                   "results/reference/quick", "--format", "jsn"], '"json"'),
    (["compare", "results/reference/quick", "results/reference/quick", "--metric",
      "throughput_tsp"], '"throughput_tps"'), (["compare", "--thresholds", "x", "--formt", "csv"],
                                               "--format"),
])
def test_near_names(binary, words, near):
    words = [str(ROOT / word) if word.startswith("results/") else word for word in words]
    result = call(binary, *words)
    assert result.returncode == 1, result.stderr
    assert near in result.stderr
    assert words[-1].lstrip("-").split("=")[0] in result.stderr or words[-1] in ("fork", "3", "csv")


@pytest.mark.parametrize("words", [
    ["run", "no/such.toml"], ["doctor", "no/such.toml"], ["load", "no/such.toml"],
    ["load", "-f", "no/such.sql"], ["run", "quick", "--set", "nonsense=1"],
    ["run", "steady", "--models", "forc"], ["compare", "no/such", "no/other"], ["top", "nobody"],
])
def test_no_sqlstate_in_what_a_command_says(binary, words):
    result = call(binary, *words)
    assert result.returncode == 1, result.stderr
    assert not re.search(r"\[[0-9A-Z]{5}\]", result.stderr), result.stderr


def exit_code_rows(text, pattern):
    return [(int(code), re.sub(r"\s+", " ", meaning).strip())
            for code, meaning in re.findall(pattern, text, re.M)]


def test_exit_codes_are_one_table(binary):
    """In README and in the help of every command."""
    readme = exit_code_rows((ROOT / "README.md").read_text(), r"^\| (\d+) \| (.*) \|$")
    assert [code for code, _ in readme] == [0, 1, 2, 3, 4, 5, 130]
    for command in COMMANDS:
        text = call(binary, command, "--help", COLUMNS="160").stdout
        assert exit_code_rows(text[text.index("Exit codes:"):], r"^  (\d+) +(.*)$") == readme


def bash_completions(binary, line):
    script = call(binary, "completion", "bash").stdout
    words = " ".join(f"'{word}'" for word in line.split(" "))
    result = subprocess.run(
        ["bash", "-c", f"{script}\ncompopt() {{ :; }}\nCOMP_WORDS=({words})\n"
         "COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))\n_connbench\nprintf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


@pytest.mark.parametrize("line, some", [
    ("connbench ", {"run", "serve", "gate" if "gate" in COMMANDS else "top", "test", "--version"}),
    ("connbench com", {"compare", "completion"}),
    ("connbench run ", {"quick", "models", "steady"}),
    ("connbench run --mod", {"--models"}),
    ("connbench run --models ", {"fork", "pool-tx"}),
    ("connbench run --targets p", {"postgres"}),
    ("connbench serve --", {"--model", "--port", "--set"}),
    ("connbench serve --model thread-", {"thread-pool", "thread-cached"}),
    ("connbench load -M ", {"simple", "extended", "prepared"}),
    ("connbench list ", {"models", "suites"}),
    ("connbench test ", {"unit", "system"}),
])
def test_bash_completes(binary, line, some):
    assert some <= bash_completions(binary, line)


def test_bash_leaves_files_to_the_shell(binary):
    assert bash_completions(binary, "connbench run no-suite-begins-so") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_read_by_their_shell(binary, shell, tmp_path):
    result = call(binary, "completion", shell)
    assert result.returncode == 0
    for command in COMMANDS + LAUNCHER_COMMANDS:
        assert re.search(rf"\b{command}\b", result.stdout), command
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(result.stdout)
    checked = call(shell, "-n", script)
    assert checked.returncode == 0, checked.stderr


def test_a_list_takes_no_word_that_follows_it(binary):
    dry = call(binary, "run", "--dry-run", "--models", "fork,thread", "quick")
    assert dry.returncode == 0, dry.stderr
    assert {line.split("/")[0] for line in dry.stdout.splitlines()} == {"model:fork",
                                                                        "model:thread"}
    twice = call(binary, "run", "--dry-run", "--models", "fork", "--models", "thread", "quick")
    assert twice.stdout == dry.stdout
    quick = ROOT / "results/reference/quick"
    one = call(binary, "compare", "--metric", "throughput_tps", quick, quick)
    assert one.returncode == 0, one.stderr
    assert "Both sides are one run" in one.stdout


def test_of_one_value_the_last_counts(binary, tmp_path):
    (tmp_path / "one.sql").write_text("SELECT 1;\n")
    result = call(binary, "load", "-p", "1", "-p", "2", "-f", tmp_path / "one.sql", "-T", "1s")
    assert result.returncode == 2, result.stderr
    assert re.search(r"\b2\b", result.stderr), result.stderr


def test_a_number_above_zero_is_asked_for_in_few_words(binary):
    result = call(binary, "load", "-c", "0", "steady")
    assert result.returncode == 1
    assert "above 0" in result.stderr and len(result.stderr) < 200, result.stderr


def test_a_folder_that_holds_a_run_is_refused_before_anything_runs(binary, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    result = call(binary, "run", "steady", "-c", "1", "-T", "1s", "--models", "fork",
                  "-o", tmp_path)
    assert result.returncode == 1, result.stderr
    assert "already holds a run" in result.stderr and "trying" not in result.stderr


@pytest.mark.parametrize("settings, says", [
    (["pgbouncer.pool.nosuch=1"], "a pool of PgBouncer has no setting"),
    (["postgres.port=5"], "set by the harness"), (["postgres.max_connections=2"], "every server"),
])
def test_settings_that_nobody_has_are_refused_before_anything_runs(binary, settings, says):
    result = call(binary, "run", "steady", "--dry-run", *[
        word for setting in settings for word in ("--set", setting)])
    assert result.returncode == 1, result.stdout
    assert says in " ".join(result.stderr.split())


def test_an_unknown_shell(binary):
    result = call(binary, "completion", "tcsh")
    assert result.returncode == 1
    assert "zsh" in result.stderr


@pytest.mark.parametrize("command", LAUNCHER_COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_launcher_help_needs_nothing(command, flag, tmp_path):
    """Neither a package nor a build: with an empty build folder, and installing forbidden."""
    result = call(ROOT / "connbench", command, flag, CONNBENCH_BUILD_ROOT=str(tmp_path / "build"),
                  CONNBENCH_NO_INSTALL="1")
    assert result.returncode == 0, result.stderr
    assert f"Usage: ./connbench {command}" in result.stdout
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("words", [["build", "relese"], ["lint", "--chnged"], ["night", "now"]])
def test_launcher_refuses_what_it_does_not_know(words, tmp_path):
    result = call(ROOT / "connbench", *words, CONNBENCH_BUILD_ROOT=str(tmp_path / "build"))
    assert result.returncode == 1
    assert words[1] in result.stderr and f"./connbench {words[0]} --help" in result.stderr
    assert not (tmp_path / "build").exists()


def input_commands(path):
    """Every command that reads a file which a person names, with that file in every place."""
    return [["load", "-f", path], ["load", f"{path}/"] if pathlib.Path(path).is_dir()
            else ["load", path], ["run", path], ["doctor", path],
            ["compare", "results/reference/quick", "results/reference/quick", "--thresholds", path],
            ["run", "steady", "--targets", f"file:{path}"],
            ["load", "steady", "-R", f"file({path})"]]


@pytest.mark.parametrize("number", range(len(input_commands("/"))))
@pytest.mark.parametrize("path, reason", [("/dev/zero", "is a device"), ("/tmp", "is a directory")])
def test_no_input_file_may_be_a_device_or_a_folder(binary, number, path, reason):
    words = [str(ROOT / word) if word.startswith("results/") else word
             for word in input_commands(path)[number]]
    result = call(binary, *words)
    assert result.returncode == 1, result.stderr
    assert path in result.stderr and reason in result.stderr, result.stderr
    assert "basic_filebuf" not in result.stderr


@pytest.mark.parametrize("file, kind", [("run.json", "/dev/zero"), ("trials.csv", "/dev/zero"),
                                        ("trials.csv", "/tmp")])
def test_no_file_of_a_run_may_be_a_device_or_a_folder(binary, tmp_path, file, kind):
    run = tmp_path / "run"
    shutil.copytree(ROOT / "results/reference/quick", run)
    (run / file).unlink()
    (run / file).symlink_to(kind)
    for command in (["compare", run, run], ["plot", run], ["report", run]):
        result = call(binary, *command)
        assert result.returncode == 1, result.stderr
        assert str(run / file) in result.stderr and "it is a d" in result.stderr, result.stderr


@pytest.mark.parametrize("command", ["plot", "report", "compare"])
def test_what_is_no_run_is_a_wrong_name(binary, tmp_path, command):
    result = call(binary, command, *[tmp_path] * (2 if command == "compare" else 1))
    assert result.returncode == 1, result.stderr
    assert f"{tmp_path} is not a run" in result.stderr


@pytest.mark.parametrize("descriptor", ["999", "1"])
def test_a_control_descriptor_is_a_socket(binary, descriptor):
    result = call(binary, "load", "--control-fd", descriptor)
    assert result.returncode == 1, result.stderr
    assert f"descriptor {descriptor} is " in result.stderr


@pytest.mark.parametrize("words, says", [
    (["-D", "a b=5"], "cannot be the name of a variable"), (["-c", "100000000"], "connections"),
    (["--source-addresses", "99999999"], "source addresses"), (["-U", ""], "nothing is given"),
    (["-d", ""], "nothing is given"), (["-h", ""], "nothing is given"),
])
def test_load_checks_its_flags_before_it_asks_the_server(binary, words, says):
    result = call(binary, "load", "steady", "-p", "1", *words)
    assert result.returncode == 1, result.stderr
    assert says in result.stderr and "refused" not in result.stderr, result.stderr


def test_a_mistake_in_a_script_is_a_wrong_file(binary, tmp_path):
    (tmp_path / "wrong.sql").write_text("\\slep 1\nSELECT 1;\n")
    result = call(binary, "load", "-p", "1", "-f", tmp_path / "wrong.sql")
    assert result.returncode == 1, result.stderr
    assert "wrong.sql:1:1: there is no command \\slep" in result.stderr


def test_compare_names_what_a_broken_run_lacks(binary, tmp_path):
    whole = ROOT / "results/reference/quick"
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    table = run / "trials.csv"
    lines = table.read_text().splitlines(keepends=True)
    # As a run that was killed leaves it: the last row is left out. Else that is loss.
    table.write_text("".join(lines[:-1]) + lines[-1][:len(lines[-1]) // 2])
    lost = call(binary, "compare", whole, run)
    assert lost.returncode == 1
    assert f"it has {len(lines) - 2} trials, and run.json says that {len(lines) - 1} were" in (
        lost.stderr.replace("\n", " "))
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "outcome": "running"}))
    assert call(binary, "compare", whole, run).returncode == 0
    table.write_text("".join([*lines, lines[3]]))
    assert "stands in it twice" in call(binary, "compare", whole, run).stderr
    table.write_text("".join([*lines[:4], lines[4][:len(lines[4]) // 2] + "\n", *lines[5:]]))
    cut = call(binary, "compare", whole, run)
    assert cut.returncode == 1, cut.stdout
    assert f"{table}:5:" in cut.stderr
    table.write_text("")
    assert f"{table}:1:1: the header line is missing" in call(binary, "compare", whole, run).stderr
    table.unlink()
    missing = call(binary, "compare", whole, run)
    assert missing.returncode == 1
    assert str(table) in missing.stderr and "No such file" in missing.stderr


@pytest.mark.parametrize("hosts", ["localhost,,", ",", "127.0.0.1,"])
def test_serve_wants_an_address_between_commas(binary, hosts):
    result = call(binary, "serve", "-p", "0", "-h", hosts)
    assert result.returncode != 0
    assert f'an address is missing in the list "{hosts}"' in result.stderr
