"""The widths that a coupling group may take."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Allowed:
    """Widths from ``smallest`` to ``largest`` in steps.

    Attributes:
        smallest: A multiple of ``multiple``, or the largest.
        largest: A multiple too, or the group's own width or cap where those are none.
        multiple: Step of the widths, at least 1.
    """

    smallest: int
    largest: int
    multiple: int = 1

    def nearest(self, width: float) -> int:
        """Return the allowed width closest to ``width``.

        >>> Allowed(4, 10, multiple=4).nearest(6.5), Allowed(4, 10, multiple=4).nearest(9.5)
        (8, 10)
        """
        below = self._within(int(width) // self.multiple * self.multiple)
        above = self.wider(below)
        return above if above - width < width - below else below

    def narrower(self, width: int, steps: int = 1) -> int:
        """Return the allowed width some steps below ``width``, the smallest at least.

        >>> Allowed(4, 18, multiple=4).narrower(18), Allowed(4, 18, multiple=4).narrower(16, 2)
        (16, 8)
        """
        return self._within((_up(width, self.multiple) // self.multiple - steps) * self.multiple)

    def wider(self, width: int, steps: int = 1) -> int:
        """Return the allowed width some steps above ``width``, the largest at most.

        >>> Allowed(4, 18, multiple=4).wider(12), Allowed(4, 18, multiple=4).wider(16)
        (16, 18)
        """
        return self._within((width // self.multiple + steps) * self.multiple)

    def at_least(self, width: int) -> Allowed:
        """Return the allowed widths that are no narrower than one of them.

        >>> Allowed(4, 18, multiple=4).at_least(12)
        Allowed(smallest=12, largest=18, multiple=4)
        """
        return dataclasses.replace(self, smallest=min(max(self.smallest, width), self.largest))

    def _within(self, width: int) -> int:
        return min(max(width, self.smallest), self.largest)


def allowed_widths(
    width: int, multiple: int = 1, floor: int = 1, cap: int | None = None
) -> Allowed:
    """Return the widths that a group may take.

    They are multiples, except that a group may keep the width it has, and that a width or a cap
    below the multiple, or a floor and a cap with no multiple between them, leave one width alone.

    Args:
        width: Number of channels that the group has.
        multiple: What widths shall be multiples of.
        floor: Fewest channels; a narrower group keeps its width.
        cap: Most channels, at least ``floor``.

    >>> allowed_widths(18, multiple=4, floor=6)
    Allowed(smallest=8, largest=18, multiple=4)
    >>> allowed_widths(18, multiple=4, cap=15)
    Allowed(smallest=4, largest=12, multiple=4)
    >>> allowed_widths(3, multiple=4)
    Allowed(smallest=3, largest=3, multiple=4)
    """
    top = width if cap is None else min(width, cap)
    smallest = min(_up(floor, multiple), top)
    below = top - top % multiple
    largest = top if top == width or below < smallest else below
    return Allowed(smallest, largest, multiple)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
