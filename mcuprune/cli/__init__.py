"""The ``mcuprune`` command.

Results go to stdout, alone; progress, logs and errors go to stderr. Heavy imports happen inside the
commands: TensorFlow is loaded only by those that need it.
"""

from mcuprune.cli import checking, counting, files, training  # noqa: F401  (they register the commands)
from mcuprune.cli.app import app, main

__all__ = ["app", "main"]
