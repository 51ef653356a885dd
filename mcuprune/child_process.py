"""Runs a module of this package in a process of its own, which may crash or never end."""

from __future__ import annotations

import signal
import subprocess
import sys


def failure_of(module: str, *words: str, limit_s: float) -> tuple[bool, str] | None:
    """Run ``python -m module words``; return what it failed of, None if it did not.

    Args:
        module: The module's full name.
        words: Its arguments.
        limit_s: Wall time after which it is ended, in seconds.

    Returns:
        Whether a signal ended it, as a crash in native code does, and the signal's name or else
        the last line that it wrote to stderr.

    Raises:
        TimeoutError: It did not end in time.
    """
    # Without -P a file of the user, such as select.py, would hide a module of Python's.
    command = [sys.executable, "-P", "-m", module, *words]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{module} did not end within {limit_s:g} s") from None
    if done.returncode < 0:
        return True, signal.Signals(-done.returncode).name
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return False, lines[-1] if lines else f"exit status {done.returncode}"
