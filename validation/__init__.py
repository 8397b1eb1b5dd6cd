"""Independent witness: simulates the model from its definition."""
