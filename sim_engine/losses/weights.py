"""How a loss shares its gradient among the negatives (Chen et al. 2020, table 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, temperature


def negative_weights(similarities: ArrayLike, tau: float, positive: float | None = None) -> Array:
    r"""Share of the softmax that each negative takes; with it goes that share of the push.

    $$w_k = \frac{\exp(s_k/\tau)}{\sum_j \exp(s_j/\tau) + \exp(s_p/\tau)}$$

    The ratio of two weights is $\exp((s_j - s_k)/\tau)$: a small temperature spends all on the
    hardest negative.

    Args:
        similarities: cosines to the negatives, (K,) or (..., K), K >= 1.
        tau: temperature, > 0.
        positive: cosine to the positive, which is in NT-Xent's sum; None leaves that term out.

    Returns:
        Weights of the same shape, float64, each in [0, 1]. They sum to 1 without a positive, and to
        1 - P(positive) with one.

    Raises:
        ValueError: no similarity, something not finite, or tau <= 0.

    Source:
        Chen et al. (2020), arXiv:2002.05709, table 2, the gradient of NT-Xent.

    Examples:
        >>> negative_weights([0.9, 0.5], tau=0.1).round(3).tolist()  # the hardest takes nearly all
        [0.982, 0.018]
        >>> negative_weights([0.9, 0.5], tau=1.0).round(3).tolist()
        [0.599, 0.401]
    """
    s = floats("similarities", similarities).astype(np.float64)
    if s.ndim == 0:
        raise ValueError("similarities must have at least one axis, got a single number; pass [s]")
    inverse = 1.0 / temperature(tau)
    largest = s.max(axis=-1, keepdims=True)
    total = np.zeros_like(largest)
    with np.errstate(over="ignore"):  # a gap beyond the dtype is exp(-inf) = 0, which is right
        if positive is not None:
            p = floats("positive", positive, ndim=0).astype(np.float64)
            largest = np.maximum(largest, p)
            total = np.exp((p - largest) * inverse)
        weights: Array = np.exp((s - largest) * inverse)
    weights /= weights.sum(axis=-1, keepdims=True) + total
    return weights


def logistic_weights(similarities: ArrayLike, tau: float) -> Array:
    r"""Push of NT-Logistic on each negative, $w_k = \sigma(s_k/\tau)$, alone and unnormalised.

    A sigmoid looks at one negative at a time, so an easy negative is not let off by a hard one.

    Args:
        similarities: cosines to the negatives, any shape.
        tau: temperature, > 0.

    Returns:
        Weights of the same shape, float64, each in [0, 1]; they need not sum to 1.

    Raises:
        ValueError: something not finite, or tau <= 0.

    Source:
        Chen et al. (2020), arXiv:2002.05709, table 2, the gradient of NT-Logistic.

    Examples:
        >>> logistic_weights([0.9, 0.0], tau=1.0).round(3).tolist()
        [0.711, 0.5]
    """
    s = floats("similarities", similarities).astype(np.float64)
    inverse = 1.0 / temperature(tau)
    with np.errstate(over="ignore"):
        decay = np.exp(-np.abs(s) * inverse)  # <= 1, so it cannot overflow
    weights: Array = np.where(s >= 0, 1.0, decay) / (1.0 + decay)
    return weights
