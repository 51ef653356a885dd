"""The docs' catalogues are those of the package."""

import importlib.util
from pathlib import Path

import pytest

from mcuprune import catalogue
from mcuprune.boards import board_names

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("catalogues", DOCS / "catalogues.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(hook, page: str) -> list[str]:
    text = hook.on_page_markdown((DOCS / page).read_text(encoding="utf-8"))
    assert "<!-- catalogue" not in text
    return text.splitlines()


def test_boards_page_lists_every_board(hook):
    lines = shown(hook, "boards.md")
    for name in board_names():
        assert any(line.startswith(f"| `{name}` | ") for line in lines)
    nucleo = next(line for line in lines if line.startswith("| `nucleo-l4r5zi`"))
    assert "| cortex-m4 | 120 | 640 | 640 | 2,048 | cortexm" in nucleo


def test_recipes_page_lists_every_recipe_with_its_budget(hook):
    lines = shown(hook, "recipes.md")
    for name in catalogue.names("recipes"):
        assert any(line.startswith(f"| `{name}` | ") for line in lines)
    digits = next(line for line in lines if line.startswith("| `digits`"))
    assert "| 60 | 3,032 B sram, 10,864 B flash, 40,000 MACs |" in digits
