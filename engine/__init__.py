"""Everything that listens, thinks and speaks. Knows nothing of `app` or `train`.

`engine.facade.Engine` is the way in.
"""
