"""Instructions of single operators on a Cortex-M4: generated C against TFLM with CMSIS-NN.

Networks of one Keras layer are converted to int8, built with arm-none-eabi-gcc, run on the same
simulated core in the same harness with random inputs, and compared byte by byte with LiteRT.

    python benchmarks/codegen_operators.py --tflm ../tflite-micro \\
        --json benchmarks/results/codegen_operators.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mcuprune.engines.simulate import simulate

if TYPE_CHECKING:
    import keras

BOARD, COMPILER = "nucleo-l4r5zi", "arm-none-eabi-gcc"
INPUTS = 2
PICTURE = (16, 16, 32)


@dataclasses.dataclass(frozen=True)
class Row:
    """One operator; instructions are simulated, of the first input.

    Attributes:
        name: The layer, on pictures of 16 x 16 x 32.
        instructions: Of generated C, for one inference.
        tflm_instructions: Of TFLM with CMSIS-NN.
        is_exact: Whether generated C answered all inputs as LiteRT or TFLM.
    """

    name: str
    instructions: int
    tflm_instructions: int
    is_exact: bool

    @property
    def ratio(self) -> float:
        """Instructions over TFLM's."""
        return self.instructions / self.tflm_instructions


def layers() -> Mapping[str, tuple[Callable[..., object], int]]:
    """Return Keras layers by name, each with its number of inputs."""
    from keras import layers

    return {
        "Conv2D(32, 3, groups=4)": (layers.Conv2D(32, 3, groups=4, padding="same"), 1),
        "Conv2D(16, 3, dilation_rate=2)": (
            layers.Conv2D(16, 3, dilation_rate=2, padding="same"),
            1,
        ),
        "DepthwiseConv2D(3, depth_multiplier=2)": (
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            1,
        ),
        "DepthwiseConv2D(3, dilation_rate=2)": (
            layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
            1,
        ),
        "Conv2DTranspose(16, 3, strides=2)": (
            layers.Conv2DTranspose(16, 3, strides=2, padding="same"),
            1,
        ),
        "Add()": (layers.Add(), 2),
        "Subtract()": (layers.Subtract(), 2),
        "Multiply()": (layers.Multiply(), 2),
        "MaxPooling2D(2)": (layers.MaxPooling2D(2), 1),
        "MaxPooling2D(3, 2)": (layers.MaxPooling2D(3, 2, padding="same"), 1),
        "AveragePooling2D(2)": (layers.AveragePooling2D(2), 1),
        "GlobalAveragePooling2D()": (layers.GlobalAveragePooling2D(), 1),
        "UpSampling2D(2)": (layers.UpSampling2D(2), 1),
        "UpSampling2D(2, interpolation='bilinear')": (
            layers.UpSampling2D(2, interpolation="bilinear"),
            1,
        ),
        "Activation('hard_silu')": (layers.Activation("hard_silu"), 1),
        "Activation('sigmoid')": (layers.Activation("sigmoid"), 1),
        "ZeroPadding2D(1)": (layers.ZeroPadding2D(1), 1),
        "Concatenate()": (layers.Concatenate(), 2),
    }


def network(layer: Callable[..., object], inputs: int) -> keras.Model:
    """Return a network of one layer."""
    import keras

    given = [keras.Input(PICTURE) for _ in range(inputs)]
    return keras.Model(given, layer(given if inputs > 1 else given[0]))


def measured(name: str, model: keras.Model, tflm: Path) -> Row:
    """Return what a network costs with both runtimes."""
    from mcuprune.deployment.convert import convert_int8

    chance = np.random.default_rng(0)
    calibration = [chance.normal(size=(8, *PICTURE)).astype(np.float32) for _ in model.inputs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(
            convert_int8(model, calibration if len(calibration) > 1 else calibration[0])
        )
        options = {"inputs": INPUTS, "compiler": COMPILER}
        ours = simulate(path, BOARD, **options)
        theirs = simulate(path, BOARD, runtime="tflm", tflm=tflm, **options)
    counts = [report.simulation.instructions[0] for report in (ours, theirs)]
    return Row(name, *counts, is_exact=ours.succeeds)


def main() -> None:
    """Print a row per operator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tflm", type=Path, required=True, help="a checkout of tflite-micro")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    print(f"{'layer':42} {'instructions':>12} {'TFLM':>12} {'ratio':>6}")
    for name, (layer, inputs) in layers().items():
        row = measured(name, network(layer, inputs), arguments.tflm)
        rows.append(row)
        exact = "" if row.is_exact else "  NOT EXACT"
        counts = f"{row.instructions:>12,} {row.tflm_instructions:>12,}"
        print(f"{row.name:42} {counts} {row.ratio:>6.2f}{exact}", flush=True)
    if arguments.json:
        listed = [dataclasses.asdict(row) | {"ratio": round(row.ratio, 3)} for row in rows]
        arguments.json.write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main()
