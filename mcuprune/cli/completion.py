"""Words that the shell completes; nothing heavy is imported for them."""

from __future__ import annotations


def boards(incomplete: str) -> list[str]:
    """Return the boards that begin so."""
    from mcuprune.boards import board_names

    return _beginning(board_names(), incomplete)


def recipes(incomplete: str) -> list[str]:
    """Return the recipes that begin so."""
    from mcuprune import catalogue

    return _beginning(catalogue.names("recipes"), incomplete)


def formats(incomplete: str) -> list[str]:
    """Return the formats of firmware projects that begin so."""
    from mcuprune.deployment.projects.formats import FORMATS

    return _beginning(list(FORMATS), incomplete)


def zoo(incomplete: str) -> list[str]:
    """Return the models of the zoo that begin so."""
    from mcuprune.zoo.collection import zoo_names

    return _beginning(zoo_names(), incomplete)


def _beginning(words: list[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
