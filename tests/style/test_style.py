"""The checks of style find a violation that is planted, and nothing in a tree without one."""
import pathlib

import arrows
import line_length
import unnamed
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


def space(body):
    return ("namespace connbench {\nnamespace {\n\n" + body +
            "\n}  // namespace\n}  // namespace connbench\n")


def doubled(one, other):
    return [line.split(" is defined")[0] for line in
            unnamed.breaches_of({"a.cc": one, "b.cc": other})]


def test_a_name_that_two_sources_of_one_target_define_is_found():
    for body, name in (("constexpr int64_t kMs = 1;", "connbench::kMs"),
                       ("constexpr auto kAll = std::to_array<X>({", "connbench::kAll"),
                       ("constexpr Name kNames[] = {", "connbench::kNames"),
                       ("struct Case {", "connbench::Case"),
                       ("enum class Kind : uint8_t { kA };", "connbench::Kind"),
                       ("std::string Text(const Run& run) {", "connbench::Text(const Run&)")):
        assert doubled(space(body), space(body)) == [f"b.cc:4: {name}"]
    assert doubled("static void Stop(int) {}", "static void Stop(int) {}")
    assert doubled("TEST(Suite, One) {", "TEST_F(Suite, One) {") == ["b.cc:1: test Suite.One"]


def test_names_that_may_meet_are_accepted():
    assert doubled(space("int Add(int a, int b) {"), space("int Add(int a, double b) {")) == []
    assert doubled(space("struct One;"), space("struct One;")) == []
    assert doubled("int Add(int a) {", "int Add(int a) {") == []
    assert doubled(space("  int kIndented = 1;"), space("  int kIndented = 1;")) == []


def test_sources_are_found_in_every_way_in_which_targets_name_them(tmp_path):
    for name in ("a.cc", "sub/b.cc", "sub/b_test.cc", "testing/c.cc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    text = ("connbench_library(x\n  SOURCES a.cc\n  USES y)\n"
            "connbench_test(t SOURCES s.cc THREADED u.cc USES x)\n"
            "target_sources(x PRIVATE d.cc e.cc)\nconnbench_library(m SOURCES ${sources} USES x)\n")
    assert [(name, [str(file.relative_to(tmp_path)) for file in files])
            for name, files in unnamed.targets_of(text, tmp_path)] == [
        ("x", ["a.cc"]), ("t", ["s.cc", "u.cc"]), ("x", ["d.cc", "e.cc"]),
        ("m", ["a.cc", "sub/b.cc"])]


def test_a_tree_without_targets_is_no_success(tmp_path):
    assert unnamed.check(tmp_path)
