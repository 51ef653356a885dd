"""Many runs of one recipe over budgets, boards and seeds, and the front of what they reach."""
