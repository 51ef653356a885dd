"""Firmware projects around a deployed model."""
