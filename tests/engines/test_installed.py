"""What is installed, and how to get what is missing."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from mcuprune.engines.installed import (
    REQUIRED,
    Tool,
    installed_tools,
    package_version,
    program_version,
)
from mcuprune.report.installed import missing_lines, tools_table


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)


def test_packages_are_those_of_this_environment():
    versions = {tool.name: tool.version for tool in installed_tools()}
    for name in ("tensorflow", "keras", "ai-edge-litert", "tflite-micro"):
        assert versions[name] == importlib.metadata.version(name)
    assert {tool.need for tool in installed_tools()} == {"required", "optional"}


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo 'thing (Debian 1.2-3) 12.2.0'", "1.2"),
        ("echo 'QEMU emulator version 7.2.22 (Debian 1:7.2)'", "7.2.22"),
        ("echo nothing", "found"),
    ],
)
def test_programs_say_their_version(script, version, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program(tmp_path, "thing", script)
    assert program_version(["absent-thing", "thing"]) == version


def test_missing_programs_and_packages(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program_version(["cc"]) is None
    assert package_version("no-such-package-at-all") is None
    # No program can be started.
    (tmp_path / "cc").write_text("no program")
    (tmp_path / "cc").chmod(0o755)
    assert program_version(["cc"]) is None


def test_a_renode_that_the_environment_names(monkeypatch, tmp_path):
    program(tmp_path, "my-renode", "echo 'Renode v1.15.3.1578'")
    monkeypatch.setenv("MCUPRUNE_RENODE", str(tmp_path / "my-renode"))
    assert {tool.name: tool.version for tool in installed_tools()}["renode"] == "1.15.3.1578"
    monkeypatch.setenv("MCUPRUNE_RENODE", str(tmp_path / "no-renode"))
    assert {tool.name: tool.version for tool in installed_tools()}["renode"] is None


def test_ways_to_get_what_is_missing_stand_together_the_required_first():
    tools = [
        Tool("a", "x", None, "optional", "pip install z"),
        Tool("b", "x", None, "optional", "pip install z"),
        Tool("c", "x", "1.0", "optional", "pip install y"),
        Tool("d", "x", None, REQUIRED, "reinstall"),
    ]
    assert missing_lines(tools) == ["required: d: reinstall", "optional: a, b: pip install z"]
    assert missing_lines(tools[2:3]) == ["Nothing is missing."]
    assert tools_table(tools).row_count == 4
