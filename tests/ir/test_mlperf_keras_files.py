"""MLPerf Tiny's trained Keras files against the int8 files that MLPerf converted from them.

Their converter was older: it left a RESHAPE before Dense and quantized Dense weights with one
scale, so operators, tail and flash differ while MACs, working sets and head must not.
"""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_head, largest_working_set
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import read_tflite

FOLDER = Path(__file__).parents[3] / "shared/models/mlperf_tiny"


class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Reads configs of Keras 2, which name the groups."""

    def __init__(self, *args, groups=1, **kwargs):  # noqa: ARG002
        super().__init__(*args, **kwargs)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no MLPerf Tiny models at {FOLDER}")
@pytest.mark.parametrize(
    ("trained", "converted", "macs", "working_set", "head"),
    [
        ("pretrainedResnet.h5", "pretrainedResnet_quant.tflite", 12_501_632, 49_152, 49_152),
        ("vww_96.h5", "vww_96_int8.tflite", 7_489_664, 55_296, 73_728),
        ("ad01.h5", "ad01_int8.tflite", 264_192, 768, 768),
    ],
)
def test_mlperf_keras_files(trained, converted, macs, working_set, head):
    known = {"DepthwiseConv2D": DepthwiseConv2D}
    model = keras.models.load_model(FOLDER / trained, compile=False, custom_objects=known)
    for graph in (graph_from_keras(model), read_tflite(FOLDER / converted)):
        assert total_macs(graph) == macs
        assert largest_working_set(graph) == working_set
        assert arena_head(graph) == head
