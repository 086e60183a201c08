"""Holm's correction of several tests at once."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given: rejecting those ≤ α errs with probability at most α over the whole family.

    Whatever the tests' dependence. The i-th smallest of m is multiplied by m - i + 1; none gets smaller than the one
    before it, or larger than 1. Holm 1979, "A simple sequentially rejective multiple test procedure".
    Raises ValueError for what is no probability.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values are between 0 and 1, not {list(p_values)}")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
