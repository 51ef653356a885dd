"""How wide each layer is before and after, read from Keras's files without Keras."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# What a layer calls its number of output channels.
_WIDTHS = ("filters", "units")


@dataclasses.dataclass(frozen=True)
class LayerWidth:
    """One layer with channels of its own.

    Attributes:
        name: Path of the layer: its name, after the names of the models that hold it.
        kind: Class of the layer.
        before: Channels in the reference, None if it is not known.
        after: Channels in the pruned model.
    """

    name: str
    kind: str
    before: int | None
    after: int


def layer_widths(after: Path, before: Path | None) -> tuple[LayerWidth, ...]:
    """Return the widths of all layers that have channels of their own, in the model's order.

    Args:
        after: The pruned model, a ``.keras`` file.
        before: The reference; None, and layers of another name, leave ``before`` unknown.

    Returns:
        None of them where the file is absent or is no ``.keras`` file.
    """
    known = {} if before is None else {name: width for name, _, width in _layers(before)}
    return tuple(
        LayerWidth(name, kind, known.get(name), width) for name, kind, width in _layers(after)
    )


def _layers(path: Path) -> list[tuple[str, str, int]]:
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return []
    return list(_of_model(config, ""))


def _of_model(entry: Any, path: str) -> Iterator[tuple[str, str, int]]:
    """Yield path, class and width of the layers that a model's config lists."""
    config = entry.get("config") if isinstance(entry, Mapping) else None
    layers = config.get("layers") if isinstance(config, Mapping) else None
    for layer in layers if isinstance(layers, list) else ():
        inner = layer.get("config") if isinstance(layer, Mapping) else None
        if not isinstance(inner, Mapping):
            continue
        name = f"{path}{inner.get('name', '?')}"
        width = next((inner[key] for key in _WIDTHS if isinstance(inner.get(key), int)), None)
        if width is not None:
            yield name, str(layer.get("class_name", "")), width
        yield from _of_model(layer, f"{name}/")
