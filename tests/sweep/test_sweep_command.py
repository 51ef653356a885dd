"""What the commands say of bad input, before anything heavy is loaded."""

from __future__ import annotations

import sys

import pytest

from mcuprune.errors import InputError, MissingToolError
from mcuprune.sweep.cluster import Workers, require_ray


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--board", "nucleo-l4r5z"], "did you mean 'nucleo-l4r5zi'"),
        (["--sram", "4KiB,8KB1"], "digits"),
        (["--sram", "4KiBs"], "unknown unit 'KiBs'"),
        (["--sram", "3,032 B"], "groups of digits"),
        (["--search", "optun"], "'grid' or 'optuna'"),
        (["--search", "optuna"], "needs the number of trials"),
        (["--seeds", "many"], "--seeds 3"),
        (["--workers", "0", "--seeds", "2"], "at least one worker"),
        (["--vary", "training.seed=1,2"], "use seeds"),
    ],
)
def test_mistakes_are_named(command, options, message):
    code, out, err = command("sweep", "digits", *options)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_select_needs_a_sweep(command):
    code, out, err = command("select", ".")
    assert (code, out) == (2, "")
    assert "holds no sweep" in err


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.tune", None)
    with pytest.raises(MissingToolError, match=r"pip install 'mcuprune\[sweep\]'"):
        require_ray()


def test_workers():
    assert Workers(at_once=3).on_this_machine == 3
    assert Workers(cpus=10_000).on_this_machine == 1
    with pytest.raises(InputError, match="no negative number"):
        Workers(gpus=-1)
