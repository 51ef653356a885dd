"""The page in a real browser: it runs without errors, alone, and answers to the pointer."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from run_folder import HOSTILE

from mcuprune.report.write import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install)")


@dataclasses.dataclass
class Watched:
    """A page in the browser, and what it complained about or asked for."""

    page: Page
    complaints: list[str]
    requests: list[str]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def shown(browser):
    """Show a file; returns the page with what it says to the console and asks for."""
    contexts = []

    def show(path: Path, viewport=DESKTOP, **options) -> Watched:
        contexts.append(browser.new_context(viewport=viewport, **options))
        watched = Watched(contexts[-1].new_page(), [], [])
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on("console", lambda message: watched.complaints.append(message.text))
        watched.page.on("dialog", lambda dialog: watched.complaints.append(dialog.message))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.goto(path.as_uri())
        return watched

    yield show
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def written(run, tmp_path_factory):
    return write_report(run, tmp_path_factory.mktemp("page") / "report.html").page


def hover(page: Page, selector: str) -> None:
    page.locator(selector).first.scroll_into_view_if_needed()
    # A page that scrolls takes its hint away.
    page.wait_for_timeout(100)
    page.locator(selector).first.hover()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_no_errors_and_no_requests(shown, written, viewport):
    watched = shown(written, viewport)
    watched.page.mouse.move(200, 400)
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith("data:")] == [written.as_uri()]


def test_pointing_at_a_tensor_tells_its_name(shown, written):
    page = shown(written).page
    assert page.locator("#tip").is_hidden()
    hover(page, ".live .piece[data-name=middle]:visible")
    assert page.locator("#tip b").inner_text() == "middle"
    lines = page.locator("#tip li").all_inner_texts()
    assert lines[:2] == ["256 B", "8\u00d78\u00d74 int8"]
    # It lives at both operators, and is marked at both.
    assert page.locator(".live .piece.marked:visible").count() == 2
    page.mouse.move(2, 2)
    assert page.locator("#tip").is_hidden()
    assert page.locator(".marked").count() == 0


def test_arrows_go_from_tensor_to_tensor(shown, written):
    page = shown(written).page
    page.locator(".live .scroll-x:visible").focus()
    names = []
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        names.append(page.locator("#tip b").inner_text())
    assert names == ["persistent tail", "tiny", "middle"]
    page.keyboard.press("ArrowLeft")
    assert page.locator("#tip b").inner_text() == "tiny"
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_an_epoch_tells_its_numbers(shown, written):
    page = shown(written).page
    hover(page, ".lines .epoch >> nth=1")
    assert page.locator("#tip b").inner_text() == "epoch 2"
    assert "reference, validation: 80.0%" in page.locator("#tip li").all_inner_texts()


def test_one_chart_at_a_time(shown, written):
    page = shown(written).page
    assert page.locator("figure.memory:visible").count() == 1
    page.get_by_role("button", name="Arena map").click()
    page.get_by_role("button", name="reference").click()
    assert page.locator("figure.memory:visible").count() == 1
    hover(page, ".map .piece[data-name=middle]:visible")
    # Eight channels: 512 B.
    assert page.locator("#tip li").first.inner_text() == "512 B"


def test_operators_sort_by_a_column(shown, written):
    page = shown(written).page
    column = page.locator("#operators tbody tr td:first-child")
    assert column.all_inner_texts() == ["0", "1"]
    page.locator("#operators thead button").first.click()
    assert column.all_inner_texts() == ["1", "0"]
    heading = page.locator("#operators th", has_text="cycles")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    cycles = page.locator("#operators tbody tr td:nth-child(4)").all_inner_texts()
    numbers = [int(text.replace(",", "")) for text in cycles]
    assert numbers == sorted(numbers, reverse=True)


def test_a_phone_scrolls_tables_and_not_the_page(shown, written):
    page = shown(written, PHONE, has_touch=True).page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator(".live .piece[data-name=middle]:visible").first.tap()
    assert page.locator("#tip b").inner_text() == "middle"
    box = page.locator("#tip").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_light_and_dark(shown, written):
    colour = "getComputedStyle(document.body).backgroundColor"
    light = shown(written, color_scheme="light").page
    dark = shown(written, color_scheme="dark").page
    assert light.evaluate(colour) == "rgb(245, 246, 248)"
    assert dark.evaluate(colour) == "rgb(13, 17, 23)"
    # Chosen by hand: automatic, light, dark.
    for _ in range(2):
        light.locator("#theme").click()
    assert light.evaluate(colour) == "rgb(13, 17, 23)"


def test_without_scripts_every_chart_is_there(shown, written):
    page = shown(written, java_script_enabled=False).page
    assert page.locator("figure.memory:visible").count() == 4
    assert page.locator(".switches").is_hidden()


def test_hostile_names_do_nothing(shown, hostile_run, tmp_path):
    page = write_report(hostile_run, tmp_path / "report.html").page
    watched = shown(page)
    hover(watched.page, ".live .piece:not(.tail):visible")
    assert watched.page.locator("#tip b").inner_text() == HOSTILE
    assert watched.complaints == []
    assert len(watched.page.locator("img").all()) == 0
