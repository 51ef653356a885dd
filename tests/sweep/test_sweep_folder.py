from __future__ import annotations

import subprocess
import sys

import pytest
from trial_rows import finished

from mcuprune.errors import InputError
from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.folder import SweepFolder

SEARCH = ("sweep.search=optuna", "sweep.sram=[3KiB, 4KiB]")


def test_a_sweep_is_kept_and_goes_on(tmp_path):
    recipe = load_recipe("digits", ["sweep.sram=[3KiB, 4KiB]"])
    folder = SweepFolder(tmp_path / "new")
    folder.begin(recipe, resume=False)
    assert folder.recipe() == recipe
    folder.begin(recipe, resume=True)
    folder.results.put([finished(0, 0.9, 3000)])
    with pytest.raises(InputError, match="1 of 1 trials are done: go on with --resume"):
        folder.begin(recipe, resume=False)


def test_another_recipe_does_not_go_on(tmp_path):
    folder = SweepFolder(tmp_path)
    folder.begin(load_recipe("digits", ["sweep.seeds=2"]), resume=False)
    with pytest.raises(InputError, match=r"\(training, sweep differ\)"):
        folder.begin(load_recipe("digits", ["sweep.seeds=3", "training.seed=1"]), resume=True)


def test_a_search_may_grow(tmp_path):
    folder = SweepFolder(tmp_path)
    folder.begin(load_recipe("digits", [*SEARCH, "sweep.trials=4"]), resume=False)
    folder.begin(load_recipe("digits", [*SEARCH, "sweep.trials=9"]), resume=True)


def test_other_folders_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        SweepFolder(tmp_path).begin(load_recipe("digits", ["sweep.seeds=2"]), resume=False)
    with pytest.raises(InputError, match=r"holds no sweep \(no sweep.yaml"):
        SweepFolder(tmp_path).recipe()
    with pytest.raises(InputError, match="does not exist"):
        SweepFolder(tmp_path / "absent").recipe()


def test_one_process_at_a_time(tmp_path):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    folder = SweepFolder(tmp_path)
    folder.begin(load_recipe("digits", ["sweep.seeds=2"]), resume=False)
    other = """
import sys
from pathlib import Path
from mcuprune.errors import InputError
from mcuprune.sweep.folder import SweepFolder
try:
    with SweepFolder(Path(sys.argv[1])).alone():
        print("alone")
except InputError as error:
    print(error)
"""
    command = [sys.executable, "-c", other, str(tmp_path)]
    with folder.alone():
        assert b"another process runs the sweep" in subprocess.check_output(command)
    assert subprocess.check_output(command) == b"alone\n"
