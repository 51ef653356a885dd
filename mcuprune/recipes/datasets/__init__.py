"""Data sets of the recipes, each split into training, validation and test."""
