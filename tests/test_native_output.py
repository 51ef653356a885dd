from __future__ import annotations

import os
import sys
import threading

import pytest

from mcuprune.native_output import caught_output, caught_stderr


def test_catches_what_bypasses_python():
    with caught_stderr() as caught:
        os.write(2, b"from C\n")
    assert caught.text == "from C\n"


def test_stderr_works_afterwards(capfd):
    with caught_stderr():
        os.write(2, b"hidden\n")
    print("visible", file=sys.stderr)
    assert capfd.readouterr().err == "visible\n"


def test_restores_after_an_error(capfd):
    with pytest.raises(KeyError), caught_stderr():
        raise KeyError("x")
    os.write(2, b"visible\n")
    assert capfd.readouterr().err == "visible\n"


def test_catches_both_streams(capfd):
    with caught_output() as caught:
        os.write(1, b"out\n")
        os.write(2, b"err\n")
        print("python", file=sys.__stdout__)
    assert caught.text.split() == ["out", "err", "python"]
    os.write(1, b"visible\n")
    assert capfd.readouterr().out == "visible\n"


def test_catching_nests():
    with caught_output() as outer:
        with caught_stderr() as inner:
            os.write(2, b"inner")
        os.write(2, b"outer")
    assert (inner.text, outer.text) == ("inner", "outer")


def test_threads_take_turns():
    texts = {}

    def catch(number):
        for _ in range(20):
            with caught_stderr() as caught:
                os.write(2, f"{number};".encode())
            texts[number] = texts.get(number, "") + caught.text

    threads = [threading.Thread(target=catch, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {n: f"{n};" * 20 for n in range(4)}
