import signal

import pytest

from mcuprune.interrupt import interrupt_deferred


def test_the_block_ends_before_the_interrupt_comes() -> None:
    done = []

    def block() -> None:
        with interrupt_deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_errors_pass_and_the_handler_comes_back() -> None:
    with pytest.raises(ZeroDivisionError), interrupt_deferred():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_blocks_nest() -> None:
    done = []

    def blocks() -> None:
        with interrupt_deferred():
            with interrupt_deferred():
                signal.raise_signal(signal.SIGINT)
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        blocks()
    assert done == ["outer"]


def test_another_handler_stays_in_charge() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append("theirs"))
    try:
        with interrupt_deferred():
            signal.raise_signal(signal.SIGINT)
            assert seen == ["theirs"]
    finally:
        signal.signal(signal.SIGINT, before)
