"""Reads files of nested keys (YAML, TOML) into checked models; every error names the key path."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mcuprune.errors import InputError
from mcuprune.suggest import nearest

Model = TypeVar("Model", bound=BaseModel)
# Files of this kind have some kilobytes. YAML's aliases can make a short one expand without end.
MAX_FILE_BYTES = 2**20
MAX_VALUES = 100_000
MAX_DEPTH = 50
# Besides YAML's own: what PyYAML lets through for numbers that Python refuses (5,000 digits), for
# dates (``2001-99-99``) and for values that are not what their tag says (``!!timestamp x``).
_DEFECTS = (yaml.YAMLError, ValueError, AttributeError, KeyError, IndexError, TypeError)


def read_mapping(path: Path, what: str, expected: str) -> dict[str, Any]:
    """Return the contents of a file: TOML if its name ends so, else YAML.

    Args:
        path: The file.
        what: What the error calls it (``"recipe file"``).
        expected: For the error: what keys it has, and what to do.

    Raises:
        InputError: It is not readable, or holds no mapping.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > MAX_FILE_BYTES:
            raise InputError(
                f"{what} {path} has {size_bytes:,} bytes, {MAX_FILE_BYTES:,} are allowed: check "
                "whether it is the right file"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{what} {path} is not readable ({error}): check it") from error
    parse = _toml_value if path.suffix == ".toml" else yaml_value
    values = parse(text, f"{what} {path}")
    if not isinstance(values, dict):
        found = "is empty" if values is None else f"holds {_in_yaml(values)}"
        raise InputError(f"{what} {path} {found}, expected a mapping with keys such as {expected}")
    return values


def build(model: type[Model], values: Mapping[str, Any], what: str) -> Model:
    """Build a model from nested mappings.

    Args:
        model: A pydantic model that forbids unknown keys.
        values: Its contents.
        what: What the error calls them.

    Raises:
        InputError: A key is unknown or missing, or a value is not allowed; the message has one
            line per finding, each with its key path.
    """
    truths = [
        f"{path}: expected a number or text, found {value}" for path, value in _truths(values)
    ]
    if truths:
        raise InputError(f"{what}: " + "\n".join(truths))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        findings = [_finding(model, dict(found)) for found in error.errors()]
        raise InputError(f"{what}: " + "\n".join(findings)) from error


def yaml_value(text: str, what: str) -> Any:
    """Return what a YAML text holds.

    Args:
        text: The text.
        what: What the error calls it.

    Raises:
        InputError: It is no YAML, gives a key twice, is nested over 50 deep, or holds over 100,000
            values, those that aliases stand for counted each time.

    >>> yaml_value("[1, 2]", "the text")
    [1, 2]
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise InputError(f"{what} is nested over {MAX_DEPTH} deep: correct it") from None
    except _DEFECTS as error:
        place = " ".join(str(error).split())
        raise InputError(f"{what} is no valid YAML ({place}): correct it") from error


def _toml_value(text: str, what: str) -> Any:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{what} is nested over {MAX_DEPTH} deep: correct it") from None
    except ValueError as error:
        raise InputError(f"{what} is no valid TOML ({error}): correct it") from error


def _truths(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each true or false: no key takes one, but Python would count them as 1 and 0.

    Options are left to the functions that take them.
    """
    for key, value in values.items():
        if isinstance(value, bool):
            yield str(key), str(value).lower()
        elif isinstance(value, Mapping) and key != "options":
            yield from ((f"{key}.{path}", truth) for path, truth in _truths(value))


def _finding(model: type[BaseModel], found: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        return _unknown_key(model, found["loc"])
    if found["type"] == "missing":
        return f"the key {path} is missing: add it"
    if found["type"] == "model_type":
        value = _in_yaml(found["input"])
        return (
            f"{path}: expected a mapping with keys such as {_examples(model, found['loc'])}, "
            f"found {value}"
        )
    message = found["msg"].removeprefix("Value error, ")
    prefix = f"{path}: " if path else ""
    value = "" if isinstance(found["input"], dict) else f" (found {found['input']!r})"
    return f"{prefix}{message[:1].lower()}{message[1:]}{value}"


def _in_yaml(value: Any) -> str:
    """Say what a value is in the words of a file's author."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)


def _examples(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    return ", ".join(list(_fields_at(model, location))[:3])


def _unknown_key(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    known = sorted(_fields_at(model, location[:-1]))
    path = ".".join(str(part) for part in location)
    near = nearest(str(location[-1]), known)
    section = ".".join(str(part) for part in location[:-1])
    full = f"{section}.{near}" if section else near
    hint = f" did you mean {full!r}?" if near else ""
    return f"unknown key {path!r}:{hint} Known: {', '.join(known)}."


def _fields_at(model: type[BaseModel], location: tuple[str | int, ...]) -> Mapping[str, FieldInfo]:
    """Return the keys known at a place, below whatever keys or positions lead there."""
    inner: Any = model
    for part in location:
        section = _section_of(inner)
        is_key = section is inner
        inner = _fields_by_key(section)[str(part)].annotation if is_key else section
    return _fields_by_key(_section_of(inner))


def _section_of(annotation: Any) -> Any:
    """Return the model that an annotation is, or that its list, mapping or option holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section_of(argument) for argument in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _fields_by_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


# Of the key ``<<``, whose value is merged into the mapping.
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Refuses keys given twice, of which YAML would silently take the last, and endless values."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _count_values(node, {}, 0)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        places = [where for where, _ in node.value if where.tag != _MERGE]
        keys = [self.construct_object(where, deep=True) for where in places]
        # Those that cannot be keys are named by the mapping's own check.
        given = Counter(key for key in keys if isinstance(key, Hashable))
        for where, key in zip(places, keys, strict=True):
            if isinstance(key, Hashable) and given[key] > 1:
                raise _at(where, f"the key {key!r} is given {given[key]} times")
        return super().construct_mapping(node, deep)


def _count_values(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Return how many values a node stands for; raise where they are too many or too deep."""
    if depth > MAX_DEPTH:
        raise _at(node, f"values are nested over {MAX_DEPTH} deep, or hold themselves")
    if id(node) not in known:
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_count_values(part, known, depth + 1) for part in parts)
    if known[id(node)] > MAX_VALUES:
        raise _at(node, f"it stands for over {MAX_VALUES:,} values, aliases counted each time")
    return known[id(node)]


def _at(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
