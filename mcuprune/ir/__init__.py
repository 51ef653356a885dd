"""The network as the device executes it, and its two front doors: Keras and .tflite."""
