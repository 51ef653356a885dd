"""The page of a sweep: accuracy against each resource, self-contained."""

from __future__ import annotations

from mcuprune.report.page.render import PACKAGE, SCRIPT, STYLE, framed, own_text
from mcuprune.sweep.chart import boards_of, colour_of, pareto_charts, told
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.front import front
from mcuprune.sweep.live import cells
from mcuprune.sweep.row import FINISHED
from mcuprune.sweep.summary import Summary
from mcuprune.whole_file import write_whole

TEMPLATE, OWN_STYLE, OWN_SCRIPT = "pareto.html", "pareto.css", "pareto.js"
_OWN = "mcuprune.sweep"


def write_page(folder: SweepFolder) -> None:
    """Write the page of a sweep as it is now.

    Raises:
        InputError: The folder is none of a sweep.
    """
    summary = Summary(folder.path, tuple(folder.results.rows()))
    write_whole(folder.page, render_pareto(summary, folder.recipe().title))


def render_pareto(summary: Summary, title: str) -> str:
    """Return the page; all names are escaped, and nothing outside it is asked for.

    Args:
        summary: The sweep.
        title: What it is of.
    """
    boards = boards_of(summary.trials)
    return framed(
        TEMPLATE,
        [_OWN, PACKAGE],
        own_text(PACKAGE, STYLE) + own_text(_OWN, OWN_STYLE),
        [own_text(PACKAGE, SCRIPT), own_text(_OWN, OWN_SCRIPT)],
        title=title,
        charts=pareto_charts(summary.trials),
        boards=[(number, name or "host", colour_of(number)) for number, name in enumerate(boards)],
        front=front(summary.trials),
        trials=summary.trials,
        counts=summary.counts,
        finished=FINISHED,
        cells=cells,
        told=told,
    )
