"""Use cases: what the triggers call, and the only layer that puts the parts together."""
