"""The C kernels that come with the package, and which of them a model needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources

_INCLUDE = re.compile(r'^#include "(mcuprune_[a-z0-9_]+\.h)"$', re.MULTILINE)


def kernel_files(headers: Iterable[str], folders: Iterable[str]) -> dict[str, str]:
    """Return headers and all that they include, by name.

    Args:
        headers: Names of headers.
        folders: Folders of kernels in which to look, in order.
    """
    places = [resources.files("mcuprune.codegen") / "kernels" / folder for folder in folders]
    found: dict[str, str] = {}
    waiting = list(headers)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        place = next(place for place in places if (place / name).is_file())
        found[name] = (place / name).read_text(encoding="utf-8")
        waiting += _INCLUDE.findall(found[name])
    return dict(sorted(found.items()))
