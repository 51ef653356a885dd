"""Writes a recipe for a user's own model, to begin with."""

from __future__ import annotations

from pathlib import Path

from mcuprune.boards import board as find_board
from mcuprune.engines.cross_compiler import CORES
from mcuprune.errors import InputError

_FLASH = "  flash: 14 KiB           # the .tflite file"
# TensorFlow Lite Micro's code for the starter's operators takes 68,733 B with CMSIS-NN (predicted).
_FLASH_OF_BOARD = (
    "  flash: 96 KiB           # the .tflite file and the runtime's code, where it is known"
)
STARTER = Path(__file__).parent / "starter"
_RECIPE, CODE_FILE = "recipe.yaml", "model.py"


def write_starter(folder: Path, board: str | None = None) -> tuple[Path, Path]:
    """Write a commented recipe and the Python file that it names; both run as they are.

    Args:
        folder: Where to write; made if absent. Its name becomes the model's.
        board: A board of the catalogue that the model is for, or None.

    Returns:
        The recipe and the Python file.

    Raises:
        UnknownNameError: No such board; names the nearest.
        InputError: One of the files is there already, or the folder cannot be written.
    """
    name = _name(folder)
    # Named like the model, since runs are called after their recipe.
    recipe, code = folder / f"{name}.yaml", folder / CODE_FILE
    texts = {recipe: _text(_RECIPE, name, board), code: _text(CODE_FILE, name, board)}
    there = [str(path) for path in texts if path.exists()]
    if there:
        raise InputError(f"{' and '.join(there)} exist already: choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror or error}): choose another folder"
        ) from error
    return recipe, code


def _text(file: str, name: str, board: str | None) -> str:
    text = (STARTER / f"{file}.txt").read_text(encoding="utf-8")
    latency = "  # latency: 50 ms       # predicted, on deploy.board\n" if board else ""
    values = {
        "@NAME@": name,
        "@FLASH@": _FLASH if board is None else _FLASH_OF_BOARD,
        "@LATENCY@": latency,
        "@BOARD@": board or "null             # a name of mcuprune boards",
        "@SIMULATED@": _simulated(board),
    }
    for place, value in values.items():
        text = text.replace(place, value)
    return text


def _name(folder: Path) -> str:
    """Return the folder's name as Keras takes it for a model, and every system for a file."""
    kept = [
        letter if letter.isalnum() and letter.isascii() else "_" for letter in folder.resolve().name
    ]
    return "".join(kept).strip("_").lower() or "model"


def _simulated(board: str | None) -> str:
    if board is None:
        return "nucleo-l4r5zi    # null for none"
    return (
        board
        if find_board(board).core in CORES
        else "null             # no simulator has this core"
    )
