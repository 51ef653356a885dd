"""What the runs were made on."""

from __future__ import annotations


def gpu_names() -> list[str]:
    """Return what the GPUs that TensorFlow sees are called, such as ``NVIDIA H100 80GB HBM3``."""
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(one).get("device_name", "") for one in found]
