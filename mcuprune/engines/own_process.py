"""Runs an engine in a process of its own, for files of unknown origin.

TFLM and LiteRT are C++ code that trusts the file: a damaged one can crash them or keep them busy
for ever, and would take the user's process along. A child process runs them instead. What it
answers is read as numbers alone, never as code.

Run as a module, this is the child: the engine's name and a folder as arguments, which holds the
model and its inputs and takes the answers.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.array_file import read_arrays
from mcuprune.child_process import failure_of
from mcuprune.engines.base import ArenaUse, Array, Engine, EngineRun, matching_inputs
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError, McupruneError
from mcuprune.ir.from_tflite import parse_tflite

# A host runs some hundred million multiply-accumulates a second, a microcontroller's model has
# some ten million: nothing that fits a device takes this long.
LIMIT_S = 600.0
ENGINES: Mapping[str, Callable[[], Engine]] = {"tflm": TFLM, "litert": LiteRT}
_MODEL, _INPUTS, _OUTPUTS, _SAID = "model.tflite", "inputs.npz", "outputs.npz", "said.json"


@dataclasses.dataclass(frozen=True)
class OwnProcess:
    """An engine in a process of its own.

    Args:
        name: Of the engine, ``"tflm"`` or ``"litert"``.
        limit_s: Wall time after which the process is ended, s.
    """

    name: str
    limit_s: float = LIMIT_S

    def run(self, model: bytes, inputs: Array | Sequence[Array]) -> EngineRun:
        """Execute the model on each input.

        See :class:`mcuprune.engines.base.Engine` for arguments and errors.

        Raises:
            InputError: The model is no sound TFLite file.
            EngineError: The inputs do not match the model, the engine refuses it, crashes or does
                not end.
        """
        arrays = matching_inputs(parse_tflite(model, "the model"), inputs)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / _MODEL).write_bytes(model)
            np.savez(folder / _INPUTS, *arrays)
            self._run_child(folder)
            return _answer(folder, self.name)

    def _run_child(self, folder: Path) -> None:
        try:
            failed = failure_of(__name__, self.name, str(folder), limit_s=self.limit_s)
        except TimeoutError:
            raise EngineError(
                f"{self.name} had no answer after {self.limit_s:g} s and was ended: the file asks "
                "for far more work than a microcontroller can do, look at its shapes with "
                "mcuprune estimate"
            ) from None
        if failed is not None:
            _, cause = failed
            raise EngineError(
                f"{self.name} crashed on the model ({cause}): the file asks for something "
                "that its kernels do not check, so it may crash a device too; convert the model "
                "anew, or report it to the runtime's developers"
            )


def _answer(folder: Path, name: str) -> EngineRun:
    try:
        said = json.loads((folder / _SAID).read_text(encoding="utf-8"))
        if said["refusal"] is not None:
            raise EngineError(str(said["refusal"]))
        answers = tuple(read_arrays(folder / _OUTPUTS).values())
        arena = None if said["arena"] is None else ArenaUse(**said["arena"])
        return EngineRun(answers, arena, name, str(said["version"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"{name} ended without an answer that can be read ({error}): the model may have "
            "damaged its process; convert the model anew"
        ) from None


def _answer_once(name: str, folder: Path) -> None:
    model = (folder / _MODEL).read_bytes()
    arrays = list(read_arrays(folder / _INPUTS).values())
    said: dict[str, Any] = {"refusal": None, "arena": None, "version": ""}
    try:
        run = ENGINES[name]().run(model, arrays)
    except McupruneError as error:
        said["refusal"] = str(error)
    else:
        np.savez(folder / _OUTPUTS, *run.all_outputs)
        said["version"] = run.version
        said["arena"] = None if run.arena is None else dataclasses.asdict(run.arena)
    (folder / _SAID).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    _answer_once(sys.argv[1], Path(sys.argv[2]))
