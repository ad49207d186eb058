"""The softmax of one positive among negatives, in the few steps that its losses share."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim_engine import _simd
from sim_engine._check import Array


def exponentiate(scores: Array, shift: Array, inverse: float) -> Array:
    r"""Overwrite `scores` (R, C) with $\exp((s - m)/\tau)$, and return the rows' sums (R,).

    Args:
        scores: (R, C), each anchor's scores; -inf where there is no such pair, which becomes 0.
        shift: (R,), the m of each row, at least its largest score, so that none overflows.
        inverse: 1 / tau.
    """
    factor = not_zero(inverse, scores)
    if _simd.suits_rows("exponential", scores):
        return _simd.exponentials(scores, shift, factor)
    scores -= shift[:, None]
    scores *= factor
    np.exp(scores, out=scores)
    sums: Array = scores.sum(axis=1)
    return sums


def not_zero(inverse: float, like: Array) -> np.floating[Any]:
    """Return 1 / tau in the dtype of `like`, or its least number for 0, which times -inf would be NaN."""
    factor: np.floating[Any] = like.dtype.type(inverse)
    return factor if factor else np.finfo(like.dtype).tiny


def weigh(scores: Array, positive: Array, inverse: float) -> tuple[Array, Array, Array]:
    r"""Overwrite `scores` with their terms, by the largest score of a row, its positive's among them.

    Args:
        scores: (R, C), each anchor's scores of its negatives; -inf where there is no such pair.
        positive: (R,), each anchor's score of its positive.
        inverse: 1 / tau.

    Returns:
        gap (R,), the positive's exponent $(s_p - m)/\tau \le 0$; the rows' sums (R,); and m (R,).
    """
    largest = np.maximum(_simd.row_max(scores), positive)
    sums = exponentiate(scores, largest, inverse)
    return (positive - largest) * scores.dtype.type(inverse), sums, largest


def cross_entropy(gap: Array, rest: Array) -> tuple[Array, Array]:
    r"""Return $-\log(e^g/(e^g + r))$ of each anchor, and the whole sum $e^g + r$.

    Args:
        gap: (R,), the positive's exponent g <= 0.
        rest: (R,), the sum r over the negatives, >= 1 where g < 0.
    """
    # log(total) = log1p(rest + exp(gap) - 1), which keeps its digits when the positive has won.
    return np.log1p(rest + np.expm1(gap)) - gap, rest + np.exp(gap)


def mean(ell: Array) -> float:
    """Mean of terms whose sum might overflow."""
    return float(np.divide(ell, len(ell), dtype=np.float64).sum())
