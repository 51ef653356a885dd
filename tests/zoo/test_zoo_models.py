"""Every model of the zoo is what its card says; the measures come from LiteRT and TFLM."""

import dataclasses
from pathlib import Path

import pytest

from mcuprune.recipes.load import load_recipe
from mcuprune.zoo.collection import zoo_card, zoo_names
from mcuprune.zoo.measure import verify

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PLACES = {
    "kws-fsdd": DATA / "fsdd" / "fsdd.npz",
    "fashion": DATA / "fashion_mnist" / "fashion_mnist.npz",
}
FOUND_WITHOUT_DATA = ["sha256", "arena B", "flash B", "MACs", "operators"]


@pytest.mark.parametrize("name", zoo_names())
def test_the_file_is_what_its_card_says(name):
    findings = verify(name)
    assert [each.what for each in findings][:5] == FOUND_WITHOUT_DATA
    assert [dataclasses.astuple(each) for each in findings if not each.agrees] == []


@pytest.mark.parametrize("name", zoo_names())
def test_a_card_fits_its_budget_and_names_a_recipe(name):
    card = zoo_card(name)
    assert card.name == name
    assert card.resources.arena_bytes <= card.budget.sram_bytes
    assert card.resources.flash_bytes <= card.budget.flash_bytes
    recipe = load_recipe(card.recipe.name, card.recipe.overrides)
    budget = recipe.budget.budget(None)
    assert (budget.sram, budget.flash) == (card.budget.sram_bytes, card.budget.flash_bytes)
    assert len(card.classes) == 10


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in zoo_names() if zoo_card(n).recipe.name in PLACES])
def test_what_depends_on_the_data_is_what_the_card_says(name):
    data = PLACES[zoo_card(name).recipe.name]
    if not data.exists():
        pytest.skip(f"no data at {data}")
    of_the_data = verify(name, data)[len(FOUND_WITHOUT_DATA) :]
    assert "int8 %" in [each.what for each in of_the_data]
    assert [dataclasses.astuple(each) for each in of_the_data if not each.agrees] == []


@pytest.mark.parametrize("name", [n for n in zoo_names() if n.startswith("keywords")])
def test_cards_of_keywords_have_numbers_for_each_coefficient(name):
    normalisation = zoo_card(name).normalisation
    assert len(normalisation.mean) == len(normalisation.deviation) == 10
    assert min(normalisation.deviation) > 0
