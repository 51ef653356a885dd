"""Holds Ctrl-C back while something must happen whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interrupt_deferred() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended.

    For blocks that would leave a model in pieces, or that run native code, where Python may raise
    the interrupt in a destructor and lose it. Does nothing outside the main thread, which alone
    receives signals, and where somebody else's handler or none stands.

    Raises:
        KeyboardInterrupt: After the block, if Ctrl-C was pressed during it.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt
