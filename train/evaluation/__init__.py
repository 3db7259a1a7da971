"""The measurements behind `python -m train evaluate`: each takes any manifest and trains nothing."""
