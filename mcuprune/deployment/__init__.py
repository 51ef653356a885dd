"""From a Keras model to a verified deployment: quantize, convert, check, package."""
