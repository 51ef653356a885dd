"""The fifteen networks of ``keras.applications``, untrained, at the smallest input each builds for.

They end in logits: behind a softmax, large differences between two networks could not be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Name in keras.applications: pixels per side of the input.
INPUT_PIXELS = {
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "MobileNetV3Large": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "DenseNet121": 32,
    "Xception": 71,
    "InceptionV3": 75,
    "InceptionResNetV2": 75,
    "NASNetMobile": 32,
    "ConvNeXtTiny": 32,
    "VGG16": 32,
}


def application(name: str) -> Any:
    """Build one of ``keras.applications`` with ten classes."""
    import keras

    pixels = INPUT_PIXELS[name]
    return getattr(keras.applications, name)(
        weights=None, input_shape=(pixels, pixels, 3), classes=10, classifier_activation=None
    )


def _builder(name: str) -> Callable[[], Any]:
    return lambda: application(name)


APPLICATIONS: dict[str, Callable[[], Any]] = {name: _builder(name) for name in INPUT_PIXELS}
