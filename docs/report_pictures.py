"""Makes the pictures of docs/report.md from a run: python docs/report_pictures.py runs/digits.

Needs playwright and Debian's chromium, as the tests of the page do.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from mcuprune.report.write import write_report

OUT = Path(__file__).parent / "pictures"
COLOURS = 128


def main() -> None:
    """Write the three pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = write_report(sys.argv[1], Path(folder) / "report.html").page
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        _top(browser, page, "report.png", {"width": 1160, "height": 960}, "light")
        _top(browser, page, "report-phone.png", {"width": 390, "height": 960}, "dark")
        _memory(browser, page)
        browser.close()


def _top(browser: Browser, page: Path, name: str, viewport: dict[str, int], scheme: str) -> None:
    shown = browser.new_page(viewport=viewport, color_scheme=scheme)
    shown.goto(page.as_uri())
    shown.screenshot(path=OUT / name)
    _shrink(OUT / name)


def _memory(browser: Browser, page: Path) -> None:
    shown = browser.new_page(viewport={"width": 1160, "height": 800}, color_scheme="light")
    shown.goto(page.as_uri())
    shown.get_by_role("button", name="Arena map").click()
    section = shown.locator("#memory")
    section.scroll_into_view_if_needed()
    shown.wait_for_timeout(200)
    shown.locator(".map .piece:visible").nth(1).hover()
    section.screenshot(path=OUT / "report-memory.png")
    _shrink(OUT / "report-memory.png")


def _shrink(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
