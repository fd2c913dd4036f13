"""The page of `connbench report`, made of the reference runs and of spoilt copies of them, and read
in headless Chromium."""
import csv
import pathlib
import re
import shutil
import statistics
import subprocess

import pytest

from page_browser import PRINTED_WIDTH_PX, chromium
from servers import CLIENT_TIMEOUT_S

# All on one worker of pytest-xdist: it draws the charts once, and starts one browser.
pytestmark = pytest.mark.xdist_group("page")

REFERENCE = pathlib.Path(__file__).parents[2] / "results/reference"
VERSION1 = pathlib.Path(__file__).parents[2] / "results/testdata/version1"
MAX_BYTES = 3_000_000
HOSTILE = """</script><img src=x onerror="document.title='run'">"'=1&amp;"""
# Smallest unit of each kind; the page writes the one that fits.
FACTORS = {"us": 1, "ms": 1e3, "s": 1e6, "kB": 1, "MB": 1024, "GB": 1024 ** 2}


def copy_run(folder, name, change=lambda rows: rows, of=REFERENCE):
    """A copy of a reference run without its page and charts. change: of each CSV's rows."""
    shutil.copytree(of / name, folder,
                    ignore=shutil.ignore_patterns("charts", "report.html"))
    for path in folder.glob("*.csv"):
        with open(path, newline="") as file:
            reader = csv.DictReader(file)
            rows = change(list(reader))
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, reader.fieldnames, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def report(binary, *arguments, exit_code=0):
    result = subprocess.run([binary, "report", *map(str, arguments)], capture_output=True,
                            text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == exit_code, result.stderr
    return pathlib.Path(result.stdout.strip()) if exit_code == 0 else result.stderr


def trials(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def renamed(old, new):
    """Rows of the model `old` under another name."""
    def change(rows):
        for row in rows:
            if row["model"] == old:
                row["model"] = row["contender"] = new
                row["cell"] = row["cell"].replace(f"model:{old}/", f"model:{new}/")
        return rows
    return change


@pytest.fixture(scope="session")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def quick(binary, tmp_path_factory):
    return report(binary, copy_run(tmp_path_factory.mktemp("page") / "quick", "quick"))


def test_a_run_of_the_first_version_says_what_its_folder_lacks(binary, tmp_path):
    page = report(binary, copy_run(tmp_path / "run", "quick", of=VERSION1)).read_text()
    assert "no contenders.json" in page and "no folder inputs/" in page


def figures(browser):
    """[cell, contender, metric, number, text] of each figure of the combinations' tables."""
    return browser.ask("""[...document.querySelectorAll('.cell table.figures')].flatMap((table) =>
        [...table.tBodies[0].rows].flatMap((row) => [...row.cells].slice(1).map((cell) => [
            table.closest('.cell').dataset.cell, row.dataset.contender,
            table.tHead.rows[0].cells[cell.cellIndex].dataset.metric,
            cell.dataset.v ?? '', cell.firstChild?.textContent.trim() ?? ''])))""")


def shown(browser, css):
    # What is not displayed has no box; checkVisibility() knows that of HTML alone, not of SVG.
    return browser.ask(f"""[...document.querySelectorAll({css!r})].filter((each) =>
        each.checkVisibility({{contentVisibilityAuto: true}})
        && each.getClientRects().length > 0).length""")


def test_the_page_opens_with_question_answer_and_chart_and_needs_no_script(browser, quick):
    browser.open(quick, scripts=False)
    page = browser.driver.find_element("css selector", "body").text
    opening = [page.index(part) for part in (
        "Which of fork, thread and thread-pool does best under churn, idle, steady and storm",
        "With 400 connections of which few work, thread-pool against fork: private / connection is",
        "What to look for", "Contents", "Workload churn", "Environment", "Effective settings",
        "Suite, workloads and SQL", "Method", "Commands")]
    assert opening == sorted(opening)
    assert "inputs/churn.toml" in page and "no contenders.json" not in page
    assert not browser.driver.find_elements("css selector", "#chips")
    for link in browser.driver.find_elements("css selector", "#contents a"):
        anchor = link.get_attribute("href").split("#")[1]
        assert browser.driver.find_elements("id", anchor), anchor
    unfolded = "table.figures tbody tr:not(details *)"
    assert 0 < shown(browser, unfolded) == browser.ask(
        f"document.querySelectorAll('{unfolded}').length")


def test_text_and_tables_agree_with_the_csv(browser, quick):
    browser.open(quick)
    rows = [row for row in trials(quick.parent) if row["status"] == "OK"]
    seen = figures(browser)
    assert len(seen) > 100
    for cell, contender, metric, number, text in seen:
        if metric not in rows[0]:
            continue  # a column that version 1 of the files lacks
        values = [float(row[metric]) for row in rows
                  if row["cell"] == f"model:{contender}/{cell}" and row[metric] != ""]
        # Version 1 of the files had 0 for what was not measured.
        if number == "":
            assert not any(values)
            continue
        measured = [value for value in values if value != 0] or [0]
        assert float(number) in (pytest.approx(statistics.median(values), rel=1e-9),
                                 pytest.approx(statistics.median(measured), rel=1e-9))
        figure, unit = re.fullmatch(r"([\d.,e-]+) ?(.*)", text).groups()
        of_column = 1e3 if metric.endswith("_ms") else 1
        assert float(figure.replace(",", "")) * FACTORS.get(unit, 1) / of_column == pytest.approx(
            float(number), rel=0.006, abs=0.0051)
    raw = browser.ask("""[...document.querySelectorAll('table.raw')].flatMap((table) =>
        [...table.tBodies[0].rows].map((row) => Object.fromEntries([...row.cells].map((cell, i) =>
            [table.tHead.rows[0].cells[i].textContent, cell.textContent]))))""")
    by_trial = {row["trial"]: row for row in trials(quick.parent)}
    assert sorted(row["trial"] for row in raw) == sorted(by_trial)
    for row in raw:
        assert row.pop("contender") == by_trial[row["trial"]]["model"]
        for name, value in row.items():
            if name in by_trial[row["trial"]]:  # version 1 of the files lacks some
                in_csv = by_trial[row["trial"]][name]
                assert value == in_csv or (value == "" and in_csv == "0"), name


def test_chips_filter_tables_and_charts_together_and_the_address_keeps_it(browser, quick):
    browser.open(quick)
    assert shown(browser, "tr[data-contender=thread]") > 0
    drawn = shown(browser, "svg [data-contender=thread]")
    assert drawn > 0
    browser.click("#chips button", "thread")
    browser.click("#chips button", "storm")
    assert browser.fragment() == "#hide-contender=thread&hide-workload=storm"

    def check():
        assert shown(browser, "tr[data-contender=thread]") == 0
        assert shown(browser, "svg [data-contender=thread]") == 0
        assert shown(browser, "tr[data-contender=fork]") > 0
        assert shown(browser, "svg [data-contender=fork]") > 0
        assert shown(browser, "section[data-workload=storm], figure[data-workload=storm]") == 0
        assert shown(browser, "section[data-workload=churn]") == 1

    check()
    browser.open(quick, browser.fragment())
    check()
    browser.click("#contents a", "Environment")
    assert browser.fragment() == "#hide-contender=thread&hide-workload=storm&at=environment"
    check()
    browser.click("#chips button", "thread")
    browser.click("#chips button", "storm")
    assert browser.fragment() == "#environment"
    assert shown(browser, "svg [data-contender=thread]") == drawn


def test_a_base_turns_every_table_of_figures_into_ratios(browser, quick):
    browser.open(quick)
    before = figures(browser)
    value = {(cell, contender, metric): float(number)
             for cell, contender, metric, number, _ in before if number != ""}
    browser.click("#base option", "ratios to thread")
    assert browser.fragment() == "#base=thread"
    for cell, contender, metric, number, text in figures(browser):
        base = value.get((cell, "thread", metric), 0)
        if number == "":
            assert text == ""
        elif base <= 0:
            assert text == "no base"
        else:
            ratio = float(text.removesuffix(" x").replace(",", ""))
            assert ratio == pytest.approx(float(number) / base, rel=0.006, abs=0.0051)
    sweep = browser.ask("""document.querySelector('.sweep tr[data-contender=thread]').innerText""")
    assert sweep.split("\t")[1:] == ["1.00 x"] * 3
    browser.click("#base option", "figures")
    assert figures(browser) == before
    assert browser.fragment() == ""


def test_a_click_on_a_heading_sorts(browser, quick):
    browser.open(quick)
    # Throughput, behind the mean request time.
    column = """[...document.querySelector('.cell table.figures').tBodies[0].rows].map(
        (row) => row.cells[2].dataset.v).map(Number)"""
    assert browser.ask(column) == sorted(browser.ask(column), reverse=True)  # the best first
    heading = ".cell table.figures thead th:nth-child(3)"
    browser.click(heading)
    assert browser.ask(column) == sorted(browser.ask(column))
    browser.click(heading)
    assert browser.ask(column) == sorted(browser.ask(column), reverse=True)
    assert re.fullmatch(r"#sort=\d+\.2\.-1", browser.fragment())
    browser.click(".cell table.figures thead th:nth-child(1)")
    names = """[...document.querySelector('.cell table.figures').tBodies[0].rows].map(
        (row) => row.cells[0].textContent)"""
    assert browser.ask(names) == ["fork", "thread", "thread-pool"]
    browser.open(quick, browser.fragment().replace(".0.1", ".0.-1"))
    assert browser.ask(names) == ["thread-pool", "thread", "fork"]


def test_hovering_lifts_a_series_and_shows_its_values(browser, quick):
    browser.open(quick)
    title = browser.ask("document.querySelector('svg [data-contender=thread]').dataset.tip")
    assert re.search(r"\d", title)
    hover = """document.querySelector(arguments[0]).dispatchEvent(new PointerEvent('pointerover',
        {bubbles: true, clientX: 1270, clientY: 890}))"""
    browser.ask(hover, "svg [data-contender=thread]")
    assert browser.ask("document.getElementById('tip').textContent") == title
    box = browser.ask("document.getElementById('tip').getBoundingClientRect().toJSON()")
    assert box["right"] <= 1280 and box["bottom"] <= 900
    dimmed = """[...new Set([...document.querySelectorAll('.dim')].map(
        (each) => each.dataset.contender))]"""
    assert sorted(browser.ask(dimmed)) == ["fork", "thread-pool"]
    assert browser.ask("document.querySelectorAll('tr.lifted').length") > 0
    browser.ask(hover, "h1")
    assert browser.ask(dimmed) == []
    assert browser.ask("document.getElementById('tip').hidden")


def test_a_switch_puts_charts_on_the_other_scale(browser, quick):
    browser.open(quick)
    ticks = """[...document.querySelectorAll('#chart1-request_p99-steady svg text')].map(
        (each) => each.textContent).join(' ')"""
    browser.ask("document.getElementById('chart1-request_p99-steady').scrollIntoView()")
    own = browser.ask("document.getElementById('chart1-request_p99-steady').dataset.scale")
    assert own == "log"
    drawn = browser.ask(ticks)
    browser.click("#scale option", "linear where they can be")
    assert browser.fragment() == "#scale=linear"
    browser.wait(f"{ticks} !== {drawn!r}")
    linear = browser.ask(ticks)
    browser.click("#chips button", "thread")
    assert shown(browser, "svg [data-contender=thread]") == 0
    browser.click("#chips button", "thread")
    assert browser.ask("""document.querySelector(
        '#chart1-request_p99-steady svg [data-contender=fork]').dataset.tip""").startswith("fork")
    browser.open(quick, "#scale=linear")
    browser.wait(f"{ticks} === {linear!r}")
    browser.click("#scale option", "as drawn")
    assert browser.fragment() == ""
    browser.wait(f"{ticks} === {drawn!r}")
    assert browser.complaints() == []


def test_rows_that_cannot_tell_are_folded_until_asked_for(browser, quick):
    browser.open(quick)
    browser.ask("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    dull = browser.ask("document.querySelectorAll('tr.dull').length")
    assert dull > 0 and shown(browser, "tr.dull") == 0
    browser.click("#dull", f"show {dull} rows that cannot tell")
    assert shown(browser, "tr.dull") == dull


OVERFLOWING = """[...document.querySelectorAll('body, .wide, .chart, pre')].filter((each) =>
    each.scrollWidth > each.clientWidth + 1).map((each) => each.outerHTML.slice(0, 300))"""


@pytest.mark.parametrize("name", ["quick", "models", "postgres"])
def test_a_phone_and_a_printer_lose_nothing(browser, binary, tmp_path, name):
    page = report(binary, copy_run(tmp_path / "run", name))
    assert page.stat().st_size <= MAX_BYTES
    browser.open(page, width=390)
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    browser.show(PRINTED_WIDTH_PX, "print")
    assert browser.ask(OVERFLOWING) == []
    assert shown(browser, "#chips, #tip") == 0
    assert shown(browser, "details table.compared") > 0
    # Folded rows stay folded, and their table says so.
    summary = "document.querySelector('details:has(tr.dull) > summary')"
    assert "to print them" in browser.ask(f"getComputedStyle({summary}, '::after').content")
    # What the header folds is printed; raw rows and figures that nobody judges are not, and their
    # line says so.
    assert 0 < shown(browser, "header details li") == browser.ask(
        "document.querySelectorAll('header details li').length")
    assert shown(browser, "table.raw") == shown(browser, "details table.figures") == 0
    assert shown(browser, ".cell table.figures") > 0
    assert browser.ask("""[...document.querySelectorAll('details:has(table.figures, table.raw)')]
        .every((each) => /not printed.*trials.csv/.test(
            getComputedStyle(each.querySelector('summary'), '::after').content))""")
    browser.show(1280)
    browser.open(page)
    assert len(browser.pdf()) <= MAX_BYTES
    assert browser.complaints() == []


def test_names_with_markup_are_text(browser, binary, tmp_path):
    page = report(binary, copy_run(tmp_path / "run", "quick", renamed("thread", HOSTILE)))
    browser.open(page)
    assert browser.ask("document.querySelectorAll('img, iframe, object').length") == 0
    assert browser.driver.title.startswith("connbench: ")
    browser.click("#chips button", HOSTILE)
    fragment = browser.fragment()
    browser.open(page, fragment)
    pressed = """[...document.querySelectorAll('#chips [aria-pressed=false]')].map(
        (each) => each.innerText)"""
    assert browser.ask(pressed) == [HOSTILE]
    assert browser.ask("""[...document.querySelectorAll('[data-contender]')].filter((each) =>
        each.dataset.contender === arguments[0] && !each.closest('#chips')
        && !each.classList.contains('off')).length""", HOSTILE) == 0
    assert browser.complaints() == []


def test_forty_contenders_in_two_hundred_cells(browser, binary, tmp_path):
    def multiply(rows):
        rows = [row for row in rows if row["model"] == "thread" and row["workload"] != "idle"]
        made = []
        for number in range(40):
            for row in rows:
                name = f"contender-{number:02}"
                made.append({**row, "model": name, "contender": name,
                             "trial": int(row["trial"]) + 100 * number,
                             "cell": row["cell"].replace("model:thread/", f"model:{name}/")})
        return made

    page = report(binary, copy_run(tmp_path / "run", "quick", multiply))
    assert len({row["cell"] for row in trials(tmp_path / "run")}) == 200
    assert page.stat().st_size <= MAX_BYTES
    browser.open(page, width=390)
    assert browser.ask("document.querySelectorAll('#chips [data-contender]').length") == 40
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    assert "Which of 40 contenders" in browser.driver.find_element("css selector", "h1").text
    warnings = browser.ask("document.querySelector('.warnings')?.textContent ?? ''")
    raw = browser.ask("document.querySelectorAll('table.raw tbody tr').length")
    assert raw == len(trials(tmp_path / "run")) or "raw rows, which are in trials.csv" in warnings


def test_several_runs_stand_in_one_page_with_what_differs_on_top(browser, binary, tmp_path):
    page = report(binary, REFERENCE / "quick", REFERENCE / "models", "-o", tmp_path / "two.html")
    assert page == tmp_path / "two.html"
    browser.open(page)
    text = browser.driver.find_element("css selector", "body").text
    assert text.index("What differs between the runs") < text.index("Contents")
    differing = browser.ask("""[...document.getElementById('differences').nextElementSibling
        .querySelectorAll('tbody tr')].map((row) => [...row.cells].map((c) => c.textContent))""")
    assert ["suite", "quick", "models"] in differing
    assert all(len(set(row[1:])) > 1 for row in differing)
    runs = browser.ask("JSON.parse(document.getElementById('data').textContent).runs")
    assert len(runs) == 2
    browser.click("#chips button", runs[0])
    assert shown(browser, f"section.workload[data-run='{runs[0]}']") == 0
    assert shown(browser, f"section.workload[data-run='{runs[1]}']") == 5


def test_little_data_makes_a_page_that_says_so(binary, tmp_path):
    one = copy_run(tmp_path / "one", "quick", lambda rows: [
        row for row in rows if row["model"] == "fork" and row["repetition"] == "1"])
    text = report(binary, one).read_text()
    assert "How does fork do under" in text and "one contender" in text
    assert "6 of 6 cells have one valid repetition" in text
    none = copy_run(tmp_path / "none", "quick", lambda rows: [])
    assert "What was measured?" in report(binary, none).read_text()


def test_a_page_that_cannot_be_written_is_an_error_with_its_path(binary, tmp_path):
    run = copy_run(tmp_path / "run", "quick")
    assert str(tmp_path / "no/page.html") in report(
        binary, run, "-o", tmp_path / "no/page.html", exit_code=2)
