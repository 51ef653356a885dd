"""The recipe to begin with."""

from __future__ import annotations

import pytest

from mcuprune.errors import InputError, UnknownNameError
from mcuprune.recipes.ingredients import build_network, load_data
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.new import write_starter
from mcuprune.recipes.run import run_recipe
from mcuprune.recipes.stages import check_pruning


@pytest.mark.parametrize("board", [None, "nucleo-f446re", "esp32-s3-devkitc"])
def test_it_is_valid_for_its_data(board, tmp_path):
    recipe_file, _ = write_starter(tmp_path / "gestures", board)
    recipe = load_recipe(str(recipe_file))
    data = load_data(recipe.data)
    assert (recipe.title, recipe.deploy.board) == ("gestures", board)
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (1197, 300, 300)
    assert build_network(recipe.model, data).name == "gestures"


def test_a_board_without_simulator_is_not_simulated(tmp_path):
    boards = {None: "nucleo-l4r5zi", "nucleo-f446re": "nucleo-f446re", "esp32-s3-devkitc": None}
    for number, (board, simulated) in enumerate(boards.items()):
        recipe_file, _ = write_starter(tmp_path / str(number), board)
        assert load_recipe(str(recipe_file)).validation.board == simulated


@pytest.mark.parametrize("board", [None, "nucleo-f446re", "esp32-s3-devkitc", "rp2040-pico"])
def test_the_budget_can_be_met(board, tmp_path):
    recipe_file, _ = write_starter(tmp_path / "gestures", board)
    recipe = load_recipe(str(recipe_file))
    check_pruning(recipe, load_data(recipe.data))


@pytest.mark.slow
def test_it_runs_as_it_is_and_meets_its_budget(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe_file, _ = write_starter(tmp_path / "gestures")
    outcome = run_recipe(load_recipe(str(recipe_file)), tmp_path / "run")
    assert outcome.fits
    assert outcome.report["accuracy"]["int8"] >= 0.97


@pytest.mark.parametrize(
    ("folder", "name"), [("My Model!", "my_model"), ("größe", "gr__e"), ("...", "model")]
)
def test_the_folder_names_the_model(folder, name, tmp_path):
    recipe_file, code = write_starter(tmp_path / "in" / folder)
    assert (recipe_file.name, code.name) == (f"{name}.yaml", "model.py")
    assert load_recipe(str(recipe_file)).title == name


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "model.py").write_text("mine")
    with pytest.raises(InputError, match=r"model\.py exist already"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        write_starter(tmp_path / "file" / "below")
    with pytest.raises(UnknownNameError, match="did you mean 'nucleo-f446re'"):
        write_starter(tmp_path / "x", "nucleo-f446")
    assert not (tmp_path / "x").exists()
