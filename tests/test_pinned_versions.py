"""The files of pinned versions suit pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.version import Version

CHECKOUT = Path(__file__).parents[1]
OWN_EXTRAS = ("boards", "sweep", "tensorboard", "tf-keras", "dev")


def required() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in OWN_EXTRAS for line in extras[name])]
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != "mcuprune"]


def pinned(name: str) -> dict[str, Version]:
    """Read the versions that a file has for this Python and platform."""
    found = {}
    for line in (CHECKOUT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", " ")):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate(default_environment()):
                (pin,) = requirement.specifier
                assert pin.operator == "=="
                found[requirement.name.lower()] = Version(pin.version)
    return found


@pytest.mark.parametrize("name", ["constraints.txt", ".ci/lowest.txt"])
def test_every_requirement_is_pinned_within_its_range(name):
    versions = pinned(name)
    for requirement in required():
        found = versions[requirement.name.lower()]
        assert requirement.specifier.contains(found, prereleases=True), requirement


def test_the_lowest_versions_are_the_lower_bounds():
    versions = pinned(".ci/lowest.txt")
    for name in ("tensorflow", "keras", "ai-edge-litert", "typer", "unicorn", "ray", "optuna"):
        (requirement,) = [found for found in required() if found.name == name]
        (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
        assert versions[name].release[:2] == Version(bound).release[:2]
