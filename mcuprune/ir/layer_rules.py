"""A table of rules by layer class: what the Keras readers know of each layer type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

R = TypeVar("R", bound=Callable[..., object])


class LayerRules(Generic[R]):
    """Rules by the layer's class name, registered with a decorator.

    >>> rules = LayerRules()
    >>> @rules.register("Conv1D", "Conv2D")
    ... def convolution(): ...
    >>> sorted(rules.known)
    ['Conv1D', 'Conv2D']
    """

    def __init__(self) -> None:
        self._rules: dict[str, R] = {}

    @property
    def known(self) -> Mapping[str, R]:
        """The rules registered so far, by class name."""
        return self._rules

    def register(self, *kinds: str) -> Callable[[R], R]:
        """Return a decorator that registers a rule for layer classes by name."""

        def remember(rule: R) -> R:
            for kind in kinds:
                self._rules[kind] = rule
            return rule

        return remember
