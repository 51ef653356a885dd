import pytest

from mcuprune.errors import InputError, UnknownNameError
from mcuprune.zoo.card import read_card
from mcuprune.zoo.collection import copy_model, zoo_card, zoo_folder, zoo_names


def test_each_family_has_three_sizes():
    families = {}
    for name in zoo_names():
        family, size = name.rsplit("-", 1)
        families.setdefault(family, set()).add(size)
    assert "digits" in families
    assert all(sizes == {"small", "medium", "large"} for sizes in families.values())


def test_larger_models_take_more():
    arenas = [
        zoo_card(f"digits-{size}").resources.arena_bytes for size in ("small", "medium", "large")
    ]
    assert arenas == sorted(arenas)
    assert arenas[0] < arenas[2]


def test_a_copy_has_its_card_beside_it(tmp_path):
    path = copy_model("digits-small", tmp_path / "new")
    assert path == tmp_path / "new" / "digits-small.tflite"
    assert path.read_bytes() == (zoo_folder("digits-small") / "model.tflite").read_bytes()
    assert read_card(path.with_suffix(".yaml")) == zoo_card("digits-small")


def test_the_nearest_name_is_told():
    with pytest.raises(UnknownNameError, match="digits-small"):
        zoo_card("digit-small")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="choose with --out a folder"):
        copy_model("digits-small", tmp_path / "taken")
