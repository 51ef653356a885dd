"""The files with which others run ``mcuprune check``: GitHub Action, pre-commit hooks."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[1]
# Distributions whose modules have another name.
MODULES = {"pyyaml": "yaml"}
PROBE = """
import sys
sys.argv = ["mcuprune", "check", "absent.tflite", "--sram", "1KiB"]
from mcuprune import cli
try:
    cli.main()
except SystemExit:
    pass
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def light_requirements() -> list[str]:
    lines = (CHECKOUT / "requirements-check.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_light_requirements_are_those_of_the_package():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert light_requirements()
    assert set(light_requirements()) <= set(project["dependencies"])


def test_check_loads_nothing_of_the_package_but_the_light_requirements():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {line.partition(">")[0].partition("=")[0] for line in project["dependencies"]}
    light = {line.partition(">")[0] for line in light_requirements()}
    heavy = {MODULES.get(name, name).replace("-", "_") for name in names - light}
    said = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert "tensorflow" in heavy
    assert heavy.isdisjoint(said.stdout.split())


def test_the_action_takes_nothing_from_its_inputs_into_a_script():
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite"
    assert {step["shell"] for step in steps} == {"bash"}
    assert all("${{" not in step["run"] for step in steps)
    assert steps[-1]["env"] == {"BUDGETS": "${{ inputs.budgets }}"}
    assert '--budgets "$BUDGETS" --format github' in steps[-1]["run"]


@pytest.mark.parametrize(
    "name", ["model.tflite", "mcuprune-budgets.yaml", "a/mcuprune-budgets.toml"]
)
def test_hooks_run_when_models_or_budgets_change(name):
    import re

    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks:
        assert hook["entry"] == "mcuprune check"
        assert not hook["pass_filenames"]
        assert re.search(hook["files"], name)
        assert not re.search(hook["files"], "train.py")
