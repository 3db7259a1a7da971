"""A linear model over hashed names: rows of int8 weights, one column per class.

Marks, capitals and whether words can end a sentence are decided by such tables; each takes microseconds.
Made by `train.linear_table`.
"""

import zlib
from collections.abc import Iterable, Mapping

import numpy as np


class LinearTable:
    """Summed rows of int8 weights plus a bias."""

    def __init__(self, tensors: Mapping[str, np.ndarray], name: str) -> None:
        self._weights = tensors[f"{name}_weights"]  # (buckets, classes) int8
        self._scale = float(tensors[f"{name}_scale"])
        self._bias = tensors[f"{name}_bias"]  # (classes,)

    def logits(self, names: Iterable[str]) -> np.ndarray:
        """(classes,) by the features of these names."""
        summed = self._weights[rows(names, len(self._weights))].sum(axis=0, dtype=np.int32)
        return self._bias + self._scale * summed

    def best(self, names: Iterable[str]) -> int:
        """The likeliest class."""
        return int(self.logits(names).argmax())


def rows(names: Iterable[str], buckets: int) -> np.ndarray:
    """The rows of a table that feature names stand for."""
    return np.fromiter((zlib.crc32(name.encode()) % buckets for name in names), dtype=np.int64)
