"""How a softmax, a sigmoid and a margin share the gradient among negatives (Chen et al. 2020, table 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, temperature
from sim_engine._check import positive as above_zero
from sim_engine.losses._select import Select, choose, known


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


def margin_weights(
    similarities: ArrayLike, positive: float, margin: float = 0.2, *, select: Select = "violating"
) -> Array:
    r"""Share of the triplet loss's push on each negative: equal ones for those within the margin, else 0.

    $$w_k = \frac{v_k}{\sum_j v_j}, \qquad
    v_k = \begin{cases}1 & 2(s_p - s_k) < m \\ 0 & \text{else}\end{cases}$$

    On the sphere squared distances are $2 - 2s$, so $m - 2(s_p - s_k)$ is what negative k lacks to the
    margin. An anchor's loss is the mean of that over the V negatives that lack something, and its slope in
    $s_k$ is $2v_k/V = 2w_k$: all violators weigh the same, the hardest no more than one that has nearly the
    margin, and it does not matter by how much. What keeps the margin is not pushed at all. "semi-hard" and
    "nearest" choose as `triplet_views` does, and again the chosen share equally. Where none is chosen all
    weights are 0: this anchor learns nothing.

    Args:
        similarities: cosines to the negatives, (K,) or (..., K), K >= 1.
        positive: cosine to the positive.
        margin: m > 0, a squared distance, twice a margin in cosines; the paper uses 0.2.
        select: "violating", "semi-hard" (farther than the positive as well) or "nearest" (of these the
            nearest alone).

    Returns:
        Weights of the same shape, float64, each in [0, 1]. They sum to 1, or are all 0.

    Raises:
        ValueError: no similarity, something not finite, margin <= 0, or another `select`.

    Source:
        Chen et al. (2020), arXiv:2002.05709, table 2, the gradient of the margin triplet loss; with
        squared distances as Schroff, Kalenichenko, Philbin (2015), arXiv:1503.03832, section 3.1.

    Examples:
        >>> margin_weights([0.9, 0.5, 0.0], positive=0.8, margin=1.0).tolist()
        [0.5, 0.5, 0.0]
        >>> margin_weights([0.9, 0.5, 0.0], positive=0.8, margin=1.0, select="semi-hard").tolist()
        [0.0, 1.0, 0.0]
    """
    given = floats("similarities", similarities)
    if given.ndim == 0:
        raise ValueError("similarities must have at least one axis, got a single number; pass [s]")
    p = float(floats("positive", positive, ndim=0))
    margin, select = above_zero("margin", margin), known(select)
    with np.errstate(over="ignore"):  # a gap beyond the dtype is an infinite one, on the right side
        gap = 2 * (p - given.astype(np.float64))
    chosen = choose(gap, margin, select, float(np.finfo(given.dtype).eps))
    weights: Array = chosen / np.maximum(chosen.sum(axis=-1, keepdims=True), 1)
    return weights
