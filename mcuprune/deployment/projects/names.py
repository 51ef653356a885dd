"""Names in firmware projects: valid in C, and as files on every system."""

from __future__ import annotations

from mcuprune.deployment.csource import c_identifier

# The names of components in a CMSIS-Pack have at most 32 characters (PACK.xsd).
_LONGEST = 32
_ENDING = "_model"


def project_name(model_name: str) -> str:
    """Return the prefix of a project's files, functions and macros.

    It ends in ``_model`` unless it holds the word, so that no model called "string" or "main"
    makes a ``string.h`` or a ``main.c``.

    Args:
        model_name: The model's name, any text.

    >>> project_name("KWS-DS CNN"), project_name("string"), project_name("../../etc")
    ('kws_ds_cnn_model', 'string_model', 'etc_model')
    >>> project_name("kws_model"), len(project_name("a" * 80))
    ('kws_model', 32)
    """
    name = c_identifier(model_name)
    if "model" in name and len(name) <= _LONGEST:
        return name
    return name[: _LONGEST - len(_ENDING)].rstrip("_") + _ENDING
