"""The overview of coupling groups: what it holds, its JSON, its text."""

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from mcuprune.errors import UnsupportedModelError
from mcuprune.report.overview import group_overview

layers = keras.layers
# A promise: keys may be added, none renamed.
KEYS = {
    "name", "width", "producers", "pass_through", "consumers", "members", "classes", "frozen",
    "sram_bytes_per_channel", "flash_bytes_per_channel", "macs_per_channel", "in_sram_peak",
    "worth_absent", "provenance",
}  # fmt: skip


def network(side: int | None = 8) -> Any:
    inner = keras.Sequential(
        [
            keras.Input((side, side, 4)),
            layers.Conv2D(6, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
        ],
        name="encoder",
    )
    inputs = keras.Input((side, side, 1))
    x = inner(layers.Conv2D(4, 3, padding="same", name="stem")(inputs))
    x = layers.Conv2D(1, 1, name="mask")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="classes")(x), name="net")


def test_every_group_with_its_layers() -> None:
    groups = group_overview(network()).groups
    assert list(groups) == ["stem", "encoder/conv", "mask", "classes"]
    conv = groups["encoder/conv"]
    assert (conv.width, conv.producers, conv.consumers) == (6, ("encoder/conv",), ("mask",))
    assert conv.pass_through == ("encoder/norm",)
    assert conv.members == ("encoder/conv", "encoder/norm", "mask")
    assert conv.classes["encoder/norm"] == "BatchNormalization"
    assert conv.worth is not None
    # 8x8 pixels: nine taps for each of stem's channels, one product for the mask.
    assert conv.worth.macs_per_channel == 64 * (9 * 4 + 1)


def test_a_layer_without_a_rule_hands_nothing_on() -> None:
    inputs = keras.Input((10, 8))
    x = layers.ReLU(name="relu")(layers.Conv1D(6, 3, name="conv")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.GRU(7, name="gru")(x)))
    conv = group_overview(model).groups["conv"]
    assert conv.members == ("conv", "relu", "gru")
    assert conv.pass_through == ("relu",)
    assert conv.frozen == "gru (GRU) has no channel rule"


def test_what_has_no_worth_says_why() -> None:
    groups = group_overview(network()).groups
    assert groups["mask"].worth is None
    assert groups["mask"].worth_absent == "it has one channel"
    assert (
        groups["classes"].worth_absent
        == groups["classes"].frozen
        == ("it is an output of the model")
    )


def test_json_keeps_its_keys() -> None:
    entries = json.loads(json.dumps(group_overview(network()).to_json()))
    assert [entry["name"] for entry in entries] == ["stem", "encoder/conv", "mask", "classes"]
    assert all(set(entry) >= KEYS for entry in entries)
    assert {entry["provenance"] for entry in entries} == {"predicted"}
    assert entries[0]["macs_per_channel"] == 64 * (9 + 9 * 6)
    assert entries[3]["macs_per_channel"] is entries[3]["in_sram_peak"] is None


def test_a_cost_that_cannot_be_counted_leaves_the_groups() -> None:
    overview = group_overview(network(side=None))
    assert overview.widths() == {"stem": 4, "encoder/conv": 6, "mask": 1, "classes": 3}
    assert overview.groups["stem"].worth is None
    assert "the device needs every dimension" in (overview.groups["stem"].worth_absent or "")
    # Said once, not for each group.
    told = " ".join(repr(overview).split())
    assert told.count("the device needs every dimension") == 1


def test_printed_it_is_a_table() -> None:
    lines = repr(group_overview(network())).splitlines()
    row = next(line.split() for line in lines if line.startswith("  stem"))
    assert (row[:2], row[4:7]) == (["stem", "4"], ["4,032", "made", "by"])
    # Prunable: stem 4, conv 6 of those and mask 1, classes 3.
    assert any("71.4% (10 of 14) of channels" in line for line in lines)
    assert "  classes (Dense): it is an output of the model" in lines


def test_files_are_read(tmp_path: Path) -> None:
    network().save(tmp_path / "net.keras")
    network().save(tmp_path / "net.h5")
    for name in ("net.keras", "net.h5"):
        assert repr(group_overview(tmp_path / name)) == repr(group_overview(network()))


def test_subclassed_models_are_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(UnsupportedModelError, match="subclassed"):
        group_overview(Own())
