"""Runnable recipes: data, models, configuration and the run from training to deployment folder."""
