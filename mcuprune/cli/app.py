"""The application: errors and Ctrl-C become one message and an exit code."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mcuprune.errors import McupruneError

EXIT_EXCEEDED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
# Of the commands in the help: the way of a model, then what there is to choose from.
_ORDER = (
    *("new", "run", "sweep", "select", "groups", "estimate", "check", "deploy", "optimize"),
    *("codegen", "simulate", "report", "recipes", "zoo", "boards", "doctor"),
)


class _ReportingGroup(TyperGroup):
    """Turns our errors and Ctrl-C into one message and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=_ORDER.index)

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
    pretty_exceptions_enable=False,
    help="Makes a Keras model fit a microcontroller, and proves that it does.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"mcuprune {importlib.metadata.version('mcuprune')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    del debug, version  # read by _ReportingGroup, and before any command


def main() -> None:
    """Run the command line; ``--debug`` may stand anywhere."""
    # Quiets TensorFlow's C++ side, unless the user has set it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sorted(sys.argv[1:], key=lambda argument: argument != "--debug")
    app(arguments, prog_name="mcuprune")
