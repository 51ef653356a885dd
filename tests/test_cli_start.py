"""The first commands: new, doctor, and completion in the shell."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from mcuprune import cli
from mcuprune.engines.installed import REQUIRED, Tool


def test_new_says_what_to_do_next(command, tmp_path):
    code, out, err = command("new", "gestures")
    assert (code, err) == (0, "")
    assert "mcuprune run gestures/gestures.yaml" in out
    assert (tmp_path / "gestures" / "model.py").is_file()
    code, _, err = command("new", "gestures")
    assert code == 2
    assert "exist already" in err


def test_new_as_json(command):
    _, out, _ = command("new", "here", "--json")
    assert json.loads(out) == {"recipe": "here/here.yaml", "code": "here/model.py"}


def test_run_asks_before_it_runs_code_from_elsewhere(command, tmp_path, monkeypatch):
    command("new", "own")
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("PWD", str(tmp_path / "work"))
    code, out, err = command("run", "own/own.yaml", "--set", "model.code=/absent.py")
    assert (code, out) == (2, "")
    assert "/absent.py is not readable" in err
    os.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "argv", ["mcuprune", "run", "../own/own.yaml"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2


def test_version(command):
    assert command("--version") == (0, f"mcuprune {importlib.metadata.version('mcuprune')}\n", "")


def test_doctor(command):
    code, out, _ = command("doctor")
    assert code == 0
    assert "tensorflow" in out
    assert "tflite-micro" in out


def test_doctor_as_json(command):
    code, out, _ = command("doctor", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"name", "purpose", "version", "need", "hint"} == set(report["tools"][0])


def test_doctor_fails_if_something_required_is_missing(command, monkeypatch):
    missing = Tool("keras", "networks", None, REQUIRED, "pip install keras")
    monkeypatch.setattr("mcuprune.engines.installed.installed_tools", lambda: (missing,))
    code, out, _ = command("doctor")
    assert code == 1
    assert "required: keras: pip install keras" in out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mcuprune dep", ["deploy"]),
        ("mcuprune estimate model.tflite --board nucleo-l4", ["nucleo-l476rg", "nucleo-l4r5zi"]),
        ("mcuprune run kws", ["kws-fsdd"]),
        ("mcuprune deploy m.keras --format cm", ["cmake", "cmsis-pack"]),
        ("mcuprune check --boa", ["--board"]),
    ],
)
def test_the_shell_completes(line, expected):
    words = line.split()
    environment = {
        **os.environ,
        "_MCUPRUNE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    said = subprocess.run(
        [sys.executable, "-m", "mcuprune"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert said.stdout.split() == expected


@pytest.mark.parametrize("arguments", [["doctor"], ["new", "own"], ["check"], ["--version"]])
def test_the_first_commands_load_nothing_heavy(arguments, tmp_path):
    script = (
        f"import sys; sys.argv = ['mcuprune', *{arguments!r}]\n"
        "from mcuprune import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "print('loaded:', 'tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert said.stdout.splitlines()[-1] == "loaded: False"
