"""Files of keys from anywhere: taken, or refused with an error that names file and key."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from malformed.text_files import MODEL, READERS

from mcuprune.errors import InputError, McupruneError
from mcuprune.mapping_file import MAX_FILE_BYTES, yaml_value

# Eight to the sixth are 262,144 values of 60 characters or so.
LAUGHS = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x]"]
    + [
        f"{one}: &{one} [{', '.join(['*' + before] * 8)}]"
        for before, one in zip("abcde", "bcdef", strict=True)
    ]
)
ROOT = Path(__file__).parents[1]
SOUND = {
    "recipe": ROOT / "recipes" / "digits.yaml",
    "board": ROOT / "cost_models" / "boards" / "nucleo-l4r5zi.yaml",
}
KEYS = [
    *("title", "data", "model", "budget", "training", "pruning", "deploy", "quantization", "path"),
    *("name", "code", "options", "epochs", "seed", "sram", "flash", "macs", "latency", "board"),
    *("models", "core", "memories", "size_bytes", "kind", "source", "addresses", "speeds", "power"),
]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 2000, "nested over 50 deep"),
        ("{a: " * 60 + "1" + "}" * 60, "nested over 50 deep"),
        ("a: &a [*a]", "hold themselves"),
        (LAUGHS, "over 100,000 values"),
        ("a: 1\nb: 2\na: 3", "the key 'a' is given 2 times"),
        ("? [1]\n: 2", "unhashable key"),
        ("a: " + "1" * 5000, "4300 digits"),
        ("a: 2001-99-99", "month must be in 1..12"),
        ("a: !!timestamp x", "no valid YAML"),
        ("a: !!bool x", "no valid YAML"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: \0", "special characters are not allowed"),
    ],
)
def test_yaml_that_is_refused(text, problem):
    with pytest.raises(InputError, match=r"^the file is n.*") as refused:
        yaml_value(text, "the file")
    assert problem in str(refused.value)


def test_aliases_are_values_like_others():
    assert yaml_value("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a", "the file") == {
        "a": {"x": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1},
    }


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        "- 1",
        "3",
        "[[[",
        "a = " + "[" * 2000,
        "a = 1979-99-99",
        "models: 3",
        "[models]",
    ],
)
def test_what_is_no_mapping_names_the_file(reader, text, tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        READERS[reader](text.encode(), tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_bytes_that_are_no_text_name_the_file(reader, tmp_path):
    with pytest.raises(InputError, match=rf"{tmp_path}.* is not readable"):
        READERS[reader](b"\xff\xfe\x00", tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_files_of_a_megabyte_are_not_read(reader, tmp_path):
    with pytest.raises(InputError, match="1,048,577 bytes, 1,048,576 are allowed"):
        READERS[reader](b"#" * (MAX_FILE_BYTES + 1), tmp_path)


@pytest.mark.parametrize("path", ["a\\0b", "../absent.tflite", "/"])
def test_models_that_are_not_there_are_named(path, tmp_path):
    text = f'models: {{mine: {{path: "{path}", sram: 1KiB}}}}'
    with pytest.raises(InputError, match="mine"):
        READERS["budgets-yaml"](text.encode(), tmp_path)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["digits", "4KiB", "50ms", "adam", "cortex-m4", "sram", MODEL.name, ".", "a.py"]
    ),
    st.dates(),
    st.binary(max_size=4),
)
keys = st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), st.text(max_size=4), st.integers())
structures = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
sections = st.dictionaries(keys, structures, max_size=6)


@pytest.mark.parametrize("reader", ["recipe", "board", "budgets-yaml"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=sections)
def test_any_structure_is_taken_or_refused(reader, values, tmp_path):
    """The error names the file; a sound file is what none of these is."""
    text = yaml.safe_dump(values)
    with pytest.raises(McupruneError, match=r"recipe\.yaml|board\.yaml|budgets\.yaml|models\."):
        READERS[reader](text.encode(), tmp_path)


@pytest.mark.parametrize("reader", ["recipe", "board"])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=structures, place=st.integers(0, 2**30))
def test_sound_files_with_one_value_exchanged(reader, values, place, tmp_path):
    """Taken, or refused with an error that names the section of the value."""
    sound = yaml.safe_load(SOUND[reader].read_text())
    chance = random.Random(place)
    section, key = chance.choice(list(_places(sound)))
    section[key] = values
    said = _said(reader, yaml.safe_dump(sound).encode(), tmp_path)
    assert said is None or f"{reader}.yaml" in said


def _said(reader, data, folder):
    try:
        READERS[reader](data, folder)
    except McupruneError as error:
        return str(error)
    return None


def _places(values):
    for key, value in values.items():
        yield values, key
        if isinstance(value, dict):
            yield from _places(value)
