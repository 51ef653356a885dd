"""Commands for many runs of a recipe, and for the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import import_tensorflow, print_all, print_json, stdout_to_stderr
from mcuprune.cli.options import AllowCode, DataPath, Epochs, Json, Overrides, overrides_of

if TYPE_CHECKING:
    from mcuprune.recipes.schema import Recipe

Several = Annotated[str | None, typer.Option(help="Limits to try, such as 16KiB,32KiB.")]


@app.command()
def sweep(
    recipe: Annotated[
        str,
        typer.Argument(
            help="A recipe's name or .yaml file; with --resume a sweep's folder does too.",
            autocompletion=completion.recipes,
        ),
    ],
    sram: Several = None,
    flash: Several = None,
    macs: Annotated[str | None, typer.Option(help="Limits to try, such as 1M,2M.")] = None,
    latency: Annotated[str | None, typer.Option(help="Limits to try, such as 5ms,10ms.")] = None,
    board: Annotated[
        str | None, typer.Option(help="Boards, such as a,b.", autocompletion=completion.boards)
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Number of seeds, or a list 0,7.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", help="key.path=value,value; can be repeated."),
    ] = None,
    search: Annotated[str | None, typer.Option(help="grid or optuna.")] = None,
    trials: Annotated[int | None, typer.Option(help="With --search optuna: how many.")] = None,
    stop: Annotated[
        str | None, typer.Option(help="dominated: end hopeless trials early; never.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default sweeps/RECIPE.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is there.")] = False,
    workers: Annotated[int | None, typer.Option(help="Trials at once; default all cores.")] = None,
    cpus: Annotated[int, typer.Option(help="Cores for each trial.")] = 1,
    gpus: Annotated[float, typer.Option(help="GPUs for each trial; 0.5 shares one.")] = 0.0,
    ray_address: Annotated[
        str | None, typer.Option(help="A running Ray cluster: auto, host:6379.")
    ] = None,
    data: DataPath = None,
    set_: Overrides = None,
    epochs: Epochs = None,
    allow_code: AllowCode = False,
    as_json: Json = False,
) -> None:
    """Run a recipe over budgets, boards and seeds; show the front of accuracy against resources."""
    from mcuprune.sweep.cluster import Workers, require_ray
    from mcuprune.sweep.grid import sweep_of

    axes = _axes(sram, flash, macs, latency, board, seeds, vary, search, trials, stop)
    chosen, folder = _chosen(recipe, out, resume, axes, data, set_ or [], epochs)
    sweep_of(chosen)
    placed = Workers(workers, cpus, gpus, ray_address)
    with stdout_to_stderr():
        require_ray()
        import_tensorflow()
        from mcuprune.sweep.run import run_sweep

        summary = run_sweep(chosen, folder, workers=placed, resume=resume, allow_code=allow_code)
    if as_json:
        print_json(summary.to_json())
    else:
        for item in summary.items():
            # Texts are not wrapped, so that paths can be copied.
            typer.echo(item) if isinstance(item, str) else print_all(item)
    raise typer.Exit(0 if summary.front else EXIT_EXCEEDED)


@app.command()
def select(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    board: Annotated[
        str | None, typer.Option(help="The board to ship on.", autocompletion=completion.boards)
    ] = None,
    max_sram: Annotated[str | None, typer.Option(help="Limit, such as 32KiB.")] = None,
    max_flash: Annotated[str | None, typer.Option(help="Limit, such as 128KiB.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Limit, such as 2M.")] = None,
    max_latency: Annotated[
        str | None, typer.Option(help="With --board: limit, such as 10ms.")
    ] = None,
    min_accuracy: Annotated[
        float, typer.Option(help="Least int8 accuracy, 0 to 1.", min=0.0, max=1.0)
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Pick the trial of a sweep to ship, and say why; 1 if none meets the limits."""
    from mcuprune.sweep.select import select_trial

    choice = select_trial(
        folder,
        board=board,
        max_sram=max_sram,
        max_flash=max_flash,
        max_macs=max_macs,
        max_latency=max_latency,
        min_accuracy=min_accuracy,
    )
    if as_json:
        print_json(choice.to_json())
    else:
        typer.echo(str(choice))
        if choice.deployment is not None:
            typer.echo(f"Deployment: {choice.deployment}")
    raise typer.Exit(0 if choice.winner is not None else EXIT_EXCEEDED)


def _axes(
    sram: str | None,
    flash: str | None,
    macs: str | None,
    latency: str | None,
    board: str | None,
    seeds: str | None,
    vary: Sequence[str] | None,
    search: str | None,
    trials: int | None,
    stop: str | None,
) -> dict[str, Any]:
    """Return the keys of a recipe's section ``sweep`` that the options set."""
    from mcuprune.sweep import axes

    lists = {"sram": sram, "flash": flash, "macs": macs, "latency": latency, "boards": board}
    given: dict[str, Any] = {
        name: axes.listed(text) for name, text in lists.items() if text is not None
    }
    if seeds is not None:
        given["seeds"] = axes.seeds(seeds)
    if vary:
        given["vary"] = axes.varied(vary)
    plain = {"search": search, "trials": trials, "stop": stop}
    return {**given, **{name: value for name, value in plain.items() if value is not None}}


def _chosen(
    name: str,
    out: Path | None,
    resume: bool,
    axes: dict[str, Any],
    data: Path | None,
    overrides: list[str],
    epochs: int | None,
) -> tuple[Recipe, Path]:
    """Return the recipe with its sweep, and the folder; of a sweep's folder, what it holds."""
    from mcuprune.recipes.load import load_recipe
    from mcuprune.sweep.axes import with_axes
    from mcuprune.sweep.folder import SweepFolder

    begun = SweepFolder(Path(name))
    if resume and begun.is_begun:
        return with_axes(begun.recipe(), axes), begun.path
    loaded = load_recipe(name, overrides_of(overrides, data, None), epochs)
    return with_axes(loaded, axes), out or Path("sweeps") / Path(name).stem
