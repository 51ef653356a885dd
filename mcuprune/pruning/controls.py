"""What a user holds pruning to: layers left out, fewest and most channels, rounding."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from mcuprune.channels.groups import Groups
from mcuprune.channels.outputs import groups_put_out
from mcuprune.errors import InputError
from mcuprune.pruning.allowed import Allowed, allowed_widths
from mcuprune.pruning.arguments import channel_numbers, layer_selectors, whole_number
from mcuprune.pruning.schedule import target
from mcuprune.pruning.selection import Selection

# A number for all groups, or one per layer name, pattern or class.
ChannelNumbers: TypeAlias = int | Mapping[str, int]
_Choice: TypeAlias = Callable[[int, int], int]
_Rounding: TypeAlias = Callable[[Fraction], int]


@dataclasses.dataclass(frozen=True)
class Controls:
    """The controls as a user gives them, checked as far as that goes without a model.

    Attributes:
        exclude: Names, patterns or classes of layers whose output channels all stay.
        round_to: Widths become multiples of this; None leaves it to the budget's board.
        min_channels: Fewest channels of a group.
        max_channels: Most channels of a group, or None.
    """

    exclude: tuple[str, ...] = ()
    round_to: int | None = None
    min_channels: ChannelNumbers = 1
    max_channels: ChannelNumbers | None = None

    @classmethod
    def given(
        cls,
        exclude: str | type | Iterable[str | type],
        round_to: int | None,
        min_channels: int | Mapping[str | type, int],
        max_channels: int | Mapping[str | type, int] | None,
    ) -> Controls:
        """Check and take over arguments of a user.

        Raises:
            InputError: An argument is of another type, a number is below 1, or ``max_channels`` is
                below ``min_channels``.
        """
        fewest = channel_numbers("min_channels", min_channels)
        most = None if max_channels is None else channel_numbers("max_channels", max_channels)
        if isinstance(fewest, int) and isinstance(most, int) and most < fewest:
            raise InputError(
                f"max_channels {most} is below min_channels {fewest}: raise the one or lower the "
                "other"
            )
        return cls(
            exclude=layer_selectors(exclude),
            round_to=None if round_to is None else whole_number("round_to", round_to, at_least=1),
            min_channels=fewest,
            max_channels=most,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the arguments as plain values, classes by name."""
        fields = dataclasses.asdict(self)
        return {**fields, "exclude": list(self.exclude)}

    def on(self, groups: Groups, multiple: int) -> GroupControls:
        """Apply the controls to the groups of a model.

        Args:
            groups: The coupling groups.
            multiple: What widths become multiples of where ``round_to`` is None.

        Raises:
            InputError: A name, pattern or class matches no layer, or a group's cap lies below its
                floor.
        """
        found = _GroupsOfLayers(groups)
        excluded = {group for text in self.exclude for group in found.find(text, "exclude")}
        floors, caps = found.floors(self.min_channels), found.caps(self.max_channels)
        for group in caps:
            if caps[group] < floors.get(group, 1):
                raise InputError(
                    f"max_channels allows group {group!r} {caps[group]} channels, min_channels "
                    f"asks for {floors[group]}: raise the one or lower the other"
                )
        return GroupControls(frozenset(excluded), floors, caps, self.round_to or multiple)

    def refuse_vain_caps(self, groups: Groups, excluded: frozenset[str]) -> None:
        """Refuse a cap that chooses only groups that keep their channels.

        Args:
            groups: The coupling groups of the model.
            excluded: Names of the groups that ``exclude`` keeps.

        Raises:
            InputError: Names the cap and why the group keeps its channels.
        """
        if not isinstance(self.max_channels, Mapping):
            return
        found = _GroupsOfLayers(groups)
        for text, cap in self.max_channels.items():
            chosen = [groups.groups[name] for name in found.find(text, "max_channels")]
            kept = {g.name: "it is excluded" if g.name in excluded else g.frozen for g in chosen}
            if all(kept.values()) and any(group.width > cap for group in chosen):
                name, reason = next(iter(kept.items()))
                raise InputError(
                    f"max_channels: {text!r} cannot be cut to {cap} channels: group {name!r} keeps "
                    f"its {groups.groups[name].width} ({reason}). Leave it out of max_channels."
                )


@dataclasses.dataclass(frozen=True)
class GroupControls:
    """The controls per coupling group of one model.

    Attributes:
        excluded: Names of the groups that keep all channels.
        floors: Fewest channels per group, where there is a floor.
        caps: Most channels per group, where there is a cap.
        multiple: What widths become multiples of.
    """

    excluded: frozenset[str]
    floors: Mapping[str, int]
    caps: Mapping[str, int]
    multiple: int

    def allowed(self, group: str, width: int, first: int, fraction: float) -> Allowed:
        """Return the widths that a group may take.

        Args:
            group: Name of the group.
            width: Channels that it has.
            first: Channels that it had before pruning.
            fraction: Elapsed share of the pruning phase; a cap comes down with it.
        """
        cap = self.caps.get(group)
        due = None if cap is None else math.ceil(target(first, cap, fraction))
        return allowed_widths(width, self.multiple, self.floors.get(group, 1), due)


class _GroupsOfLayers:
    """Finds the groups that the outputs of chosen layers consist of."""

    def __init__(self, groups: Groups) -> None:
        self._selection = Selection(groups.graph.layers)
        self._groups = groups.groups
        self._put_out = groups_put_out(groups)

    def find(self, text: str, argument: str) -> list[str]:
        """Return names of groups, in execution order."""
        layers = self._selection.find(text, argument)
        found = {group for layer in layers for group in self._put_out[layer]}
        return [name for name in self._groups if name in found]

    def floors(self, given: ChannelNumbers) -> dict[str, int]:
        """Return the fewest channels per group; of several numbers, the largest."""
        return self._numbers("min_channels", given, max, math.ceil)

    def caps(self, given: ChannelNumbers | None) -> dict[str, int]:
        """Return the most channels per group; of several numbers, the smallest."""
        return {} if given is None else self._numbers("max_channels", given, min, math.floor)

    def _numbers(
        self, argument: str, given: ChannelNumbers, strictest: _Choice, whole: _Rounding
    ) -> dict[str, int]:
        if isinstance(given, int):
            return dict.fromkeys(self._groups, given)
        numbers: dict[str, int] = {}
        for text, number in given.items():
            for layer in self._selection.find(text, argument):
                for group, share in self._shares(layer).items():
                    own = max(1, whole(number * share))
                    numbers[group] = strictest(numbers.get(group, own), own)
        return numbers

    def _shares(self, layer: str) -> dict[str, Fraction]:
        """Return the groups of a layer, and each one's share of a number given for the layer.

        The channels that a layer makes can fall into several groups; its number is theirs together.
        """
        found = self._put_out[layer]
        made = [name for name in found if layer in self._groups[name].producers]
        total = sum(self._groups[name].width for name in made)
        return {
            name: Fraction(self._groups[name].width, total) if name in made else Fraction(1)
            for name in found
        }
