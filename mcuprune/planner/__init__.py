"""Where and when data lives in the arena: lifetimes, TFLM's memory plan, schedules, checkers."""
