"""The mini ears: one encoder pass that gives words and feeling.

`mel` makes the features, `network` is the model, `beam` turns its character
probabilities into words, `windows` cuts long turns, `mini` joins them.
"""
