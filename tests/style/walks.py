#!/usr/bin/env python3
"""Keeps the two walks of docs/architecture.md true: each step names a file first, which must exist,
and then functions or classes, each of which must occur in that file. Prints each breach as
file:line.

    tests/style/walks.py [ROOT]
"""
import pathlib
import re
import sys

PAGE = "docs/architecture.md"
STEP = re.compile(r"^\d+\. ")
NAME = re.compile(r"`([^`]+)`")
FEWEST_STEPS = 8  # a walk that has lost its steps is no walk


def steps_of(page):
    """[(walk, line number, text of the step)]"""
    steps, walk = [], None
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("## "):
            walk = line if line.startswith("## Walk") else None
        elif walk and STEP.match(line):
            steps.append([walk, number, line])
        elif walk and steps and line.startswith("   "):
            steps[-1][2] += " " + line.strip()
    return steps


def check(root):
    page = (root / PAGE).read_text()
    steps, found = steps_of(page), []
    walks = {line for line in page.splitlines() if line.startswith("## Walk")}
    for walk in sorted(walks) or ["## Walk"]:
        if sum(step[0] == walk for step in steps) < FEWEST_STEPS:
            found.append(f"{PAGE}:1: {walk[3:]} has fewer than {FEWEST_STEPS} steps")
    for _, number, text in steps:
        names = NAME.findall(text)
        if not names or "/" not in names[0]:
            found.append(f"{PAGE}:{number}: a step begins with its file")
            continue
        file = root / names[0]
        if not file.is_file():
            found.append(f"{PAGE}:{number}: there is no {names[0]}")
            continue
        code = file.read_text()
        for name in names[1:2]:
            if not re.search(rf"\b{re.escape(name)}\b", code):
                found.append(f"{PAGE}:{number}: {names[0]} has no {name}")
    return found


def main():
    found = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
