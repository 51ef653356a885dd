"""Recipes by name, by path and with overrides; every mistake gets its own message."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mcuprune import catalogue
from mcuprune.errors import InputError, UnknownNameError
from mcuprune.recipes.load import apply_override, load_recipe, recipe_titles, validate


def test_the_three_recipes_are_there():
    assert set(recipe_titles()) >= {"digits", "kws-fsdd", "fashion"}
    assert all(recipe_titles().values())


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        # digits: the budget; the others a quarter of the way to the reference.
        ("digits", {"sram": 3032, "flash": 10864, "macs": 40000}),
        ("kws-fsdd", {"sram": 9384, "flash": 17696}),
        ("fashion", {"sram": 17744, "flash": 29892}),
    ],
)
def test_budgets(name, limits):
    assert dict(load_recipe(name).budget.budget().limits()) == limits


def test_path_of_a_users_recipe(tmp_path):
    values = yaml.safe_load(catalogue.find("recipes", "digits", "recipe").read_text())
    values["title"] = "Mine"
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    assert load_recipe(str(path)).title == "Mine"


def test_overrides_are_yaml_values():
    recipe = load_recipe(
        "fashion",
        ["training.learning_rate=1e-3", "model.options={widths: [8, 16, 32]}", "data.path=/x.npz"],
    )
    assert recipe.training.learning_rate == 0.001
    assert recipe.model.options == {"widths": [8, 16, 32]}
    assert recipe.data.path == Path("/x.npz")


def test_an_override_leaves_the_original_alone():
    original = {"a": {"b": 1}}
    assert apply_override(original, "a.b=2") == {"a": {"b": 2}}
    assert original == {"a": {"b": 1}}


def test_unknown_recipe_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown recipe 'digit': did you mean 'digits'"):
        load_recipe("digit")


def test_missing_file():
    with pytest.raises(InputError, match=r"recipe file nowhere\.yaml does not exist.*digits"):
        load_recipe("nowhere.yaml")


def test_a_recipe_of_nearly_that_name_is_named(tmp_path):
    (tmp_path / "gestures.yaml").touch()
    with pytest.raises(InputError, match=r"check the path \(there is .*gestures\.yaml\)"):
        load_recipe(str(tmp_path / "gestures.yml"))


def test_a_folder_is_no_recipe(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        load_recipe(str(tmp_path / "folder.yaml"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1", "no valid YAML"),
        (b"- a\n- b\n", "holds a list of 2, expected a mapping"),
        (b"", "is empty, expected a mapping"),
        (b"\xff\xfe\x00", "is not readable"),
        (b"training:\n  epochs: 3\n  epochs: 4\n", "the key 'epochs' is given 2 times"),
        (b"a: !!python/object/apply:os.system [ls]", "no valid YAML"),
    ],
)
def test_files_that_are_no_recipe(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", r"unknown key 'training\.epoch': did you mean 'training\.epochs'"),
        ("trainin.epochs=3", r"unknown key 'trainin': did you mean 'training'"),
        ("training.epochs=many", r"training\.epochs: .*valid integer.*found 'many'"),
        ("training.optimizer=adm", r"training\.optimizer: .*'adam'.*found 'adm'"),
        ("training.epochs=-1", r"training\.epochs: .*greater than 0"),
        ("pruning.end_epoch=9999", r"from epoch \d+ to 9999 of \d+: pruning\.start_epoch must"),
        ("model.name=resnet", r"model: unknown model 'resnet': did you mean 'resnet8'"),
        ("model.options.width=[4]", r"unknown key in model\.options 'width'.*'widths'"),
        ("model.options.classes=3", r"unknown key in model\.options 'classes'"),
        ("data.name=digit", r"data: unknown data set 'digit': did you mean 'digits'"),
        ("data.options.size=8", r"data: data\.options takes no keys, found 'size'"),
        ("budget.sram=3Kb?", r"budget\.sram: '3Kb\?' is no bytes"),
        ("budget.flash=3KiBi", r"budget\.flash: .*did you mean 'KiB'|Did you mean 'KiB'"),
        ("budget={}", r"budget: the budget is empty"),
        ("deploy.board=nucleo-l4", r"deploy\.board: unknown board .*did you mean 'nucleo-l4r5zi'"),
        ("training=3", r"training: expected a mapping with keys such as epochs, .*found 3$"),
        (
            "budget=",
            r"budget: expected a mapping with keys such as sram, flash, macs, found nothing",
        ),
        ("training.epochs=true", r"training\.epochs: expected a number or text, found true"),
        ("budget.sram=false", r"budget\.sram: expected a number or text, found false"),
        ("title.deep=1", r"title is the value .* it has no keys below it"),
        ("training.epochs", r"is no key\.path=value"),
        ("=3", r"is no key\.path=value"),
        ("title=[", r"--set 'title=\[' is no valid YAML"),
    ],
)
def test_overrides_that_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        load_recipe("digits", [override])


def test_missing_key(tmp_path):
    values = yaml.safe_load(catalogue.find("recipes", "digits", "recipe").read_text())
    del values["training"]["epochs"]
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(InputError, match=r"the key training\.epochs is missing"):
        load_recipe(str(path))


def test_the_simulated_board_is_checked_before_anything_runs():
    with pytest.raises(InputError, match="did you mean 'nucleo-l4r5zi'"):
        load_recipe("digits", ["validate.board=nucleo-l4r5"])
    with pytest.raises(InputError, match=r"did you mean 'validate\.board'"):
        load_recipe("digits", ["validate.boards=nucleo-l4r5zi"])
    assert load_recipe("digits", ["validate.board=null"]).validation.board is None


def test_a_written_recipe_is_read_again():
    recipe = load_recipe("digits")
    assert validate(recipe.model_dump(mode="json"), "a run's recipe.yaml") == recipe


def test_a_folder_or_another_file_is_no_recipe(tmp_path):
    (tmp_path / "model.py").write_text("")
    with pytest.raises(InputError, match=r"is a folder: name a recipe file$"):
        load_recipe(str(tmp_path))
    (tmp_path / "own.yaml").write_text("")
    with pytest.raises(InputError, match=r"is a folder: name the recipe in it, .*own\.yaml"):
        load_recipe(str(tmp_path))
    with pytest.raises(
        InputError, match=r"model\.py is no recipe: name a file that ends in \.yaml"
    ):
        load_recipe(str(tmp_path / "model.py"))
