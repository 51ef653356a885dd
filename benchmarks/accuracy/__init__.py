"""Accuracy within a budget: tasks, methods, measurement and results of the comparison."""
