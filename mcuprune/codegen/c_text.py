"""Pieces of C: arrays, guards, names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mcuprune.errors import InputError

# C99 6.4.1, and the C++ keywords that a header must avoid as well.
_KEYWORDS = frozenset(
    """
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while class delete friend namespace new operator private protected
    public template this throw try using virtual
    """.split()  # noqa: SIM905 (words read better than quoted words)
)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def require_identifier(name: str) -> None:
    """Raise unless a name can start the names of C functions and macros.

    Raises:
        InputError: It is no C identifier, or a keyword.
    """
    if not _IDENTIFIER.fullmatch(name) or name in _KEYWORDS:
        raise InputError(
            f"{name!r} cannot name C functions: start with a letter, go on with letters, digits "
            "and underscores, and avoid keywords of C, such as in 'keyword_spotting'"
        )


def c_number(value: float) -> str:
    """Write a number so that C reads the same.

    >>> c_number(-128), c_number(-(2**31)), c_number(0.1)
    ('-128', '(-2147483647 - 1)', '0x1.99999ap-4f')
    """
    if isinstance(value, float):
        return f"{_float_text(value)}f"
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _float_text(value: float) -> str:
    import numpy as np

    mantissa, exponent = float(np.float32(value)).hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{int(exponent)}"


def c_array(declaration: str, values: Iterable[int], per_line: int = 16) -> str:
    """Return the definition of an array.

    Args:
        declaration: All that stands before the equals sign.
        values: Its numbers.
        per_line: How many of them stand in a line.

    >>> print(c_array("const int x[3]", [1, -2, 3], per_line=2), end="")
    const int x[3] = {
        1, -2,
        3,
    };
    """
    texts = [c_number(int(value)) for value in values]
    lines = [
        "    " + ", ".join(texts[start : start + per_line]) + ",\n"
        for start in range(0, len(texts), per_line)
    ]
    return f"{declaration} = {{\n{''.join(lines)}}};\n"


def guarded(file_name: str, introduction: str, body: str) -> str:
    """Return a header: what it is for, include guard, contents with C linkage.

    Args:
        file_name: Its name, from which the guard is made.
        introduction: The first comment's text.
        body: Includes first, then declarations, separated by an empty line.
    """
    macro = re.sub(r"[^A-Z0-9]", "_", file_name.upper()) + "_"
    includes, declarations = body.split("\n\n", 1)
    return (
        f"/* {introduction} */\n\n#ifndef {macro}\n#define {macro}\n\n{includes}\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{declarations}\n'
        "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
