"""Writes firmware projects."""

from __future__ import annotations

import datetime
import importlib.metadata
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mcuprune.deployment.projects.board_names import place_of
from mcuprune.deployment.projects.firmware import TFLM, C, Contents, Firmware, make_firmware
from mcuprune.deployment.projects.formats import find_format
from mcuprune.deployment.projects.templates import render
from mcuprune.engines.tflm_fetch import TFLM_COMMIT
from mcuprune.engines.tflm_library import CORE_FOLDERS, DEFINITIONS, TEST_SOURCES
from mcuprune.errors import InputError

_VENDOR, _PACK_VERSION = "mcuprune", "1.0.0"
# Names of the pack description's schema, PACK.xsd.
_CATEGORIES = {"c": "sourceC", "cpp": "sourceCpp", "h": "header"}


def project_files(firmware: Firmware, format_name: str) -> dict[str, str]:
    """Return a project's files by place in its folder, with ``/``.

    Args:
        firmware: The model's sources.
        format_name: A name of :data:`~mcuprune.deployment.projects.formats.FORMATS`.

    Raises:
        UnknownNameError: No such format.
    """
    kind = find_format(format_name)
    values = _values(firmware, format_name)
    templates = dict(kind.templates)
    if firmware.runtime == TFLM:
        templates.update(kind.tflm_templates)
    files = {place: render(template, values) for place, template in templates.items()}
    files.update(
        {f"{kind.model_folder}/{name}": text for name, text in firmware.model_files.items()}
    )
    files.update(
        {f"{kind.golden_folder}/{name}": text for name, text in firmware.golden_files.items()}
    )
    return {place.format(name=firmware.name, vendor=_VENDOR): text for place, text in files.items()}


def write_projects(
    folder: Path, contents: Contents, formats: Sequence[str], runtime: str = C
) -> None:
    """Write projects, each into a folder of its format's name.

    Args:
        folder: Where to write.
        contents: The model and its golden vectors.
        formats: Names of :data:`~mcuprune.deployment.projects.formats.FORMATS`.
        runtime: ``"c"``: generated C; ``"tflm"``: TensorFlow Lite Micro.

    Raises:
        UnknownNameError: No such format, runtime or board.
        UnsupportedModelError: Operators without a kernel in C; names them.
        ConversionError: For ``"tflm"``, an operator is no TFLite builtin.
    """
    firmware = make_firmware(contents, runtime)
    for name in formats:
        files = project_files(firmware, name)
        for place, text in files.items():
            path = _inside(folder / name, place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if name == "cmsis-pack":
            _pack(folder / name / pack_file(firmware), files)


def pack_file(firmware: Firmware) -> str:
    """Return the name of a CMSIS-Pack's file: vendor, name and version."""
    return f"{_VENDOR}.{firmware.name}.{_PACK_VERSION}.pack"


def _values(firmware: Firmware, format_name: str) -> dict[str, Any]:
    return {
        "firmware": firmware,
        "place": place_of(format_name, firmware.board, firmware.runtime),
        "version": importlib.metadata.version("mcuprune"),
        "tflm_commit": TFLM_COMMIT,
        "tflm_folders": CORE_FOLDERS,
        "tflm_definitions": [text.removeprefix("-D") for text in DEFINITIONS],
        "tflm_tests": TEST_SOURCES,
        "vendor": _VENDOR,
        "pack_version": _PACK_VERSION,
        "pack_file": pack_file(firmware),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "categories": _CATEGORIES,
    }


def _inside(folder: Path, place: str) -> Path:
    """Return a place in a folder; one that leads out of it is an error."""
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(
            f"the file {place} would lie outside {folder}: give the model another name"
        )
    return folder / path


def _pack(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, text in sorted(files.items()):
            archive.writestr(place, text)
