"""connbench plot: what it draws, and what it says about what it cannot draw."""
import csv
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

from servers import CLIENT_TIMEOUT_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICK = ROOT / "results/reference/quick"
MODELS = ROOT / "results/reference/models"


def plot(binary, *words, **environment):
    return subprocess.run([str(binary), "plot", *map(str, words)], capture_output=True, text=True,
                          timeout=CLIENT_TIMEOUT_S, env={**os.environ, **environment})


def change_trials(run, tmp_path, change):
    """A copy of the run whose trials are those that `change` returns for each row."""
    copy = tmp_path / "changed"
    shutil.copytree(run, copy)
    with open(copy / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    changed = [new for row in rows for new in change(dict(row))]
    with open(copy / "trials.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(changed)
    return copy


def test_every_model_has_a_family():
    """So that a new model does not look like another company's server."""
    models = re.findall(r'^CONNBENCH_MODEL\("([^"]+)"', (ROOT / "models/models.def").read_text(),
                        re.M)
    families = re.findall(r'^CONNBENCH_FAMILY\("([^"]+)"',
                          (ROOT / "plots/families.def").read_text(), re.M)
    assert sorted(models) == sorted(families)


def test_one_chart_for_a_column_of_a_paper(binary, tmp_path):
    result = plot(binary, "memory", MODELS, "--theme", "paper", "--size", "84mm", "-o",
                  tmp_path / "memory.pdf")
    assert result.returncode == 0, result.stderr
    pdf = (tmp_path / "memory.pdf").read_bytes()
    width, height = map(float, re.search(rb"/MediaBox \[ ?0 0 ([0-9.]+) ([0-9.]+)",
                                         pdf).groups())
    assert abs(width - 84 / 25.4 * 72) < 1
    assert 0.5 * width < height < 2.5 * width
    script = (tmp_path / "memory.gp").read_text()
    assert str(tmp_path) not in script
    for model in ("fork", "pool-tx", "reactor-uring"):
        assert model in script
    drawn = subprocess.run(["gnuplot", "-e", "format='svg'", "memory.gp"], cwd=tmp_path)
    assert drawn.returncode == 0 and (tmp_path / "memory.svg").exists()


def test_the_words_of_a_pdf_have_the_size_that_they_were_placed_for(binary, tmp_path):
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed (package poppler-utils)")
    assert plot(binary, "memory", MODELS, "--theme", "paper", "--size", "84mm", "-o",
                tmp_path / "memory.pdf").returncode == 0
    page = subprocess.run(["pdftotext", "-bbox", tmp_path / "memory.pdf", "-"],
                          capture_output=True, text=True, check=True).stdout
    page_width = float(re.search(r'<page width="([0-9.]+)"', page).group(1))
    words = [(float(left), float(right), word) for left, right, word in re.findall(
        r'<word xMin="([-0-9.]+)" yMin="[-0-9.]+" xMax="([-0-9.]+)" yMax="[-0-9.]+">([^<]+)', page)]
    assert len(words) > 50
    assert all(0 <= left and right <= page_width for left, right, _ in words)
    # The title is 8.9 pt of DejaVu Sans Bold.
    left, right = next((left, right) for left, right, word in words if word == "Memory")
    assert 35 < right - left < 45


def test_size_font_theme_title_and_formats(binary, tmp_path):
    result = plot(binary, "throughput-steady", QUICK, "--size", "500x400", "--font",
                  "DejaVu Serif,9pt", "--theme", "dark", "--title", "A <title> of & my own",
                  "--format", "svg,png", "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(tmp_path / f"throughput-steady.{suffix}")
                                     for suffix in ("svg", "png")]
    svg = (tmp_path / "throughput-steady.svg").read_text()
    assert "A &lt;title" in svg and "DejaVu Serif" in svg and "#15181c" in svg
    assert 'font-weight="bold"' in svg
    assert 'data-contender="fork"' in svg
    png = (tmp_path / "throughput-steady.png").read_bytes()
    assert struct.unpack(">I", png[16:20])[0] == 1000


def test_several_runs_share_a_picture(binary, tmp_path):
    result = plot(binary, "throughput-steady", QUICK, MODELS, "--filter", "model:(fork|thread)/",
                  "-o", tmp_path / "both.svg")
    assert result.returncode == 0, result.stderr
    svg = (tmp_path / "both.svg").read_text()
    for run in (QUICK, MODELS):
        assert json.loads((run / "run.json").read_text())["run_id"] in svg
    assert set(re.findall('data-contender="([^"]+)"', svg)) == {"fork", "thread"}


def test_verdicts_of_two_runs(binary, tmp_path):
    result = plot(binary, "verdicts", QUICK, MODELS, "--format", "svg", "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    svg = (tmp_path / "verdicts-steady.svg").read_text()
    assert re.search(r"<text>[0-9.]+ (same|unstable|inconclusive|better|worse)</text>", svg)
    result = plot(binary, "verdicts", QUICK, "-o", tmp_path)
    assert result.returncode == 1 and "verdicts BASE CANDIDATE" in result.stderr


@pytest.mark.parametrize("words, said", [
    (["memroy", QUICK], 'no chart "memroy"'),
    ([QUICK, "--metric", "tps"], '"tps" is not a metric'),
    ([QUICK, "--x", "think"], '"think" is not an axis'),
    ([QUICK, "--by", "think"], '"think" is not an axis'),
    ([QUICK, "--filter", "("], "no regular expression"),
    ([QUICK, "--filter", "model:none"], "no trial fits"),
    ([QUICK, "--theme", "pink"], '"pink" is not a theme'),
    ([QUICK, "--format", "gif"], '"gif" is not an image format'),
    ([QUICK, "--size", "wide"], "is not a length"),
    ([QUICK, "--size", "1mm"], "out of range"),
    ([QUICK, "--font", "A'; system \"id\""], "is not a font's name"),
    ([QUICK, "--font", "Serif,0.1pt"], "out of range"),
    ([QUICK, "-o", "one.pdf"], "is one file"),
])
def test_what_does_not_fit_is_one_message(binary, tmp_path, words, said):
    result = subprocess.run([str(binary), "plot", *map(str, words)], capture_output=True, text=True,
                            timeout=CLIENT_TIMEOUT_S, cwd=tmp_path)
    assert result.returncode == 1
    assert said in result.stderr
    assert result.stdout == "" and not list(tmp_path.iterdir())


def test_one_repetition_of_one_contender_and_a_name_of_markup(binary, tmp_path):
    name = "<script>alert(1)</script>&\"'{/Bold x}%s"

    def change(row):
        if row["model"] == "fork" and row["repetition"] == "1":
            yield {**row, "model": name, "cell": row["cell"].replace("model:fork", "model:own")}

    run = change_trials(QUICK, tmp_path, change)
    result = plot(binary, run, "--format", "svg", "-o", tmp_path / "charts")
    assert result.returncode == 0, result.stderr
    images = list((tmp_path / "charts").glob("*.svg"))
    assert len(images) > 5
    for image in images:
        assert "<script" not in image.read_text()


def test_a_run_without_a_valid_trial_has_nothing_to_draw(binary, tmp_path):
    run = change_trials(QUICK, tmp_path, lambda row: [{**row, "status": "INVALID"}])
    result = plot(binary, run, "-o", tmp_path / "charts")
    assert result.returncode == 1
    assert "nothing to draw" in result.stderr


def test_a_folder_that_cannot_be_written(binary, tmp_path):
    (tmp_path / "file").write_text("")
    result = plot(binary, QUICK, "-o", tmp_path / "file" / "charts")
    assert result.returncode == 2
    assert str(tmp_path / "file") in result.stderr


def test_a_missing_gnuplot_is_named_with_its_package(binary, tmp_path):
    result = plot(binary, "throughput", QUICK, "-o", tmp_path, PATH=str(tmp_path))
    assert result.returncode == 2
    assert "gnuplot-nox" in result.stderr
