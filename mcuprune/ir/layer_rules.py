"""A table of rules by layer class: what the Keras readers know of each layer type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from mcuprune.ir.keras_graph import is_keras_class, layer_class

R = TypeVar("R", bound=Callable[..., object])


class LayerRules(Generic[R]):
    """Rules for Keras's own layers by class name, for users' layers by class.

    >>> rules = LayerRules()
    >>> @rules.register("Conv1D", "Conv2D")
    ... def convolution(): ...
    >>> sorted(rules.known)
    ['Conv1D', 'Conv2D']
    """

    def __init__(self) -> None:
        self._rules: dict[str, R] = {}
        self._users: dict[type, R] = {}

    @property
    def known(self) -> Mapping[str, R]:
        """The rules of Keras's own layers, by class name."""
        return self._rules

    def register(self, *kinds: str) -> Callable[[R], R]:
        """Return a decorator that registers a rule for Keras's own layers by class name."""

        def remember(rule: R) -> R:
            for kind in kinds:
                self._rules[kind] = rule
            return rule

        return remember

    def register_class(self, *kinds: type) -> Callable[[R], R]:
        """Return a decorator that registers a rule for layer classes."""

        def remember(rule: R) -> R:
            for kind in kinds:
                self._users[kind] = rule
            return rule

        return remember

    def find(self, layer: Any) -> R | None:
        """Return the rule of a layer's class, None if there is none.

        A class of the user's that merely bears the name of one of Keras's does not get its rule,
        nor does a derived one with a ``call`` of its own, which may do something else.
        """
        own = getattr(type(layer), "_mcuprune_base", type(layer))
        if own in self._users:
            return self._users[own]
        kind = layer_class(layer)
        if kind in self._users:
            return self._users[kind]
        return self._rules.get(kind.__name__) if is_keras_class(kind) else None
