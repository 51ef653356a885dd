from __future__ import annotations

import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.axes import listed, seeds, varied, with_axes


def test_lists():
    assert listed("16KiB, 32KiB") == ["16KiB", "32KiB"]
    assert listed("4096,8192") == ["4096", "8192"]


@pytest.mark.parametrize("text", ["3,032 B", "3,500 B", "1,000", "4096,,8192", "4KiB,"])
def test_what_may_be_groups_of_digits_is_asked_about(text):
    with pytest.raises(InputError, match=r"digits|empty entry"):
        listed(text)


def test_seeds_are_a_number_or_a_list():
    assert (seeds("3"), seeds("0,7")) == (3, [0, 7])
    with pytest.raises(InputError, match="--seeds 3"):
        seeds("three")


def test_varied_values_are_yaml():
    assert varied(["pruning.options.cuts=1,2", "training.optimizer=adam,sgd"]) == {
        "pruning.options.cuts": [1, 2],
        "training.optimizer": ["adam", "sgd"],
    }
    with pytest.raises(InputError, match="--vary"):
        varied(["training.epochs"])


def test_options_replace_keys_of_the_section():
    recipe = load_recipe("digits", ["sweep.sram=[3KiB]", "sweep.seeds=2"])
    sweep = with_axes(recipe, {"sram": ["4KiB", "5KiB"]}).sweep
    assert sweep is not None
    assert (sweep.sram, sweep.seeds) == ([4096, 5120], 2)
    with pytest.raises(InputError, match="Did you mean 'KiB'"):
        with_axes(recipe, {"sram": ["4KiBi"]})
