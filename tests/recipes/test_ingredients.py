"""Data and network of a recipe from a user's Python file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mcuprune.errors import InputError, UnknownNameError
from mcuprune.recipes.fingerprints import reference_fingerprint
from mcuprune.recipes.ingredient_sections import DataSection, ModelSection
from mcuprune.recipes.ingredients import allow_code, build_network, load_data
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.schema import Recipe

LOADER = """\
import numpy as np

def load_data(classes=3, path=None):
    labels = np.arange(6) % classes
    return [(np.ones((6, 4), kind), labels) for kind in (np.uint8, np.float64, np.float32)]
"""
BUILDER = """
import keras

def build_model(input_shape, classes, width=5):
    inputs = keras.Input(input_shape)
    hidden = keras.layers.Dense(width, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(classes)(hidden))
"""


@pytest.fixture
def code(tmp_path) -> Path:
    path = tmp_path / "model.py"
    path.write_text(LOADER + BUILDER, encoding="utf-8")
    return path


def recipe(folder: Path, **sections: object) -> Recipe:
    values = {
        "title": "own",
        "data": {"code": "model.py"},
        "model": {"code": "model.py"},
        "training": {"epochs": 2},
        "pruning": {"start_epoch": 0, "end_epoch": 1},
        "reference": {"epochs": 1},
        "budget": {"macs": 100},
    }
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({**values, **sections}), encoding="utf-8")
    return load_recipe(str(path))


def test_data_and_network_come_from_the_file_beside_the_recipe(code, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    found = recipe(code.parent, model={"code": "model.py", "options": {"width": 7}})
    data = load_data(found.data)
    assert (data.classes, data.input_shape) == (3, (4,))
    assert (data.x_train.dtype, data.y_test.dtype) == (np.float32, np.int64)
    assert [layer.units for layer in build_network(found.model, data).layers[1:]] == [7, 3]


def test_a_data_set_of_the_package_goes_with_a_network_of_the_user(code):
    text = BUILDER.replace("hidden = ", "inputs_1d = keras.layers.Flatten()(inputs)\n    hidden = ")
    code.write_text(text.replace("(inputs)\n    return", "(inputs_1d)\n    return"))
    found = recipe(code.parent, data={"name": "digits"})
    assert build_network(found.model, load_data(found.data)).output_shape == (None, 10)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "found neither: give model.name"),
        ({"name": "resnet8", "code": "model.py"}, "found both: give model.name"),
        ({"code": "absent.py"}, "absent.py is not readable"),
        ({"code": "model.py", "options": {"wdth": 7}}, "did you mean 'width'"),
        ({"code": "model.py", "options": {"classes": 7}}, "unknown key in model.options 'classes'"),
    ],
)
def test_wrong_sections_are_named(section, message, code):
    with pytest.raises(InputError, match=message):
        recipe(code.parent, model=section)


def test_options_and_path_reach_the_loader(code):
    section = DataSection(code=code, options={"classes": 2}, path=code)
    assert load_data(section).classes == 2


def test_a_path_needs_an_argument(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("def load_data():\n    pass\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no argument path"):
        load_data(DataSection(code=path, path=path))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "must return"),
        ("[(1, 2), (3, 4)]", "must return"),
        ("[(np.ones((2, 4)), np.eye(2))] * 3", "of one-hot labels take labels.argmax"),
        ("[(np.ones((2, 4)), np.array(['a', 'b']))] * 3", "of text the place"),
        ("[(np.ones((2, 4)), np.arange(3))] * 3", "2 train inputs but labels of shape"),
        ("[(np.full((2, 4), np.nan), np.arange(2))] * 3", "the train inputs hold NaN"),
        ("[(np.ones((2, 4)), np.arange(2) - 1)] * 3", "labels run from -1"),
    ],
)
def test_data_of_another_form_is_refused(returned, message, tmp_path):
    path = tmp_path / "model.py"
    path.write_text(f"import numpy as np\ndef load_data():\n    return {returned}\n")
    with pytest.raises(InputError, match=message):
        load_data(DataSection(code=path))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "must return a keras.Model, found int"),
        ("return keras.Sequential([keras.layers.Dense(3)])", "begin with keras.Input"),
        (
            "return keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])",
            r"takes inputs of shape \(5,\), the data has \(4,\)",
        ),
        (
            "return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])",
            r"gives outputs of shape \(1,\), the labels run from 0 to 2",
        ),
    ],
)
def test_networks_that_do_not_fit_the_data_are_refused(body, message, code):
    code.write_text(LOADER + f"import keras\ndef build_model():\n    {body}\n", encoding="utf-8")
    data = load_data(DataSection(code=code))
    with pytest.raises(InputError, match=message):
        build_network(ModelSection(code=code), data)


def test_code_from_elsewhere_needs_permission(code, monkeypatch, tmp_path_factory, capsys):
    found = recipe(code.parent)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(InputError, match="--allow-code"):
        allow_code(found, is_allowed=False)
    allow_code(found, is_allowed=True)
    monkeypatch.chdir(code.parent)
    allow_code(found, is_allowed=False)
    said = capsys.readouterr().err
    assert said.count("load_data() of") == 2
    assert said.count("build_model() of") == 2


def test_a_recipe_is_read_without_running_its_code(code):
    code.write_text("raise SystemExit\n" + LOADER + BUILDER, encoding="utf-8")
    assert recipe(code.parent).model.code == code


def test_a_changed_network_is_another_reference(code):
    found = recipe(code.parent)
    data = load_data(found.data)
    before = reference_fingerprint(found, data)
    code.write_text(code.read_text().replace("relu", "tanh"), encoding="utf-8")
    assert reference_fingerprint(found, data) != before


def test_a_kept_recipe_finds_its_code(code, tmp_path):
    """A run writes its recipe into the run folder."""
    found = recipe(code.parent)
    kept = tmp_path / "runs" / "recipe.yaml"
    kept.parent.mkdir()
    kept.write_text(yaml.safe_dump(found.model_dump(mode="json")), encoding="utf-8")
    assert load_recipe(str(kept)) == found


def test_formats_of_projects_are_checked(code):
    assert recipe(code.parent, deploy={"format": "cmake"}).deploy.format == ["cmake"]
    assert recipe(code.parent, deploy={"format": ["zephyr", "cmake"]}).deploy.format == [
        "zephyr",
        "cmake",
    ]
    with pytest.raises(InputError, match="did you mean 'cmake'"):
        recipe(code.parent, deploy={"format": "cmak"})
    with pytest.raises(InputError, match=r"deploy\.format"):
        recipe(code.parent, deploy={"format": 3})


def test_an_unknown_data_set_still_names_the_nearest(code):
    with pytest.raises(InputError, match="did you mean 'digits'"):
        recipe(code.parent, data={"name": "digit"})
    assert issubclass(UnknownNameError, InputError)


def test_a_recipe_names_the_classes(code):
    section = {"code": "model.py", "class_names": ["up", "down", "yes"]}
    assert load_data(recipe(code.parent, data=section).data).class_names == ("up", "down", "yes")
    section["class_names"] = ["up", "down"]
    with pytest.raises(InputError, match="class_names has 2 names for 3 classes"):
        load_data(recipe(code.parent, data=section).data)


def test_names_that_yaml_reads_as_truths_are_told(code):
    section = {"code": "model.py", "class_names": ["up", "down", True]}
    with pytest.raises(InputError, match=r"data\.class_names\.2: .*put it in quotes"):
        recipe(code.parent, data=section)
