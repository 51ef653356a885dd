"""The smallest arena in which TFLM can allocate a model, found by trying.

It can exceed the arena that TFLM uses afterwards, because planning needs working memory of its
own: 3,520 against 3,088 bytes for a seven-operator network.

Some kernels crash when memory runs out, so a child process tries; its death counts as a no.
Run as a module, this is the child: the model's path as argument, an arena size in bytes per line
on standard input, "yes" or "no" per line on standard output.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError
from mcuprune.native_output import caught_stderr

STEP_BYTES = 16


def smallest_arena(model: bytes) -> int:
    """Return the smallest arena, in bytes (a multiple of 16), that this TFLM can allocate in.

    Args:
        model: Contents of a ``.tflite`` file.

    Raises:
        InputError: The model is no sound TFLite file.
        EngineError: TFLM refuses the model at any size.
    """
    used = TFLM().arena(model)
    too_small = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        with _Trial(path) as trial:
            enough = _first_enough(trial, used.total_bytes)
            while enough - too_small > STEP_BYTES:
                middle = (too_small + enough) // (2 * STEP_BYTES) * STEP_BYTES
                if trial.allocates(middle):
                    enough = middle
                else:
                    too_small = middle
    return enough


def _first_enough(trial: _Trial, used_bytes: int) -> int:
    size_bytes = -(-used_bytes // STEP_BYTES) * STEP_BYTES
    for _ in range(6):
        if trial.allocates(size_bytes):
            return size_bytes
        size_bytes *= 2
    raise EngineError(
        f"TFLM uses {used_bytes:,} bytes of arena for the model, yet cannot allocate it in "
        f"{size_bytes // 2:,}: its version may not match, install the pinned tflite-micro"
    )


class _Trial:
    """A child process that tries arena sizes, started anew when it dies."""

    def __init__(self, model: Path) -> None:
        # Without -P a file of the user, such as select.py, would hide a module of Python's.
        self._command = [sys.executable, "-P", "-m", __name__, str(model)]
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def allocates(self, size_bytes: int) -> bool:
        if self._child is None:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{size_bytes}\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline().strip()
        if not answer:
            self._end()
        return answer == "yes"

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


def _answer_trials(model: bytes) -> None:
    from tflite_micro.python.tflite_micro import runtime

    for line in sys.stdin:
        with caught_stderr():
            try:
                runtime.Interpreter.from_bytes(model, arena_size=int(line))
                answer = "yes"
            except RuntimeError:
                answer = "no"
        print(answer, flush=True)


if __name__ == "__main__":
    _answer_trials(Path(sys.argv[1]).read_bytes())
