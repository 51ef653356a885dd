"""The progress lines, without and with a terminal."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
from rich.console import Console

from mcuprune.report.progress import EpochProgress, epoch_text, measures

LOGS = {
    "loss": 0.1234,
    "accuracy": 0.956,
    "val_accuracy": 0.9,
    "sram": 3100.0,
    "sram_budget": 3032,
    "flash": 10000,
    "flash_budget": 10864,
}


def test_line_shows_every_measure_against_its_budget():
    assert epoch_text(7, 60, LOGS).plain == (
        "epoch  7/60  loss 0.1234  acc 95.6%  val 90.0%"
        "  SRAM B 3,100/3,032 over  flash B 10,000/10,864"
    )


def test_resources_without_a_budget_are_left_out():
    assert [m.label for m in measures({**LOGS, "macs": 5, "macs_budget": None})] == [
        "SRAM B",
        "flash B",
    ]


def fitted_output(console: Console) -> str:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with EpochProgress("training", 2, console) as progress:
        shown = [progress.callback()]
        model.fit(np.zeros((4, 2)), np.zeros(4), epochs=2, verbose=0, callbacks=shown)
    return console.file.getvalue()


def test_a_fit_writes_one_plain_line_per_epoch():
    output = fitted_output(Console(file=io.StringIO(), force_terminal=False))
    title, *lines = output.splitlines()
    assert title == "training"
    assert [line[:9] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert "\x1b" not in output


def test_a_terminal_gets_the_lines_and_a_bar():
    output = fitted_output(Console(file=io.StringIO(), force_terminal=True, width=160))
    assert "epoch 2/2  loss 0.0000" in output
    assert "\x1b[" in output


def test_the_bar_goes_when_training_breaks_off():
    console = Console(file=io.StringIO(), force_terminal=True)
    with pytest.raises(KeyboardInterrupt), EpochProgress("training", 2, console):
        raise KeyboardInterrupt
    # The sequence that shows the cursor again is the last thing the bar writes.
    assert console.file.getvalue().rindex("\x1b[?25h") > console.file.getvalue().rindex("\x1b[?25l")
