"""Programs that execute an int8 model and report its outputs and measures."""
