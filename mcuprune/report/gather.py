"""Puts a report together from what a run left, a deployment or a single file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget
from mcuprune.cost.limits import limiting_sentence
from mcuprune.cost.resources import PLANNED, PREDICTED
from mcuprune.cost.timing import estimate_for
from mcuprune.cost.verdict import compare
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph
from mcuprune.ir.read import read_graph
from mcuprune.report.board_time import BoardTime, board_time, time_rows
from mcuprune.report.comparison import comparison_rows, is_of_host
from mcuprune.report.contents import ArenaOf, Confusion, Limit, OperatorCost, Report
from mcuprune.report.doubts import doubts_of
from mcuprune.report.facts import deployment_files, facts, notes
from mcuprune.report.history import HISTORY_FILE, Training, read_training
from mcuprune.report.layer_widths import layer_widths
from mcuprune.report.occupancy import arena
from mcuprune.report.sources import MODEL_FILE, REPORT_FILE, TRAINING_FOLDERS, Sources, find_sources
from mcuprune.report.table import counting_note

PRUNED, REFERENCE, MODEL = "pruned", "reference", "model"
LIMIT_LABELS = {"sram": "Peak SRAM", "flash": "Flash", "macs": "MACs", "latency": "Latency"}
_CONFUSIONS = (
    ("float", "in float", "interpreter (Keras)"),
    ("int8", "in int8", "interpreter (LiteRT)"),
)


def read_report(
    path: str | Path,
    budget: Budget | None = None,
    board: str | None = None,
    run: Path | None = None,
) -> Report:
    """Return the report on a run, a deployment or a file.

    Args:
        path: Folder of a run or a deployment, or a ``.tflite``, ``.keras`` or ``.h5`` file.
        budget: What a file is held against; a folder knows its own.
        board: The board that time is predicted for; by default the budget's, or the one that the
            run simulates, also where its simulator is not installed.
        run: Folder of the run, where the deployment does not lie in its place yet.

    Raises:
        InputError: Nothing of the kind is there, it is unsound, or a folder is given a budget.
        UnknownNameError: No such board; names the nearest.
        UnsupportedModelError: A Keras model cannot be read as a graph.
    """
    path = Path(path)
    if not path.is_dir():
        return _of_file(path, budget, board)
    if budget is not None:
        raise InputError(f"{path} brings its own budget: leave limits out, or give a .tflite file")
    sources = find_sources(path, run)
    try:
        return _of_folder(sources, board)
    except KeyError as error:
        raise InputError(
            f"{sources.deployment / REPORT_FILE} lacks {error}: it was written by another version; "
            "run or deploy again with this one"
        ) from error


def _of_file(path: Path, budget: Budget | None, board: str | None) -> Report:
    graph = read_graph(path)
    resources = estimate_for(budget, graph)
    verdict = None if budget is None else compare(resources, budget)
    limits = {} if budget is None else dict(budget.limits())
    found = {
        "resources": {REFERENCE: None, PRUNED: resources.to_json()},
        "budget": limits or None,
        "check": None if verdict is None else verdict.to_json(),
        "accuracy": {},
    }
    limited_by = None if budget is None else limiting_sentence(resources, budget)
    times = _times({MODEL: graph}, board or (None if budget is None else budget.board))
    return Report(
        title=path.name,
        model=resources.model,
        facts=(("Runtime", resources.runtime),),
        verdict=None if verdict is None else ("fits" if verdict.fits else "exceeds"),
        limits=_limits(found),
        limited_by=limited_by,
        comparison=(
            *comparison_rows(found),
            *time_rows(None, times.get(MODEL), limits),
        ),
        has_reference=False,
        sram_budget_bytes=None if budget is None else budget.sram,
        arenas=_arenas({MODEL: graph}, found),
        widths=(),
        trainings=(),
        operators=_operators(graph, found, times.get(MODEL)),
        cycles_for=_cycles_for(times.get(MODEL)),
        confusions=(),
        simulation=None,
        doubts=(),
        notes=(counting_note(resources.to_json()),),
        files=(),
    )


def _of_folder(sources: Sources, board: str | None) -> Report:
    found = sources.report
    simulation = found.get("simulation")
    graphs = dict(_graphs(sources))
    times = _times_of_run(graphs, found) if board is None else _times(graphs, board)
    after, before = times.get(PRUNED), times.get(REFERENCE)
    pruned = found["resources"][PRUNED]
    return Report(
        title=found.get("recipe") or pruned["model"],
        model=pruned["model"],
        facts=tuple(facts(found)),
        verdict=found.get("verdict"),
        limits=_limits(found),
        limited_by=found.get("limit") or _limited_by(graphs[PRUNED], found),
        comparison=(*comparison_rows(found), *time_rows(before, after, found["budget"] or {})),
        has_reference=found["resources"][REFERENCE] is not None,
        sram_budget_bytes=(found["budget"] or {}).get("sram"),
        arenas=_arenas(graphs, found),
        widths=layer_widths(*sources.keras_models),
        trainings=tuple(_trainings(sources)),
        operators=_operators(graphs[PRUNED], found, after),
        cycles_for=_cycles_for(after),
        confusions=tuple(_confusions(found)),
        simulation=simulation,
        doubts=doubts_of(found),
        notes=tuple(notes(found)),
        files=tuple(deployment_files(sources.deployment)),
    )


def _graphs(sources: Sources) -> Iterator[tuple[str, Graph]]:
    yield PRUNED, read_tflite(sources.deployment / MODEL_FILE)
    if sources.reference_model is not None:
        yield REFERENCE, read_tflite(sources.reference_model)


def _times(graphs: Mapping[str, Graph], board: str | None) -> dict[str, BoardTime]:
    if board is None:
        return {}
    return {name: board_time(graph, board) for name, graph in graphs.items()}


def _times_of_run(graphs: Mapping[str, Graph], found: Mapping[str, Any]) -> dict[str, BoardTime]:
    """Return times on the deployment's board, else on the one that the run simulates.

    A board that was a file and is gone has none: all else can still be told.
    """
    simulated = (found.get("simulation") or {}).get("board")
    try:
        return _times(graphs, found.get("board") or simulated or found.get("validation_board"))
    except InputError:
        return {}


def _cycles_for(time: BoardTime | None) -> str | None:
    return None if time is None or time.latency_ms is None else time.described


def _limits(found: Mapping[str, Any]) -> tuple[Limit, ...]:
    resources = found["resources"][PRUNED]
    rows = {name: row for name, row in (found.get("check") or {}).items() if name != "fits"}
    return tuple(
        Limit(
            name,
            LIMIT_LABELS[name],
            row["required"],
            row["available"],
            row["unit"],
            _limit_origin(name, resources),
            row.get("note", ""),
        )
        for name, row in rows.items()
    )


def _limited_by(graph: Graph, found: Mapping[str, Any]) -> str | None:
    """Return the sentence that a deployment outside a run lacks."""
    if not found["budget"]:
        return None
    is_on_host = is_of_host(found["resources"][PRUNED])
    budget = Budget(**found["budget"], board=None if is_on_host else found.get("board"))
    return limiting_sentence(estimate_for(budget, graph), budget)


def _limit_origin(name: str, resources: Mapping[str, Any]) -> str:
    """Return where a limited number comes from; on a board code is added, and nothing executed."""
    fields = {"sram": "peak_sram_bytes", "flash": "tflite_bytes"}
    if name not in fields or not is_of_host(resources):
        return PREDICTED
    origin: str = resources["provenance"][fields[name]]
    return PREDICTED if origin == PLANNED else origin


def _arenas(graphs: Mapping[str, Graph], found: Mapping[str, Any]) -> tuple[ArenaOf, ...]:
    resources = found["resources"][PRUNED]
    runtime, bits = resources["runtime"], resources["pointer_bits"]
    note = counting_note(resources)
    return tuple(
        ArenaOf(name, arena(graph, runtime, bits), note)
        for name, graph in graphs.items()
        if graph.operators
    )


def _operators(
    graph: Graph, found: Mapping[str, Any], time: BoardTime | None
) -> tuple[OperatorCost, ...]:
    resources = found["resources"][PRUNED]
    costs = []
    for operator, cost in zip(graph.operators, resources["operators"], strict=True):
        output = graph.tensors[operator.outputs[0]] if operator.outputs else None
        cycles = cost.get("cycles")
        costs.append(
            OperatorCost(
                index=cost["index"],
                kind=cost["kind"],
                output="" if output is None else output.name,
                shape=() if output is None else tuple(output.shape[1:]),
                macs=cost["macs"],
                weights_bytes=cost["weights_bytes"],
                working_set_bytes=cost["working_set_bytes"],
                cycles=time.cycles[operator.index] if cycles is None and time else cycles,
                is_peak=cost["index"] == resources["peak_operator"],
            )
        )
    return tuple(costs)


def _trainings(sources: Sources) -> Iterator[Training]:
    for folder, title in TRAINING_FOLDERS.items() if sources.run else ():
        assert sources.run is not None
        training = read_training(sources.run / folder / HISTORY_FILE, title)
        if training is not None:
            yield training


def _confusions(found: Mapping[str, Any]) -> Iterator[Confusion]:
    counted = found.get("confusion") or {}
    for key, label, origin in _CONFUSIONS:
        if counted.get(key):
            classes = tuple(counted.get("classes") or ())
            yield Confusion(label, origin, tuple(map(tuple, counted[key])), classes)
