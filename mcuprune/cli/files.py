"""Commands that write a model for a device, or run it there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import (
    import_tensorflow,
    load_arrays,
    load_test_set,
    print_all,
    print_json,
    stdout_to_stderr,
)
from mcuprune.cli.options import (
    BoardName,
    Flash,
    Json,
    Latency,
    Macs,
    ReserveFlash,
    ReserveSram,
    Sram,
    budget_from,
)


@app.command()
def deploy(
    model: Annotated[Path, typer.Argument(help="A .keras or .h5 file.")],
    calibration: Annotated[
        Path,
        typer.Option(help="Inputs as in training: .npy, (n, ...); .npz in order for several."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("deployment"),
    test: Annotated[
        Path | None,
        typer.Option(help="Measure accuracy on a .npz: inputs x, (n, ...), class numbers y, (n,)."),
    ] = None,
    class_names: Annotated[
        str | None,
        typer.Option(help="For the report, by class number: rest,shake,circle."),
    ] = None,
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
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="Write a firmware project besides: arduino, platformio, zephyr, esp-idf, cmake or "
            "cmsis-pack; can be repeated.",
            autocompletion=completion.formats,
        ),
    ] = None,
    runtime: Annotated[
        str, typer.Option(help="What runs the model there: c (generated C) or tflm.")
    ] = "c",
    allow_lambda: Annotated[
        bool,
        typer.Option("--allow-lambda", help="Run the Python code of the file's Lambda layers."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Convert a Keras model to int8, verify it and write its deployment folder."""
    budget = budget_from(sram, flash, macs, latency, board, reserve_sram, reserve_flash)
    with stdout_to_stderr():
        import_tensorflow()
        from mcuprune.deployment.package import deploy as deploy_model
        from mcuprune.ir.read import load_keras

        deployment = deploy_model(
            load_keras(model, allow_lambda=allow_lambda),
            load_arrays(calibration),
            out,
            board=board,
            budget=budget,
            test=None if test is None else load_test_set(test),
            class_names=None if class_names is None else class_names.split(","),
            plan_memory=plan_memory,
            format=format_,
            runtime=runtime,
        )
    if as_json:
        print_json(deployment.to_json())
    else:
        from mcuprune.report.doubts import doubt_lines
        from mcuprune.report.memory_plan import saved_lines
        from mcuprune.report.summary import arena_lines
        from mcuprune.report.table import resources_table, runtime_note, verdict_table

        verdict = [] if deployment.verdict is None else [verdict_table(deployment.verdict)]
        report = deployment.to_json()
        note = runtime_note(deployment.resources)
        accuracy = [] if test is None else [f"Accuracy: {deployment.accuracy}."]
        notes = [note, *verdict, *accuracy, *arena_lines(report), *saved_lines(report)]
        notes += doubt_lines(report)
        projects = "".join(f", {out / name}" for name in deployment.formats)
        print_all(resources_table(deployment.resources), *notes, f"Written to {out}{projects}")
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
    with stdout_to_stderr():
        from mcuprune.deployment.optimize import optimize_file

        optimized = optimize_file(
            model, out, reorder=reorder, in_place=in_place, time_limit_s=time_limit
        )
    if as_json:
        print_json({"model": str(model), "out": str(out), **optimized.to_json()})
    else:
        from mcuprune.report.memory_plan import plan_lines, plan_table

        found = optimized.to_json()
        print_all(plan_table(found), *plan_lines(found), f"Written: {out}")


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
        print_json(report)
    else:
        from mcuprune.report.generated_code import code_lines, code_table

        print_all(code_table(report), *code_lines(report))


@app.command()
def simulate(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    board: Annotated[
        str, typer.Option(help="The board to simulate.", autocompletion=completion.boards)
    ],
    simulator: Annotated[str, typer.Option(help="cortexm, qemu or renode.")] = "cortexm",
    runtime: Annotated[str, typer.Option(help="c: generated C; tflm.")] = "c",
    inputs: Annotated[
        str, typer.Option(help="A .npy or .npz file, or how many random inputs.")
    ] = "8",
    tflm: Annotated[
        Path | None, typer.Option(help="For --runtime tflm: a checkout of tflite-micro, or fetch.")
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
    with stdout_to_stderr():
        from mcuprune.engines.simulate import simulate as simulate_model
        from mcuprune.units import parse_bytes

        report = simulate_model(
            model,
            board,
            simulator=simulator,
            runtime=runtime,
            inputs=int(inputs) if inputs.isdigit() else load_arrays(Path(inputs)),
            tflm=tflm,
            stack_bytes=parse_bytes(stack),
            compiler=compiler,
            renode=renode,
            project=project,
        ).to_json()
    if as_json:
        print_json(report)
    else:
        from mcuprune.report.simulation import simulation_lines, simulation_table

        # A firmware that does not fit has no numbers yet.
        tables = [] if report["flash_bytes"] is None else [simulation_table(report)]
        print_all(*tables, *simulation_lines(report))
    raise typer.Exit(0 if report["succeeds"] else EXIT_EXCEEDED)
