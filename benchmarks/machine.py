"""What a benchmark ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any


def machine(*packages: str) -> dict[str, Any]:
    """Return the processor, its cores, the system, Python's version and those of packages."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def gpu_names() -> list[str]:
    """Return what the GPUs that TensorFlow sees are called, such as ``NVIDIA H100 80GB HBM3``."""
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(one).get("device_name", "") for one in found]
