"""What a graph costs: MACs, arena, flash; each formula once, for known and for open widths."""
