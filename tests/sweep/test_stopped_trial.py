"""A real sweep with a trial that learns nothing: it ends once its widths are final."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("ray", reason="comes with the extra sweep")

# All trials get the same widths, so no learning rate can make one cheaper than the others.
WIDTHS = "{conv1: 5, conv2: 11, conv3: 16}"
SETTINGS = (
    "training.epochs=8",
    "pruning.start_epoch=1",
    "pruning.end_epoch=3",
    "pruning.options.cuts=1",
    f"pruning.options.min_channels={WIDTHS}",
    f"pruning.options.max_channels={WIDTHS}",
    "reference.epochs=1",
    "validate.board=null",
)


@pytest.mark.slow
def test_a_trial_that_cannot_reach_the_front_is_stopped(tmp_path):
    folder = tmp_path / "sweep"
    words = ["sweep", "digits", "--vary", "training.learning_rate=0.004,0.003,0.002,0.0000001"]
    words += [word for each in SETTINGS for word in ("--set", each)]
    words += ["--workers", "1", "--out", str(folder), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "mcuprune", *words],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        check=True,
    )
    *others, hopeless = json.loads(done.stdout)["trials"]
    assert [trial["status"] for trial in others] == ["finished"] * 3
    assert hopeless["status"] == "stopped"
    # At a learning rate of 1e-7 it is as good as chance; its widths are final after epoch 3 of 8.
    assert hopeless["val_accuracy"] < 0.3
    assert hopeless["message"].startswith("after epoch 3: trial ")
    log = folder / "trials" / "0003" / "pruned" / "history.csv"
    assert len(log.read_text().splitlines()) - 1 < 8
