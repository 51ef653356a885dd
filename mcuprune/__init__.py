"""Makes a Keras model fit a microcontroller, and proves that it does."""
