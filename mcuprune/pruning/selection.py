"""Which layers of a model a user means: by name, by pattern or by class."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from mcuprune.errors import InputError
from mcuprune.suggest import nearest


class Selection:
    """Finds layers by what a user calls them.

    A text is first a name or a pattern (``"stem*"``; case matters) of layers. Layers of nested
    models have paths (``"encoder/conv"``), and the path of a nested model stands for all that is in
    it. A text that matches no name is a class or a pattern of classes (``"Dense"``); layers of
    classes derived from it count too.

    Args:
        layers: The layers of the model by path, in execution order.
    """

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._names = {name: _with_holders(name) for name in layers}
        self._classes = {name: _class_names(layer) for name, layer in layers.items()}

    def find(self, selector: str, argument: str) -> tuple[str, ...]:
        """Return the paths of the layers that a text chooses, in execution order.

        Args:
            selector: Name, pattern or class.
            argument: Where the user wrote it, for the message.

        Raises:
            InputError: No layer matches: a misspelt name would silently change nothing. Names the
                nearest.
        """
        by_name = _matching(self._names, selector)
        found = by_name or _matching(self._classes, selector)
        if not found:
            raise InputError(self._no_match(selector, argument))
        return found

    def _no_match(self, selector: str, argument: str) -> str:
        names, classes = list(self._names), list({c[0]: None for c in self._classes.values()})
        near = nearest(selector.strip("*?"), [*names, *classes])
        hint = f" did you mean {near!r}?" if near else ""
        return (
            f"{argument}: no layer matches {selector!r}:{hint} Layers: {_some(names)} "
            f"Classes: {_some(classes)}"
        )


def _matching(words: Mapping[str, tuple[str, ...]], pattern: str) -> tuple[str, ...]:
    return tuple(
        layer
        for layer, known in words.items()
        if any(fnmatch.fnmatchcase(word, pattern) for word in known)
    )


def _with_holders(path: str) -> tuple[str, ...]:
    """Return a layer's path and the paths of the nested models that hold it."""
    parts = path.split("/")
    return tuple("/".join(parts[:count]) for count in range(len(parts), 0, -1))


def _class_names(layer: Any) -> tuple[str, ...]:
    """Return the names of a layer's class and of those it is derived from, its own first."""
    own = getattr(type(layer), "_mcuprune_base", type(layer))
    return tuple(kind.__name__ for kind in own.__mro__ if kind is not object)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more." if len(names) > 10 else f"{shown}."
