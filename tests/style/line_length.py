#!/usr/bin/env python3
"""No line over 100 columns, in code, scripts and prose. Rows of tables may be longer: of Markdown,
of .def and .tsv files, and what clang-format is told to leave alone; statements of .sql files; and
a line whose last word alone does not fit (an address, a string).

    tests/style/line_length.py FILE...
"""
import pathlib
import sys

COLUMNS = 100
TABLES = {".def", ".tsv"}
NAMED_TABLES = {"cmake/arrows.txt"}


def too_long(path, text):
    """[(line number, columns)]"""
    if pathlib.PurePosixPath(path).suffix in TABLES or path in NAMED_TABLES:
        return []
    found, table = [], False
    for number, line in enumerate(text.splitlines(), 1):
        table = (table or "clang-format off" in line) and "clang-format on" not in line
        if table:
            continue
        if len(line) <= COLUMNS or line.lstrip().startswith("|"):
            continue
        if path.endswith(".sql") and not line.startswith("--"):
            continue  # a statement is sent as it stands
        last_break = line.rstrip().rfind(" ")
        if len(line[:last_break].strip()) > 0 and len(line) - last_break < COLUMNS // 2:
            found.append((number, len(line)))
    return found


def check(root, files):
    return [f"{file}:{number}: {columns} columns; {COLUMNS} are allowed"
            for file in files
            for number, columns in too_long(file, (root / file).read_text(errors="replace"))]


def main():
    found = check(pathlib.Path("."), sys.argv[1:])
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
