"""Writes a report as files: one page for people, Markdown for CI."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mcuprune.budget import Budget
from mcuprune.errors import InputError
from mcuprune.report.contents import Report
from mcuprune.report.gather import read_report
from mcuprune.report.markdown import render_markdown
from mcuprune.report.page.render import relative_links, render_page
from mcuprune.report.sources import PAGE_FILE, find_sources

MARKDOWN_ENDING = ".md"


@dataclasses.dataclass(frozen=True)
class WrittenReport:
    """A report and its files.

    Attributes:
        report: What it says.
        page: The HTML page.
        markdown: The same as Markdown.
    """

    report: Report
    page: Path
    markdown: Path


def write_report(
    path: str | Path,
    out: str | Path | None = None,
    *,
    budget: Budget | None = None,
    board: str | None = None,
    run: Path | None = None,
) -> WrittenReport:
    """Write the report on a run, a deployment or a file.

    Args:
        path: Folder of a run or a deployment, or a ``.tflite``, ``.keras`` or ``.h5`` file.
        out: The HTML file; by default ``report.html`` in the deployment folder, and beside a file
            under the file's name. The Markdown lies beside it.
        budget: What a file is held against; a folder knows its own.
        board: The board that time is predicted for.
        run: Folder of the run, where the deployment does not lie in its place yet.

    Raises:
        InputError: Nothing of the kind is there, it is unsound, or the files cannot be written.
        UnknownNameError: No such board; names the nearest.
        UnsupportedModelError: A Keras model cannot be read as a graph.
    """
    path = Path(path)
    report = read_report(path, budget, board, run)
    folder = find_sources(path).deployment if path.is_dir() else path.parent
    usual = folder / PAGE_FILE if path.is_dir() else path.with_suffix(".html")
    page = usual if out is None else Path(out)
    markdown = page.with_suffix(MARKDOWN_ENDING)
    texts = {
        page: render_page(report, relative_links(page, folder)),
        markdown: render_markdown(report),
    }
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write {page} ({error.strerror or error}): choose another place with --out"
        ) from error
    return WrittenReport(report, page, markdown)
