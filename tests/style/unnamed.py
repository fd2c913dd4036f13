#!/usr/bin/env python3
"""Sanitizer builds compile several sources of a target as one (cmake/precompiled.cmake), and which
ones stand together differs from build to build. So what sources of one target name in unnamed
namespaces, or as static, must differ. Prints each second definition as file:line.

    tests/style/unnamed.py [ROOT]

It reads layout, not C++: the definitions that begin in column 1.
"""
import pathlib
import re
import sys

TARGET = re.compile(r"^ *(?:connbench_(?:library|test|program)|target_sources)\((\S+)([^)]*)\)",
                    re.M)
LISTS = ("SOURCES", "THREADED", "PRIVATE")
FOUND = "${sources}"  # a folder's sources, but what only tests or other programs link
NOT_FOUND = re.compile(r"(^|/)(testing|programs|conformance)/|_(test|fuzzer)\.cc$")
OPENING = re.compile(r"^namespace (\S*) ?\{")
CLOSING = re.compile(r"^\}  // namespace")
TYPE = re.compile(r"^(?:struct|class|union|enum class|enum) (?:alignas\(\S+\) |\[\[\w+\]\] )*(\w+)"
                  r"\b(?! *;)")
VARIABLE = re.compile(r"^(?:[\w:<>,*& ]|\(\))+?[ *&](\w+)(?:\[[^\]]*\])*(?: =|;|\{)")
FUNCTION = re.compile(r"^[\w:<>,*& \[\]]+?[ *&](\w+)\(")
TEST = re.compile(r"^TYPED_TEST_P|^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+), *(\w+)")
NOT_A_DEFINITION = re.compile(r"^(?:namespace|using|static_assert|template|extern|friend|return"
                              r"|(?:struct|class|union) \w+;|INSTANTIATE|BENCHMARK|[A-Z_]+\()")


def targets_of(cmake, folder):
    """[(target, [path of a source])] of the text of folder/CMakeLists.txt"""
    found = []
    for name, body in TARGET.findall(cmake):
        sources, reading = [], False
        for word in body.split():
            if word.isupper():
                reading = word in LISTS
            elif reading and word == FOUND:
                inside = [str(path.relative_to(folder)) for path in sorted(folder.glob("**/*.cc"))]
                sources += [path for path in inside if not NOT_FOUND.search(path)]
            elif reading and word.endswith(".cc"):
                sources.append(word)
        found.append((name, [folder / source for source in sources]))
    return found


def parameter_types(text):
    """The types of a parameter list, which stands at the beginning of the text."""
    depth, parts, part = 0, [], ""
    for letter in text:
        depth += (letter in "(<{[") - (letter in ")>}]")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    types = []
    for part in [*parts, part]:
        part = re.sub(r" = .*", "", " ".join(part.split()))
        types.append(re.sub(r"([*&> ])\w+$", r"\1", part).strip())
    return ", ".join(types)


def names_of(text):
    """[(line number, what may be defined once in a batch)]"""
    lines, found, spaces = text.splitlines(), [], []
    for at, line in enumerate(lines):
        opening = OPENING.match(line)
        if opening:
            spaces.append(opening[1])
            continue
        if CLOSING.match(line):
            if spaces:
                spaces.pop()
            continue
        test = TEST.match(line)
        if test and test[1]:
            found.append((at + 1, f"test {test[1]}.{test[2]}"))
            continue
        static = line.startswith("static ")
        if not ("" in spaces or static) or not line[:1].isalpha() or NOT_A_DEFINITION.match(line):
            continue
        if at and lines[at - 1].startswith("template"):
            continue
        inside = "::".join(space for space in spaces if space)
        function, named = FUNCTION.match(line), TYPE.match(line)
        if named:
            found.append((at + 1, f"{inside}::{named[1]}"))
        elif function and "=" not in line[:function.start(1)]:
            rest = line[function.end():] + " ".join(lines[at + 1:at + 12])
            found.append((at + 1, f"{inside}::{function[1]}({parameter_types(rest)})"))
        elif VARIABLE.match(line):
            found.append((at + 1, f"{inside}::{VARIABLE.match(line)[1]}"))
    return found


def breaches_of(sources):
    """sources: {path: text} of one target."""
    first, found = {}, []
    for path, text in sources.items():
        for number, name in names_of(text):
            other = first.setdefault(name, f"{path}:{number}")
            if not other.startswith(f"{path}:"):
                found.append(f"{path}:{number}: {name} is defined at {other} too, in the same "
                             "target: name them apart")
    return found


def check(root):
    targets = {}
    for page in sorted(root.glob("[a-z]*/**/CMakeLists.txt")):
        if page.relative_to(root).parts[0] == "build":
            continue
        for name, files in targets_of(page.read_text(), page.parent):
            texts = targets.setdefault(name, {})
            for file in files:
                if file.is_file():
                    texts[str(file.relative_to(root))] = file.read_text()
    if not any(targets.values()):
        return ["cmake/precompiled.cmake:1: no target was read"]
    return [line for texts in targets.values() for line in breaches_of(texts)]


def main():
    found = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
