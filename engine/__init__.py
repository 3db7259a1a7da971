"""Everything that listens, thinks and speaks. Knows nothing of `app` or `train`."""
