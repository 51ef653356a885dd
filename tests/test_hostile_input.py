"""Names and files from elsewhere do nothing but what they are for.

Names in report pages: tests/report/page/test_render.py and test_in_chromium.py; in Markdown:
tests/report/test_markdown.py; on the page of a sweep: tests/sweep/test_pareto_page.py; in
notebooks: tests/test_notebook.py; in firmware projects: tests/deployment/test_projects.py; Python
code of recipes: tests/recipes/test_user_code.py and tests/test_cli_start.py; YAML:
tests/test_mapping_file.py.
"""

import re
import shutil
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import yaml
from ai_edge_litert import schema_py_generated as schema

from mcuprune import catalogue
from mcuprune.boards import board
from mcuprune.codegen import generate
from mcuprune.errors import InputError, UnknownNameError
from mcuprune.recipes.load import load_recipe
from mcuprune.zoo.collection import copy_model, zoo_folder

ROOT = Path(__file__).parents[1]
HOSTILE = '*/ int main(){return system("touch pwned");} /* \\\\ ??/\\n"; <script>alert(1)</script>'
NAMES = ["../digits", "/etc/passwd", "digits/../digits", "..", "", "digits.yaml/..", "a\\0b"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_the_catalogues_are_no_paths(name, tmp_path):
    for find in (board, load_recipe, zoo_folder, lambda n: copy_model(n, tmp_path / "out")):
        with pytest.raises(InputError):
            find(name)
    with pytest.raises(UnknownNameError):
        catalogue.find("recipes", name, "recipe")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def renamed():
    """A model of the zoo in which every name is hostile."""
    data = (ROOT / "zoo" / "digits-small" / "model.tflite").read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    model.description = HOSTILE
    model.subgraphs[0].name = HOSTILE
    for tensor in model.subgraphs[0].tensors:
        tensor.name = HOSTILE
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("target", ["portable", "cortex-m4"])
def test_names_of_a_model_do_not_reach_generated_c(renamed, target):
    sound = generate((ROOT / "zoo" / "digits-small" / "model.tflite").read_bytes(), target=target)
    assert generate(renamed, target=target).files == sound.files


@pytest.mark.parametrize("name", ["a;b", 'a"', "a b", "a\n", "../a", "int", "", "é", "a*/"])
def test_prefixes_of_generated_c_are_identifiers(name, renamed):
    with pytest.raises(InputError, match="cannot name C functions"):
        generate(renamed, name=name)


@pytest.mark.parametrize(
    "name",
    [
        "x.repl\npython 'import os'",
        "@x",
        "x; quit",
        "../../x.repl",
        "/etc/x.repl",
        "a/../b",
        "-M",
        "x y",
        "$x",
        "x\n",
    ],
)
def test_emulators_of_a_board_are_names_and_not_commands(name, tmp_path):
    content = yaml.safe_load((ROOT / "cost_models/boards/stm32f4-discovery.yaml").read_text())
    content["emulators"] = {"renode": name}
    path = tmp_path / "board.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"emulators\.renode"):
        board(str(path))


@pytest.fixture(scope="module", params=[".keras", ".h5"])
def doubling(request, tmp_path_factory):
    """A file whose Lambda layer doubles its input."""
    import keras

    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x * 2, output_shape=(2,))(inputs)
    path = tmp_path_factory.mktemp("lambda") / f"model{request.param}"
    keras.Model(inputs, outputs).save(path)
    return path


def test_code_in_a_model_is_refused(doubling):
    from mcuprune.ir.read import load_keras

    with pytest.raises(InputError, match="holds a Lambda layer, which is Python code"):
        load_keras(doubling)


def test_code_in_a_model_runs_if_it_is_allowed(doubling):
    from mcuprune.ir.read import load_keras

    loaded = load_keras(doubling, allow_lambda=True)
    np.testing.assert_array_equal(loaded(np.ones((1, 2))), [[2.0, 2.0]])


def test_the_command_needs_a_flag_for_code_in_a_model(doubling, command, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 2), np.float32))
    code, _, said = command("deploy", str(doubling), "--calibration", "x.npy")
    assert code == 2
    assert "--allow-lambda" in said


def test_names_in_a_keras_archive_stay_in_it(tmp_path):
    """Keras reads members by name; what else lies in the archive is not written anywhere."""
    import keras

    path, folder = tmp_path / "model.keras", tmp_path / "work"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../escaped.txt", "out")
    from mcuprune.ir.read import load_keras

    folder.mkdir()
    assert load_keras(path).count_params() == 3
    assert not list(tmp_path.rglob("escaped.txt"))


def test_no_shell_reads_a_name(tmp_path, command):
    """A model's path full of what a shell would run is a path."""
    name = "a; touch pwned; $(touch pwned) `touch pwned` 'x'.tflite"
    shutil.copy(ROOT / "zoo" / "digits-small" / "model.tflite", tmp_path / name)
    for words in (("estimate", name), ("codegen", name, "-o", "c"), ("report", name)):
        assert command(*words)[0] == 0
    assert not list(tmp_path.rglob("pwned"))
    sources = [path.read_text() for path in (ROOT / "mcuprune").rglob("*.py")]
    assert not [text for text in sources if re.search(r"shell=True|os\.system|os\.popen", text)]


@pytest.mark.parametrize("name", ["[bold]x[red]", "a[/b]", "[link=file:///etc]x"])
def test_names_are_no_markup_of_the_console(name, renamed, tmp_path, command):
    """Rich would swallow the brackets, or end with a traceback."""
    model, out = tmp_path / "model.tflite", tmp_path / name.replace("/", "-")
    model.write_bytes(renamed)
    code, said, _ = command("optimize", str(model), "-o", str(out))
    assert code == 0
    assert out.name in said.replace("\n", "")


def test_names_of_layers_are_no_markup_in_tables():
    import keras

    from mcuprune.report.overview import group_overview

    layers = [keras.Input((4,)), keras.layers.Dense(8, name="[bold]x"), keras.layers.Dense(2)]
    assert "[bold]x" in repr(group_overview(keras.Sequential(layers)))
