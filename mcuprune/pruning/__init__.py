"""Differentiable pruning: gates, penalties from the resource model, the Keras callback."""
