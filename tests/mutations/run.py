#!/usr/bin/env python3
"""Proves that the tests notice the mistakes that spoil measurements: each patch in this folder puts
one in on purpose, and the test that it names must then fail.

  tests/mutations/run.py [--build FOLDER] [NAME...]      all mutations, or those named

A patch opens with three lines: `mistake:` in words, `program:` the test program, and `killed by:`
the names of tests in it, with colons between; each of them must fail. All work is done in a copy of
the tree (FOLDER/tree) with a build of its own: first every named test must pass without a mistake;
then each patch is applied without fuzz, the one program is built, and the tests must fail by an
assertion of theirs. Then the patch is taken out again.

Exit status: 0 every mutation was killed; 1 one survived; 2 a patch does not apply or compile, names
a test that does not exist, or a test fails without any mutation.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(__file__).resolve().parent
TEST_SECONDS = 120  # a mutant that hangs is one that no assertion has caught


class Broken(Exception):
    """The mutation says nothing about the tests: it, or the tree, has to be mended."""


class Mutation:
    def __init__(self, path):
        self.name = path.stem
        self.path = path
        fields = {}
        for line in path.read_text().split("\n\n", 1)[0].splitlines():
            key, _, value = line.partition(": ")
            fields[key] = value.strip()
        try:
            self.mistake = fields["mistake"]
            self.program = fields["program"]
            self.filter = fields["killed by"]
        except KeyError as missing:
            raise Broken(f"{path}: no line \"{missing.args[0]}:\" at its top") from None


def run(command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)


class Tree:
    """The copy that is changed, and its build."""

    def __init__(self, folder):
        self.source = folder / "tree"
        self.build = self.source / "build" / "release"

    def make(self):
        files = run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"])
        kept = set()
        for name in files.stdout.splitlines():
            if not (ROOT / name).is_file():
                continue
            kept.add(self.source / name)
            self.copy(ROOT / name, self.source / name)
        for old in self.source.rglob("*"):
            if old.is_file() and self.build.parent not in old.parents and old not in kept:
                old.unlink()
        made = run(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                    "-DCONNBENCH_BUILD=release", "-DCONNBENCH_TESTS=ON"])
        if made.returncode != 0:
            raise Broken(f"configuring failed:\n{made.stdout[-2000:]}")

    @staticmethod
    def copy(source, target):
        # Only what differs, so that ninja builds again only what has changed.
        if target.is_file() and target.read_bytes() == source.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)

    def compile(self, programs):
        built = run(["ninja", "-C", self.build, *sorted(programs)])
        if built.returncode != 0:
            raise Broken(f"does not compile:\n{built.stdout[-3000:]}")

    def patch(self, mutation, *options):
        done = run(["patch", "--batch", "--fuzz=0", "--no-backup-if-mismatch", "-p1", "-d",
                    self.source, "-i", mutation.path, *options])
        if done.returncode != 0:
            raise Broken(f"the patch does not apply:\n{done.stdout}")

    def test(self, mutation):
        """Tests that failed by an assertion; Broken if one that is named does not exist."""
        program = next((path for path in self.build.rglob(mutation.program)
                        if path.is_file()), None)
        if program is None:
            raise Broken(f"no program {mutation.program}")
        for pattern in mutation.filter.split(":"):
            listed = run([program, "--gtest_list_tests", f"--gtest_filter={pattern}"])
            if not any(line.startswith("  ") for line in listed.stdout.splitlines()):
                raise Broken(f"{mutation.program} has no test {pattern}")
        try:
            ran = run([program, f"--gtest_filter={mutation.filter}"], timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            raise Broken(f"the tests did not end within {TEST_SECONDS} s") from None
        failed = {line.split("]", 1)[1].split()[0].rstrip(",") for line in ran.stdout.splitlines()
                  if line.startswith("[  FAILED  ]") and "listed below" not in line
                  and line.split("]", 1)[1].strip()}
        if ran.returncode == 0:
            return []
        if not failed:
            raise Broken(f"the tests ended with {ran.returncode} and no failed assertion:\n"
                         f"{ran.stdout[-2000:]}")
        return sorted(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutations")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    known = {path.stem: path for path in sorted(FOLDER.glob("*.patch"))}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        print(f"no mutation {unknown[0]}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        mutations = [Mutation(known[name]) for name in options.names or known]
        tree = Tree(options.build)
        tree.make()
        tree.compile({mutation.program for mutation in mutations})
        for program in sorted({mutation.program for mutation in mutations}):
            unmutated = Mutation.__new__(Mutation)
            unmutated.program = program
            unmutated.filter = ":".join(sorted({test for mutation in mutations
                                                if mutation.program == program
                                                for test in mutation.filter.split(":")}))
            if failed := tree.test(unmutated):
                raise Broken(f"without any mutation {program} fails: {', '.join(failed)}")
    except Broken as problem:
        print(problem, file=sys.stderr)
        return 2
    survived, broken = [], []
    for mutation in mutations:
        began = time.monotonic()
        applied = False
        try:
            tree.patch(mutation)
            applied = True
            tree.compile({mutation.program})
            failed = tree.test(mutation)
            blind = sorted(set(mutation.filter.split(":")) - set(failed))
            if blind:
                survived.append(mutation.name)
            result = (f"SURVIVED {', '.join(blind)}" if blind else f"killed by {', '.join(failed)}")
        except Broken as problem:
            broken.append(mutation.name)
            result = f"BROKEN: {problem}"
        finally:
            if applied:
                tree.patch(mutation, "--reverse")
        print(f"{mutation.name}: {result} ({time.monotonic() - began:.0f} s)\n"
              f"    {mutation.mistake}", flush=True)
    print(f"{len(mutations) - len(survived) - len(broken)} of {len(mutations)} mutations killed, "
          f"{len(survived)} survived, {len(broken)} broken")
    return 2 if broken else 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
