"""The ``mcuprune`` command.

Results go to stdout, alone; progress, logs and errors go to stderr. Heavy imports happen inside the
commands: TensorFlow is loaded only by those that need it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mcuprune.errors import InputError, McupruneError

if TYPE_CHECKING:
    from mcuprune.budget import Budget

EXIT_EXCEEDED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class _ReportingGroup(TyperGroup):
    """Turns our errors and Ctrl-C into one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except McupruneError as error:
            if ctx.params.get("debug"):
                traceback.print_exception(error)
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(EXIT_BAD_INPUT) from error
        except KeyboardInterrupt as interrupt:
            kept = str(interrupt) or "nothing was changed"
            typer.echo(f"\nstopped: {kept}", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from interrupt


app = typer.Typer(
    cls=_ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Makes a Keras model fit a microcontroller, and proves that it does.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
Sram = Annotated[str | None, typer.Option(help="Limit on the arena, such as 64KiB.")]
Flash = Annotated[str | None, typer.Option(help="Limit on the .tflite file, such as 128KiB.")]
Macs = Annotated[str | None, typer.Option(help="Limit on multiply-accumulates, such as 2M.")]
Latency = Annotated[
    str | None, typer.Option(help="With --board: limit on the predicted time, such as 50ms.")
]
BoardName = Annotated[str | None, typer.Option("--board", help="Take the limits of a board.")]
ReserveSram = Annotated[str | None, typer.Option(help="With --board: SRAM for your firmware.")]
ReserveFlash = Annotated[str | None, typer.Option(help="With --board: flash for your firmware.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    del debug  # read by _ReportingGroup


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, or path of a .yaml file.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    data: Annotated[Path | None, typer.Option(help="File or folder that holds the data.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value; can be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides training.seed.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Scales all training to this.")] = None,
    as_json: Json = False,
) -> None:
    """Train, prune, convert, verify and package a recipe's model."""
    from mcuprune.recipes.load import load_recipe

    chosen = load_recipe(recipe, _overrides(set_ or [], data, seed), epochs)
    folder = out or Path("runs") / Path(recipe).stem
    with _stdout_to_stderr():
        _import_tensorflow()
        from mcuprune.recipes.run import run_recipe

        outcome = run_recipe(chosen, folder)
    if as_json:
        _print_json(outcome.report)
    else:
        from mcuprune.report.summary import print_summary

        print_summary(outcome.report)
    raise typer.Exit(0 if outcome.fits else EXIT_EXCEEDED)


@app.command()
def estimate(
    model: Annotated[Path, typer.Argument(help="A .tflite, .keras or .h5 file.")],
    board: Annotated[str | None, typer.Option(help="Tell whether the model fits a board.")] = None,
    runtime: Annotated[
        str | None,
        typer.Option(help="Whose arena: tflm-reference, tflm-cmsis-nn, ...; default the board's."),
    ] = None,
    pointer_bits: Annotated[
        int | None, typer.Option(help="32 or 64; default 64 for tflm-reference, else 32.")
    ] = None,
    grid: Annotated[
        float | None, typer.Option(help="With --board: gCO2e per kWh of the grid, such as 400.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count what a model costs: arena, flash, MACs, time, operator by operator."""
    with _stdout_to_stderr():
        from mcuprune.cost.front import estimate as estimate_model
        from mcuprune.ir.read import is_keras_file

        if is_keras_file(model):
            _import_tensorflow()
        resources = estimate_model(model, runtime, pointer_bits, board=board)
    if as_json:
        _print_json(resources.to_json())
    else:
        from mcuprune.report.listing import fitting_table
        from mcuprune.report.summary import board_lines, converted_lines, time_lines
        from mcuprune.report.table import (
            causes_table,
            operators_table,
            resources_table,
            runtime_note,
        )

        tables = (operators_table(resources), causes_table(resources), resources_table(resources))
        notes = [runtime_note(resources), *converted_lines(resources), *board_lines(resources)]
        fits = resources.boards_that_fit
        boards_of_it = [] if fits is None else [fitting_table(fits)]
        _print(*tables, *boards_of_it, *notes, *time_lines(resources, grid))


@app.command()
def check(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    latency: Latency = None,
    board: BoardName = None,
    reserve_sram: ReserveSram = None,
    reserve_flash: ReserveFlash = None,
    as_json: Json = False,
) -> None:
    """Tell whether a model meets a budget: exit code 0 if it does, 1 if not."""
    from mcuprune.deployment.check import check as check_file

    budget = _budget(sram, flash, macs, latency, board, reserve_sram, reserve_flash)
    if budget is None:
        raise InputError("nothing to check against: give --sram, --flash, --macs or --board")
    verdict = check_file(model, budget)
    if as_json:
        _print_json(verdict.to_json())
    else:
        from mcuprune.report.table import verdict_table

        _print(verdict_table(verdict))
    raise typer.Exit(0 if verdict.fits else EXIT_EXCEEDED)


@app.command()
def groups(
    model: Annotated[Path, typer.Argument(help="A .keras or .h5 file.")],
    as_json: Json = False,
) -> None:
    """Show which channels live or die together, what one is worth, and what cannot be pruned."""
    with _stdout_to_stderr():
        _import_tensorflow()
        from mcuprune.report.overview import group_overview

        overview = group_overview(model)
    if as_json:
        _print_json(overview.to_json())
    else:
        from mcuprune.report.listing import groups_lines, groups_table

        _print(groups_table(overview), *groups_lines(overview))


@app.command()
def deploy(
    model: Annotated[Path, typer.Argument(help="A .keras or .h5 file.")],
    calibration: Annotated[
        Path,
        typer.Option(help="Inputs as in training: .npy, (n, ...); .npz in order for several."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("deployment"),
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    latency: Latency = None,
    board: BoardName = None,
    reserve_sram: ReserveSram = None,
    reserve_flash: ReserveFlash = None,
    plan_memory: Annotated[
        bool, typer.Option(help="Write a memory plan into the file if it makes the arena smaller.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Convert a Keras model to int8, verify it and write its deployment folder."""
    budget = _budget(sram, flash, macs, latency, board, reserve_sram, reserve_flash)
    with _stdout_to_stderr():
        _import_tensorflow()
        from mcuprune.deployment.package import deploy as deploy_model
        from mcuprune.ir.read import load_keras

        deployment = deploy_model(
            load_keras(model),
            _load_arrays(calibration),
            out,
            board=board,
            budget=budget,
            plan_memory=plan_memory,
        )
    if as_json:
        _print_json(deployment.to_json())
    else:
        from mcuprune.report.memory_plan import saved_lines
        from mcuprune.report.summary import arena_lines
        from mcuprune.report.table import resources_table, runtime_note, verdict_table

        verdict = [] if deployment.verdict is None else [verdict_table(deployment.verdict)]
        report = deployment.to_json()
        note = runtime_note(deployment.resources)
        notes = [note, *verdict, *arena_lines(report), *saved_lines(report)]
        _print(resources_table(deployment.resources), *notes, f"Written to {out}")
    fits = deployment.verdict is None or deployment.verdict.fits
    raise typer.Exit(0 if fits else EXIT_EXCEEDED)


@app.command()
def optimize(
    model: Annotated[Path, typer.Argument(help="A .tflite file, whoever made it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .tflite file to write.")],
    reorder: Annotated[bool, typer.Option(help="Let operators run in another order.")] = True,
    in_place: Annotated[
        bool, typer.Option(help="Let tensors share a place where the kernels allow it.")
    ] = True,
    time_limit: Annotated[float, typer.Option(help="Seconds to search for a smaller plan.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Write a smaller arena's memory plan into a model, for stock TFLM; outputs stay the same."""
    with _stdout_to_stderr():
        from mcuprune.deployment.optimize import optimize_file

        optimized = optimize_file(
            model, out, reorder=reorder, in_place=in_place, time_limit_s=time_limit
        )
    if as_json:
        _print_json({"model": str(model), "out": str(out), **optimized.to_json()})
    else:
        from mcuprune.report.memory_plan import plan_lines, plan_table

        _print(plan_table(optimized.to_json()), *plan_lines(optimized.to_json()), f"Written: {out}")


@app.command()
def codegen(
    model: Annotated[Path, typer.Argument(help="A full-int8 .tflite file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    name: Annotated[str, typer.Option(help="Prefix of files and functions.")] = "model",
    target: Annotated[str, typer.Option(help="portable or cortex-m4 (DSP).")] = "portable",
    reentrant: Annotated[bool, typer.Option(help="Let the caller give the arena.")] = False,
    as_json: Json = False,
) -> None:
    """Write a model as C99 that needs no interpreter and no heap, bit for bit as TFLM answers."""
    from mcuprune.codegen import generate
    from mcuprune.ir.from_tflite import read_model_bytes

    sources = generate(read_model_bytes(model), name=name, target=target, reentrant=reentrant)
    sources.write(out)
    report = {"model": str(model), "out": str(out), **sources.to_json()}
    if as_json:
        _print_json(report)
    else:
        from mcuprune.report.generated_code import code_lines, code_table

        _print(code_table(report), *code_lines(report))


@app.command()
def simulate(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    board: Annotated[str, typer.Option(help="The board to simulate.")],
    simulator: Annotated[str, typer.Option(help="cortexm, qemu or renode.")] = "cortexm",
    runtime: Annotated[str, typer.Option(help="c: generated C; tflm.")] = "c",
    inputs: Annotated[
        str, typer.Option(help="A .npy or .npz file, or how many random inputs.")
    ] = "8",
    tflm: Annotated[
        Path | None, typer.Option(help="For --runtime tflm: a checkout of tflite-micro.")
    ] = None,
    stack: Annotated[str, typer.Option(help="What to reserve for the stack.")] = "8KiB",
    compiler: Annotated[
        str | None, typer.Option(help="arm-none-eabi-gcc or ziglang; default the first found.")
    ] = None,
    renode: Annotated[str | None, typer.Option(help="Renode's command if not on PATH.")] = None,
    project: Annotated[
        Path | None, typer.Option(help="With --simulator renode: folder for its script and test.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a model as machine code on a simulated board; 0 if it fits and answers bit for bit."""
    with _stdout_to_stderr():
        from mcuprune.engines.simulate import simulate as simulate_model
        from mcuprune.units import parse_bytes

        report = simulate_model(
            model,
            board,
            simulator=simulator,
            runtime=runtime,
            inputs=int(inputs) if inputs.isdigit() else _load_arrays(Path(inputs)),
            tflm=tflm,
            stack_bytes=parse_bytes(stack),
            compiler=compiler,
            renode=renode,
            project=project,
        ).to_json()
    if as_json:
        _print_json(report)
    else:
        from mcuprune.report.simulation import simulation_lines, simulation_table

        # A firmware that does not fit has no numbers yet.
        tables = [] if report["flash_bytes"] is None else [simulation_table(report)]
        _print(*tables, *simulation_lines(report))
    raise typer.Exit(0 if report["succeeds"] else EXIT_EXCEEDED)


@app.command()
def boards(as_json: Json = False) -> None:
    """List boards with core, clock and memories."""
    from mcuprune.boards import board, board_names

    known = [board(name) for name in board_names()]
    if as_json:
        _print_json([device.to_json() for device in known])
    else:
        from mcuprune.report.listing import boards_table

        _print(boards_table(known))


@app.command()
def recipes(as_json: Json = False) -> None:
    """List the recipes that run by name."""
    from mcuprune.recipes.load import recipe_titles

    titles = recipe_titles()
    if as_json:
        _print_json([{"name": name, "title": title} for name, title in titles.items()])
    else:
        from mcuprune.report.listing import recipes_table

        _print(recipes_table(titles))


def main() -> None:
    """Run the command line; ``--debug`` may stand anywhere."""
    # Quiets TensorFlow's C++ side, unless the user has set it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sorted(sys.argv[1:], key=lambda argument: argument != "--debug")
    app(arguments, prog_name="mcuprune")


def _overrides(given: list[str], data: Path | None, seed: int | None) -> list[str]:
    overrides = list(given)
    if data is not None:
        overrides.append(f"data.path={json.dumps(str(data))}")
    if seed is not None:
        overrides.append(f"training.seed={seed}")
    return overrides


def _budget(
    sram: str | None,
    flash: str | None,
    macs: str | None,
    latency: str | None,
    board: str | None,
    reserve_sram: str | None,
    reserve_flash: str | None,
) -> Budget | None:
    from mcuprune.budget import Budget

    if board is None and (reserve_sram or reserve_flash or latency):
        raise InputError("--latency, --reserve-sram and --reserve-flash need --board: name one")
    if board is None:
        return Budget(sram, flash, macs) if sram or flash or macs else None
    of_board = Budget.for_board(board, reserve_sram, reserve_flash, macs, latency)
    return Budget(
        sram or of_board.sram,
        flash or of_board.flash,
        of_board.macs,
        of_board.latency,
        board=board,
    )


def _load_arrays(path: Path) -> Any:
    """Return the array of a .npy file; of a .npz file with several, a list of them."""
    import numpy as np

    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(
            f"{path} {found}: write training inputs to a file with numpy.save, or check the path"
        )
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else list(loaded.values())
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is no readable .npy or .npz file ({error}): write one with numpy.save, or "
            "numpy.savez for several inputs"
        ) from error
    return arrays[0] if len(arrays) == 1 else arrays


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


def _print(*items: Any) -> None:
    from rich.console import Console

    console = Console()
    for item in items:
        console.print(item)


def _import_tensorflow() -> None:
    """Import TensorFlow without the lines it logs before it reads TF_CPP_MIN_LOG_LEVEL."""
    from mcuprune.native_output import caught_stderr

    with caught_stderr():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what libraries write to stdout, from Python or C, to stderr."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
