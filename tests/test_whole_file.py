from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mcuprune.whole_file import beside, sweep, whole_file, write_whole


def ended_process():
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "model.keras"
    with whole_file(path) as part:
        assert part.suffix == ".keras"
        part.write_text("half")
        assert not path.exists()
        part.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["model.keras"]


def interrupted(path):
    """Write half a file, then stop."""
    with whole_file(path) as part:
        part.write_text("ne")
        raise KeyboardInterrupt


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "stage.json"
    write_whole(path, "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["stage.json"]


def test_text_and_bytes(tmp_path):
    write_whole(tmp_path / "text", "µ")
    write_whole(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == "µ".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    path, ended = tmp_path / "model.keras", ended_process()
    left = [f".model.keras.{ended}.part.keras", f".model.keras.{ended}.old"]
    (tmp_path / left[0]).write_text("half")
    (tmp_path / left[1]).mkdir()
    running, other = beside(path, "part.keras"), tmp_path / f".stage.json.{ended}.part.json"
    running.write_text(str(os.getpid()))
    other.write_text("of another file")
    unnumbered = tmp_path / ".model.keras.swp"
    unnumbered.write_text("an editor's")
    sweep(path)
    assert names(tmp_path) == sorted([running.name, other.name, unnumbered.name])
