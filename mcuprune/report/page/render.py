"""Renders a report as one HTML page without references to anything outside it."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.resources
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mcuprune.report.comparison import written, written_change
from mcuprune.report.contents import Report
from mcuprune.report.origins import ORIGINS, origin_kind
from mcuprune.report.page.confusion import confusion_view
from mcuprune.report.page.curves import line_charts
from mcuprune.report.page.memory import memory_panel
from mcuprune.report.page.tiles import tiles
from mcuprune.report.simulation import simulation_lines, simulation_rows

TEMPLATE, STYLE, SCRIPT = "page.html", "page.css", "page.js"
PACKAGE = "mcuprune.report.page"


def render_page(report: Report, links: str = "") -> str:
    """Return the page.

    Every name that comes from a model, a recipe or a file is escaped, and the page's own policy
    forbids all scripts but the one that is in it, and all requests.

    Args:
        report: What to show.
        links: Path from the page to the deployment's files, empty for the same folder.
    """
    simulation = report.simulation
    return framed(
        TEMPLATE,
        [PACKAGE],
        own_text(PACKAGE, STYLE),
        [own_text(PACKAGE, SCRIPT)],
        report=report,
        tiles=tiles(report),
        panels=[memory_panel(each, report.sram_budget_bytes) for each in report.arenas],
        charts=line_charts(report.trainings),
        confusions=[confusion_view(each) for each in report.confusions],
        simulation_rows=[] if simulation is None else list(simulation_rows(simulation)),
        simulation_lines=[] if simulation is None else simulation_lines(simulation),
        origins=ORIGINS,
        link=lambda name: quote((Path(links) / name).as_posix()),
    )


def framed(
    template: str, packages: Sequence[str], style: Any, scripts: Sequence[Any], **names: Any
) -> str:
    """Fill a template that extends ``frame.html``: one page, whose policy allows its scripts alone.

    Args:
        template: File name.
        packages: As for :func:`page_environment`.
        style: Markup of the style sheet.
        scripts: Markup of each script.
        names: What the template itself asks for.
    """
    page: str = (
        page_environment(*packages)
        .get_template(template)
        .render(
            style=style,
            scripts=scripts,
            policy=[script_hash(script) for script in scripts],
            version=importlib.metadata.version("mcuprune"),
            **names,
        )
    )
    return page


def page_environment(*packages: str) -> Any:
    """Return what renders pages: all values are escaped, an absent one is an error.

    Args:
        packages: Packages with a folder ``templates``; the first that has a template gives it.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        written=written,
        change=written_change,
        origin_kind=origin_kind,
        percent=lambda value: f"{value:.3f}%",
    )
    return environment


def own_text(package: str, name: str) -> Any:
    """Return a file of a package's templates as markup, which is not escaped."""
    import markupsafe

    path = importlib.resources.files(package).joinpath("templates", name)
    return markupsafe.Markup(path.read_text(encoding="utf-8"))


def script_hash(script: str) -> str:
    """Return what a page's policy calls a script that it allows."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def relative_links(page: Path, folder: Path) -> str:
    """Return the path from a page to a folder of files."""
    path = os.path.relpath(folder.resolve(), page.resolve().parent)
    return "" if path == "." else path
