"""What a graph costs: MACs, arena, flash. Each formula is written once, for known and open widths."""
