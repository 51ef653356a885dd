"""The page as a document: sound, alone, and honest about names and numbers."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import html5lib
import pytest
from run_folder import HOSTILE, tflite

from mcuprune.budget import Budget
from mcuprune.report.gather import read_report
from mcuprune.report.page.render import render_page

HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def page(run):
    return render_page(read_report(run))


@pytest.fixture(scope="module")
def hostile_page(hostile_run):
    return render_page(read_report(hostile_run))


def parsed(page: str) -> ET.Element:
    """Parse a page; any error of syntax is raised."""
    return html5lib.HTMLParser(strict=True).parse(page)


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def section(page: str, name: str) -> ET.Element:
    return next(e for e in parsed(page).iter(f"{HTML}section") if e.get("id") == name)


def test_the_verdict_comes_first(page):
    root = parsed(page)
    assert words(root.find(f".//{HTML}h1")) == "Fits the budget"
    assert words(root.find(f".//{HTML}title")) == "Fits the budget: A tiny run"
    first = root.find(f".//{HTML}section")
    assert "MACs limit the model because of tiny." in words(first)
    assert "4,488 to spare" in words(first)
    assert "1,104 B of flash to spare at the tightest limit." in words(first)


def test_all_sections_are_there_and_linked(page):
    root = parsed(page)
    ids = {element.get("id") for element in root.iter(f"{HTML}section")}
    links = {a.get("href").removeprefix("#") for a in root.find(f".//{HTML}nav")}
    assert links == {
        *("numbers", "memory", "operators", "widths", "training", "accuracy", "board", "files"),
    }
    assert links <= ids


def test_nothing_is_fetched(page):
    assert "default-src 'none'" in page
    assert not re.search(r"(https?:)?//[a-z]", page, re.IGNORECASE)
    assert not re.search(r"@import|url\(", page)
    fetching = {"src", "srcset", "poster", "data", "action"}
    for element in parsed(page).iter():
        assert not fetching & set(element.attrib), element.attrib
    sources = [link.get("href") for link in parsed(page).iter(f"{HTML}link")]
    assert sources == ["data:,"]


def test_links_lead_to_the_files(page, run):
    linked = [a.get("href") for a in section(page, "files").iter(f"{HTML}a")]
    assert linked == ["model.tflite", "model_data.c", "report.json"]
    elsewhere = render_page(read_report(run), "../my runs/deployment")
    linked = [a.get("href") for a in section(elsewhere, "files").iter(f"{HTML}a")]
    assert linked[0] == "../my%20runs/deployment/model.tflite"


def test_numbers_are_those_of_the_json(page, run):
    report = json.loads((run / "deployment" / "report.json").read_text())
    pruned, reference = (report["resources"][name] for name in ("pruned", "reference"))
    rows = {}
    for row in section(page, "numbers").iter(f"{HTML}tr"):
        cells = [words(cell) for cell in row]
        rows.setdefault(cells[0], cells[1:])
    macs = f"{reference['macs']:,}", f"{pruned['macs']:,}"
    assert rows["MACs"] == [*macs, "-50%", "5,000", "predicted"]
    assert rows["flash (.tflite)"][:2] == [
        f"{reference['tflite_bytes']:,} B",
        f"{pruned['tflite_bytes']:,} B",
    ]
    assert rows["accuracy, int8"] == ["87.5%", "75.0%", "-12.5 points", "", "interpreter (LiteRT)"]
    operators = section(page, "operators").find(f".//{HTML}tbody")
    for row, cost in zip(operators, pruned["operators"], strict=True):
        cells = [words(cell) for cell in row]
        assert cells[2] == f"{cost['macs']:,}"
        assert cells[4:6] == [f"{cost['weights_bytes']:,} B", f"{cost['working_set_bytes']:,} B"]
    classes = report["confusion"]["classes"]
    matrices = list(section(page, "accuracy").iter(f"{HTML}table"))
    for matrix, name in zip(matrices, ("float", "int8"), strict=True):
        counted = [[words(td) for td in row[1:]] for row in matrix.find(f"{HTML}tbody")]
        said = [[str(count or "") for count in row] for row in report["confusion"][name]]
        assert counted == said
        assert [words(th) for th in matrix.find(f"{HTML}thead/{HTML}tr")][1:] == classes
        assert [words(row[0]) for row in matrix.find(f"{HTML}tbody")] == classes


def test_names_are_text_and_nothing_else(hostile_page):
    root = parsed(hostile_page)
    assert HOSTILE not in hostile_page
    assert not list(root.iter(f"{HTML}img"))
    assert words(root.find(f".//{HTML}title")) == f"Fits the budget: {HOSTILE}"
    names = {element.get("data-name") for element in root.iter(f"{HTML}div")}
    assert HOSTILE in names
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on")]


def test_the_only_script_is_the_one_that_the_policy_names(hostile_page):
    scripts = list(parsed(hostile_page).iter(f"{HTML}script"))
    assert len(scripts) == 1
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", hostile_page)


def test_a_file_alone_has_fewer_sections(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite(4, "net"))
    page = render_page(read_report(path, Budget(macs=100)))
    ids = {element.get("id") for element in parsed(page).iter(f"{HTML}section")}
    assert ids == {None, "numbers", "memory", "operators", "origins"}
    assert "For cycles, name a board" in words(section(page, "operators"))
    first = parsed(page).find(f".//{HTML}section")
    assert "Exceeds the budget" in words(first)
    assert "412 too many" in words(first)
    assert "412 MACs too many." in words(first)
