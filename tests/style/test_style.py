"""The checks of style find a violation that is planted, and nothing in a tree without one."""
import pathlib

import arrows
import line_length
import walks

ROOT = pathlib.Path(__file__).resolve().parents[2]

TABLE = """
base:
engine/config.h: base
engine/segment: base engine/config.h
engine: base engine/config.h engine/segment
protocol: base engine
"""


def breaches(path, *includes):
    text = "".join(f'#include "{include}"\n' for include in includes)
    return [what for _, what in arrows.breaches_of(path, text, arrows.read_table(TABLE))]


def test_allowed_includes_are_accepted():
    assert breaches("engine/segment/latch.cc", "base/status.h", "engine/config.h",
                    "engine/segment/latch.h", "build_info.h") == []
    assert breaches("protocol/codec.cc", "engine/engine.h") == []


def test_an_arrow_that_points_the_wrong_way_is_found():
    assert breaches("engine/engine.cc", "protocol/codec.h") == [
        "engine may not include protocol (cmake/arrows.txt)"]
    assert breaches("engine/segment/latch.cc", "engine/engine.h") == [
        "engine/segment may not include engine (cmake/arrows.txt)"]
    assert breaches("protocol/codec.cc", "engine/segment/latch.h")


def test_a_folder_without_a_row_is_found():
    assert breaches("engine/segment/latch.cc", "results/writer.h") == [
        "results/writer.h belongs to no part of cmake/arrows.txt: add a row"]


def test_what_is_for_tests_is_not_included_elsewhere():
    assert breaches("protocol/codec.cc", "engine/testing/world.h") == [
        "engine/testing/world.h is for tests only"]
    assert breaches("protocol/codec_test.cc", "engine/testing/world.h") == []


def test_tests_keep_the_order_of_the_top_folders():
    assert breaches("engine/segment/latch_test.cc", "protocol/codec.h")


def test_a_row_that_cannot_be_right_is_refused():
    for bad in ("base:\nbase:\n", "base protocol\n", "engine: base\n"):
        try:
            arrows.read_table(bad)
        except ValueError as error:
            assert "cmake/arrows.txt:" in str(error)
        else:
            raise AssertionError(f"accepted: {bad}")


def test_long_lines_are_found_but_not_rows_of_tables():
    words = "word " * 25
    assert line_length.too_long("a.md", words) == [(1, len(words))]
    assert line_length.too_long("a.cc", "// " + words)
    assert line_length.too_long("a.md", "| " + words) == []
    assert line_length.too_long("a.def", words) == []
    assert line_length.too_long("a.md", "x" * 200) == []
    assert line_length.too_long("a.md", "y" * 100) == []


def test_a_walk_that_is_no_longer_true_is_found(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.cc").write_text("int Serve() { return 1; }\n")
    step = "{}. `a/b.cc`, `Serve`: serves.\n"
    page = tmp_path / walks.PAGE
    page.write_text("## Walk 1\n\n" + "".join(step.format(i) for i in range(1, 9)))
    assert walks.check(tmp_path) == []
    page.write_text(page.read_text() + "9. `a/b.cc`, `Gone`: is gone.\n")
    assert walks.check(tmp_path) == ["docs/architecture.md:11: a/b.cc has no Gone"]
    page.write_text("## Walk 1\n\n" + step.format(1) * 8 + "1. `a/gone.cc`, `Serve`: is gone.\n")
    assert walks.check(tmp_path) == ["docs/architecture.md:11: there is no a/gone.cc"]
    page.write_text("## Walk 1\n\n1. `a/b.cc`, `Serve`: is all.\n")
    assert walks.check(tmp_path) == ["docs/architecture.md:1: Walk 1 has fewer than 8 steps"]


def test_the_tree_itself_keeps_its_walks():
    assert walks.check(ROOT) == []
