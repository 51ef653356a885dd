"""Python files of users: looked at, allowed, run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.recipes.user_code import argument_names, call, require_allowed

CODE = """\
import os
from math import floor as lower

raise SystemExit("the file was run")

def load_data(path=None, *, size=3):
    return path

def build_model(**options):
    return options

alias = build_model
"""

COUNTING = """\
from beside_user_code import FACTOR

CALLS = []

def f(x):
    CALLS.append(x)
    return FACTOR * len(CALLS)
"""


def written(folder: Path, text: str, name: str = "model.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("load_data", ("path", "size")), ("build_model", None), ("lower", None), ("alias", None)],
)
def test_functions_are_found_without_running_the_file(function, arguments, tmp_path):
    assert argument_names(written(tmp_path, CODE), function) == arguments


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def load_dat():\n    pass\n", r"no function load_data\(\): is it called 'load_dat'\?"),
        ("x = (1\n", "line 1 is no valid Python"),
        ("class load_data:\n    pass\n", "no function load_data"),
    ],
)
def test_unfit_files_are_named(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        argument_names(written(tmp_path, text), "load_data")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.py is not readable \(No such file"):
        argument_names(tmp_path / "absent.py", "load_data")
    with pytest.raises(InputError, match="is a folder"):
        argument_names(tmp_path, "load_data")


def test_code_of_the_working_folder_is_allowed(tmp_path):
    code = written(tmp_path, CODE)
    require_allowed([code], is_allowed=False, folder=tmp_path)
    require_allowed([code], is_allowed=False, folder=tmp_path.parent)
    with pytest.raises(InputError, match="--allow-code"):
        require_allowed([code], is_allowed=False, folder=tmp_path / "below")
    require_allowed([code], is_allowed=True, folder=tmp_path / "below")


def test_a_link_out_of_the_working_folder_is_not(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "model.py").symlink_to(written(tmp_path, CODE))
    with pytest.raises(InputError, match="not in the working folder"):
        require_allowed([own / "model.py"], is_allowed=False, folder=own)
    with pytest.raises(InputError, match="not in the working folder"):
        require_allowed([own / ".." / "model.py"], is_allowed=False, folder=own)


def test_a_file_runs_once_and_imports_what_lies_beside_it(tmp_path):
    written(tmp_path, "FACTOR = 3\n", "beside_user_code.py")
    code = written(tmp_path, COUNTING)
    assert [call(code, "f", {"x": 1}), call(code, "f", {"x": 2})] == [3, 6]
    assert str(tmp_path) not in sys.path


def test_a_changed_file_runs_anew(tmp_path):
    assert call(written(tmp_path, "def f():\n    return 1\n"), "f", {}) == 1
    assert call(written(tmp_path, "def f():\n    return 2\n"), "f", {}) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def f():\n    return open('absent.npz')\n",
            r"model\.py, line 2, in f, raised FileNotFoundError",
        ),
        (
            "import no_such_package\ndef f(): pass\n",
            r"line 1, in <module>, raised ModuleNotFoundError",
        ),
        ("def f(x):\n    pass\n", r"model\.py raised TypeError: f\(\) missing"),
    ],
)
def test_what_the_code_raises_is_named_with_its_line(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        call(written(tmp_path, text), "f", {})


def test_our_own_errors_pass_through(tmp_path):
    text = (
        "from mcuprune.errors import UnsupportedModelError\n"
        "def f():\n    raise UnsupportedModelError('as it is')\n"
    )
    with pytest.raises(UnsupportedModelError, match=r"^as it is$"):
        call(written(tmp_path, text), "f", {})
