"""Verdicts as annotations of GitHub Actions.

Source of the format: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Mapping

from mcuprune.cost.verdict import Verdict, VerdictRow


def annotation(
    verdict: Verdict, name: str, file: str | None = None, line: int | None = None
) -> str:
    """Return one line: an error if the budget is exceeded, else a notice.

    Args:
        verdict: Of the model.
        name: What the model is called.
        file: The file to which GitHub attaches it, from the root of the checkout.
        line: The line in it, from 1.

    >>> row = VerdictRow("sram", required=70, available=65, unit="B")
    >>> annotation(Verdict((row,)), "kws")
    '::error title=kws exceeds its budget::sram: 70 B needed, 65 B allowed, 5 B too many'
    """
    level = "notice" if verdict.fits else "error"
    outcome = "meets" if verdict.fits else "exceeds"
    properties = {"title": f"{name} {outcome} its budget", "file": file, "line": line}
    said = "\n".join(_sentence(row) for row in verdict.rows)
    return f"::{level} {_properties(properties)}::{_escaped(said)}"


def failure(message: str) -> str:
    """Return the annotation of a check that could not be made.

    >>> failure("kws.tflite does not exist")
    '::error title=mcuprune could not check::kws.tflite does not exist'
    """
    return f"::error title=mcuprune could not check::{_escaped(message)}"


def _sentence(row: VerdictRow) -> str:
    needed = f"{row.name}: {row.required:,} {row.unit} needed, {row.available:,} {row.unit} allowed"
    return f"{needed}, {row.excess:,} {row.unit} too many" if row.excess else needed


def _properties(values: Mapping[str, object]) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return ",".join(
        f"{name}={_escaped(str(value)).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in given.items()
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
