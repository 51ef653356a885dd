"""Widths from Keras's files, held against Keras."""

from __future__ import annotations

import keras

from mcuprune.report.layer_widths import LayerWidth, layer_widths


def network(width: int) -> keras.Model:
    inner = keras.Sequential(
        [keras.Input((4, 4, 2)), keras.layers.Conv2D(width, 1, name="deep")], name="inner"
    )
    inputs = keras.Input((4, 4, 2))
    x = keras.layers.ReLU(name="active")(inner(inputs))
    x = keras.layers.Flatten(name="flat")(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="out")(x), name="outer")


def test_widths_of_nested_layers_before_and_after(tmp_path):
    for name, width in (("before", 7), ("after", 5)):
        network(width).save(tmp_path / f"{name}.keras")
    assert layer_widths(tmp_path / "after.keras", tmp_path / "before.keras") == (
        LayerWidth("inner/deep", "Conv2D", 7, 5),
        LayerWidth("out", "Dense", 3, 3),
    )


def test_without_a_reference_the_width_before_is_unknown(tmp_path):
    network(2).save(tmp_path / "model.keras")
    assert [w.before for w in layer_widths(tmp_path / "model.keras", None)] == [None, None]


def test_what_is_no_keras_file_tells_nothing(tmp_path):
    (tmp_path / "model.keras").write_text("no archive")
    assert layer_widths(tmp_path / "model.keras", tmp_path / "absent.keras") == ()
