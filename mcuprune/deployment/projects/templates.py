"""Fills in the templates of project files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

_FOLDER = Path(__file__).parent / "templates"


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        # C, CMake and INI files take text as it is; the pack description is XML.
        autoescape=jinja2.select_autoescape(("pdsc.j2",), default=False, default_for_string=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template filled in; a name it lacks is an error.

    Args:
        template: Path below ``templates/``.
        values: What it can name.
    """
    return _environment().get_template(template).render(values)
