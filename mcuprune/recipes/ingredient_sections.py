"""What a recipe says about its data and its network: one of the package, or a user's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeGuard

from pydantic import BaseModel, BeforeValidator, model_validator

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.registry import find_loader
from mcuprune.recipes.models import builder
from mcuprune.recipes.options import check_names, check_options
from mcuprune.recipes.section import SECTION, with_key_path
from mcuprune.recipes.user_code import argument_names

# Filled in from the data set, so a recipe cannot set them.
MODEL_ARGUMENTS_FROM_DATA = ("input_shape", "classes")
# What a user's Python file defines.
DATA_FUNCTION, MODEL_FUNCTION = "load_data", "build_model"


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError(
            "a class's name is text: put it in quotes (YAML reads yes, no, on and off as truths)"
        )
    return name


ClassName = Annotated[str, BeforeValidator(_text)]


def _is_named(name: str | None, code: Path | None, section: str) -> TypeGuard[str]:
    """Return whether a section names what the package has, not a user's file.

    Raises:
        InputError: It names both or neither.
    """
    if (name is None) == (code is None):
        found = "neither" if name is None else "both"
        raise InputError(
            f"found {found}: give {section}.name, what the package has, or {section}.code, a "
            "Python file of yours"
        )
    return name is not None


def _check_code(
    code: Path | None, function: str, options: dict[str, Any], where: str, given: tuple[str, ...]
) -> None:
    """Check, without running it, that a user's function is there and takes the options."""
    assert code is not None
    known = argument_names(code, function)
    if known is not None:
        check_names([name for name in known if name not in given], options, where)


class DataSection(BaseModel):
    """Which data set to load: one of the package by name, or one of a user's Python file.

    Attributes:
        name: ``digits``, ``fsdd`` or ``fashion``.
        code: A Python file with a function ``load_data``, from the recipe's folder.
        path: File or folder that holds the data; ``--data`` overrides it.
        options: Further arguments of the data set's loader.
        class_names: What the classes are called in the report, in the order of their numbers;
            by default what the data set calls them.
    """

    model_config = SECTION

    name: str | None = None
    code: Path | None = None
    path: Path | None = None
    options: dict[str, Any] = {}
    class_names: list[ClassName] = []

    @model_validator(mode="after")
    def _known(self) -> DataSection:
        with with_key_path():
            if _is_named(self.name, self.code, "data"):
                loader = find_loader(self.name)
                check_options(loader, self.options, "data.options", given=("path",))
            else:
                _check_code(self.code, DATA_FUNCTION, self.options, "data.options", ("path",))
        return self


class ModelSection(BaseModel):
    """Which network to build: one of the package by name, or one of a user's Python file.

    Attributes:
        name: A builder of :mod:`mcuprune.recipes.models`.
        code: A Python file with a function ``build_model``, from the recipe's folder.
        options: Further arguments of the builder.
    """

    model_config = SECTION

    name: str | None = None
    code: Path | None = None
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known(self) -> ModelSection:
        given = MODEL_ARGUMENTS_FROM_DATA
        with with_key_path():
            if _is_named(self.name, self.code, "model"):
                check_options(builder(self.name), self.options, "model.options", given=given)
            else:
                _check_code(self.code, MODEL_FUNCTION, self.options, "model.options", given)
        return self
