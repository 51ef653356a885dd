"""Python files of users that a recipe names: looked at before they are run, run only if allowed."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcuprune.errors import InputError, McupruneError
from mcuprune.suggest import near_file, nearest


def argument_names(path: Path, function: str) -> tuple[str, ...] | None:
    """Return the names of a function's arguments, without running its file.

    Args:
        path: A Python file.
        function: A function at its top level.

    Returns:
        The names; None where they cannot be told: the function takes any (``**options``), or is
        imported or assigned.

    Raises:
        InputError: The file is missing or no Python, or has no such function; names the nearest.
    """
    bound: dict[str, tuple[str, ...] | None] = {}
    for statement in _parsed(path).body:
        if isinstance(statement, ast.FunctionDef):
            bound[statement.name] = _arguments(statement.args)
        elif isinstance(statement, ast.ImportFrom):
            bound.update({(name.asname or name.name): None for name in statement.names})
        elif isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            bound.update(dict.fromkeys(names))
    if function not in bound:
        near = nearest(function, bound)
        hint = f": is it called {near!r}?" if near else ""
        raise InputError(f"{path} has no function {function}(){hint} Define it at the top level")
    return bound[function]


def code_hash(path: Path) -> str:
    """Return a hash of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def require_allowed(files: Sequence[Path], *, is_allowed: bool, folder: Path) -> None:
    """Raise unless files may be run: they lie in the user's own folder, or the user says so.

    Args:
        files: Python files.
        is_allowed: Whether the user has allowed files from anywhere.
        folder: The user's working folder.

    Raises:
        InputError: A file, links followed, lies elsewhere.
    """
    resolved = dict.fromkeys(file.resolve() for file in files)
    outside = [file for file in resolved if not file.is_relative_to(folder.resolve())]
    if outside and not is_allowed:
        raise InputError(
            f"the recipe runs Python code from {' and '.join(map(str, outside))}, not in the "
            f"working folder {folder}: read it, then repeat with --allow-code, or run from its "
            "folder"
        )


def call(path: Path, function: str, arguments: Mapping[str, Any]) -> Any:
    """Run a function of a file.

    While the file runs, it can import what lies beside it.

    Args:
        path: A Python file.
        function: A function at its top level.
        arguments: What to call it with.

    Raises:
        InputError: The code raises; names the line and the error.
    """
    beside = str(path.resolve().parent)
    sys.path.insert(0, beside)
    try:
        return getattr(_module(path), function)(**arguments)
    except McupruneError:
        raise
    except Exception as error:
        raise InputError(
            f"{_place(path, error)} raised {type(error).__name__}: {error}. Correct it; --debug "
            "shows the traceback"
        ) from error
    finally:
        sys.path.remove(beside)


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        found = "is a folder" if path.is_dir() else f"is not readable ({error.strerror})"
        raise InputError(
            f"the Python file {path} {found}: check the path{near_file(path)}"
        ) from error
    except SyntaxError as error:
        raise InputError(
            f"{path}, line {error.lineno} is no valid Python ({error.msg}): correct it"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is no valid Python ({error}): correct it") from error


def _arguments(arguments: ast.arguments) -> tuple[str, ...] | None:
    if arguments.kwarg is not None:
        return None
    return tuple(argument.arg for argument in (*arguments.args, *arguments.kwonlyargs))


def _module(path: Path) -> Any:
    """Return the file as a module; it runs once in a process, as modules do."""
    name = f"mcuprune_user_{code_hash(path)[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Layers that the file registers are looked up by their module when a model is loaded.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _place(path: Path, error: BaseException) -> str:
    """Return the last line of the user's file on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename) == path]
    return f"{path}, line {inside[-1].lineno}, in {inside[-1].name}," if inside else str(path)
