#!/usr/bin/env python3
"""Checks every #include of the tree against cmake/arrows.txt. Prints each breach as file:line.

    tests/style/arrows.py [ROOT]
"""
import pathlib
import re
import sys

TABLE = "cmake/arrows.txt"
# The order of the top folders, to which tests are held: a folder includes only what stands before
# it.
TOP = ["base", "engine", "protocol", "models", "results", "plots", "harness", "tests"]
TEST_FILE = re.compile(r"(^|/)(testing|conformance|tests|benchmarks)/|_(test|fuzzer|benchmark)\.cc$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def read_table(text):
    """{part: set of parts}; ValueError names the line of a row that cannot be right."""
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        part, colon, allowed = line.partition(":")
        if not colon or part in rows:
            raise ValueError(f"{TABLE}:{number}: not 'part: parts', or a second row for {part}")
        rows[part] = set(allowed.split())
        for name in rows[part] - set(rows):
            raise ValueError(f"{TABLE}:{number}: {name} has no row above this one")
    return rows


def part_of(path, rows):
    """The longest part that the file belongs to, or None."""
    names = [path] + [str(parent) for parent in pathlib.PurePosixPath(path).parents]
    return next((name for name in names if name in rows), None)


def breaches_of(path, text, rows):
    """[(line number, what is wrong)] of one file."""
    found = []
    top = path.split("/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or "/" not in match.group(1):
            continue  # a header that the build makes
        other = match.group(1)
        if TEST_FILE.search(path):
            if other.split("/")[0] in TOP and TOP.index(other.split("/")[0]) > TOP.index(top):
                found.append((number, f"{top} may not include {other}, not even in a test"))
            continue
        if TEST_FILE.search(other):
            found.append((number, f"{other} is for tests only"))
            continue
        part, target = part_of(path, rows), part_of(other, rows)
        if part is None or target is None:
            missing = path if part is None else other
            found.append((number, f"{missing} belongs to no part of {TABLE}: add a row"))
        elif part != target and target not in rows[part]:
            found.append((number, f"{part} may not include {target} ({TABLE})"))
    return found


def check(root, files):
    """All breaches of the named files, as lines "file:number: what"."""
    try:
        rows = read_table((root / TABLE).read_text())
    except ValueError as error:
        return [str(error)]
    return [f"{path}:{number}: {what}"
            for path in files
            for number, what in breaches_of(path, (root / path).read_text(), rows)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = sorted(str(path.relative_to(root))
                   for top in TOP for ending in ("cc", "h")
                   for path in (root / top).rglob(f"*.{ending}"))
    found = check(root, files)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
