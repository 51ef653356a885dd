"""What a person sees: tables, the memory timeline, progress while training."""
