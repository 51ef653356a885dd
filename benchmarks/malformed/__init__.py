"""Damaged model files: how they are made, and what is done with each."""
