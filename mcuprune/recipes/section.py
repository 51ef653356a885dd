"""What all sections of a recipe have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from mcuprune.boards import board
from mcuprune.errors import InputError

Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


@contextlib.contextmanager
def with_key_path() -> Iterator[None]:
    """Let pydantic, which adds the key path to a ValueError, report our own errors."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error)) from error


def _known_board(name: str) -> str:
    with with_key_path():
        board(name)
    return name


BoardName = Annotated[str, AfterValidator(_known_board)]


# Unknown keys are errors, values cannot be changed.
SECTION = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
