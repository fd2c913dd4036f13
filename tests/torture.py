#!/usr/bin/env python3
"""Runs the random tests with many cases: what `./connbench test` does briefly, for as long as you
like.

  tests/torture.py BUILD_FOLDER [FACTOR] [--seed N]

Every GoogleTest suite whose name ends with Generated and every pytest marked `generated` makes
FACTOR times as many cases as in `./connbench test` (CONNBENCH_TORTURE_FACTOR), from another seed
each time (CONNBENCH_SEED; it is printed, and a failure prints it again). Exit status: 0 no failure,
1 a failure. """
import argparse
import json
import os
import pathlib
import secrets
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILTER = "*Generated*"


def programs(build):
    """The test programs that have generated suites."""
    shown = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                           capture_output=True, text=True)
    commands = {test["command"][0] for test in json.loads(shown.stdout)["tests"]
                if test.get("command") and test["name"].split(".")[0].endswith("_test")}
    for command in sorted(commands):
        listed = subprocess.run([command, "--gtest_list_tests", f"--gtest_filter={FILTER}"],
                                check=False, capture_output=True, text=True)
        if any(line.startswith("  ") for line in listed.stdout.splitlines()):
            yield command


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("factor", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    arguments = parser.parse_args()
    if arguments.factor < 1:
        parser.error("FACTOR is 1 or more")
    environment = dict(os.environ, CONNBENCH_TORTURE_FACTOR=str(arguments.factor),
                       CONNBENCH_SEED=str(arguments.seed))
    print(f"torture: factor {arguments.factor}, seed {arguments.seed}", flush=True)
    runs = [[program, f"--gtest_filter={FILTER}", "--gtest_brief=1"]
            for program in programs(arguments.build)]
    # Debian's own python3: python3-pytest and python3-psycopg belong to it.
    runs.append(["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfE",
                 "-m", "generated", str(ROOT / "tests/system"),
                 "--connbench", str(arguments.build / "harness/connbench")])
    failed = [run[0] for run in runs
              if subprocess.run(run, env=environment, check=False).returncode != 0]
    print(f"{len(runs) - len(failed)} passed, {len(failed)} failed")
    for program in failed:
        print(f"torture: failed: {program} (CONNBENCH_SEED={arguments.seed})", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
