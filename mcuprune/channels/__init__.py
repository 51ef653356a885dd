"""Coupling groups: which channels of which layers live or die together, and how to cut them."""
