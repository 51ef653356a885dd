"""The C kernels that come with the package, and which of them a model needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources

_INCLUDE = re.compile(r'^#include "(mcuprune_[a-z0-9_]+\.h)"$', re.MULTILINE)
# Of this package, under which the kernels are passed on.
_LICENCE = "/* From mcuprune. SPDX-License-Identifier: Apache-2.0 */\n\n"


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
        text = (place / name).read_text(encoding="utf-8")
        found[name] = _LICENCE + text
        waiting += _INCLUDE.findall(text)
    return dict(sorted(found.items()))
