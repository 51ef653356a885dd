"""Quantization-aware fine-tuning: a network as its int8 file will compute, trainable."""
