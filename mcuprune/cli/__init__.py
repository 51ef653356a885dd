"""The ``mcuprune`` command.

Results go to stdout, alone; progress, logs and errors go to stderr. Heavy imports happen inside the
commands: TensorFlow is loaded only by those that need it.
"""

# They register the commands.
from mcuprune.cli import (  # noqa: F401
    checking,
    counting,
    files,
    reporting,
    starting,
    sweeping,
    training,
    zoo,
)
from mcuprune.cli.app import app, main

__all__ = ["app", "main"]
