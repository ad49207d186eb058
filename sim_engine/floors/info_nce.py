"""Values of InfoNCE with K given negatives, and so of MoCo with a queue of K, to measure a run against."""

from __future__ import annotations

import math

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import mean_log_sum_exp

__all__ = ["best", "equal", "uniform"]


def equal(k: int) -> float:
    r"""InfoNCE when all similarities are equal: $\log(K + 1)$, at every temperature.

    Args:
        k: negatives K of a query, >= 1.

    Returns:
        nats.

    Raises:
        ValueError: k < 1.

    Source:
        Derived here: K + 1 equal logits; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(65536), 2)  # MoCo's queue
        11.09
    """
    return math.log(whole("k", k, least=1) + 1)


def uniform(k: int, d: int, tau: float) -> float:
    r"""Expected InfoNCE when queries and keys are independent and uniform on the sphere.

    The positive's cosine averages 0, so the loss is $\mathbb{E}\log\sum_{j=1}^{K+1} e^{s_j/\tau}$ with
    independent cosines of random pairs.

    Args:
        k: negatives K of a query, >= 1.
        d: dimension of the embeddings, >= 1.
        tau: temperature, at least 0.01.

    Returns:
        nats, within 1e-8.

    Raises:
        ValueError: k < 1, d < 1, or tau < 0.01.

    Source:
        Derived here: one expectation for every query; the mean of random batches in the tests.

    Examples:
        >>> round(uniform(65536, 128, 0.07), 2)
        11.88
    """
    return mean_log_sum_exp(whole("k", k, least=1) + 1, d, tau)


def best(k: int, tau: float) -> float:
    r"""Least InfoNCE: $\log(1 + K e^{-2/\tau})$, queries and their keys in one place, negatives opposite.

    Nothing ties the negatives to the queries, so each may have the least cosine there is; a dimension
    of 1 is enough. An encoder that also made the negatives cannot do this for long: where they come
    from the same images, `floors.clip.best` is the bound.

    Args:
        k: negatives K of a query, >= 1.
        tau: temperature, > 0.

    Returns:
        nats, >= 0.

    Raises:
        ValueError: k < 1 or tau <= 0.

    Source:
        Derived here: no cosine leaves [-1, 1]; the loss of opposite negatives in the tests.

    Examples:
        >>> round(best(255, 0.5), 3)
        1.735
    """
    return math.log1p(whole("k", k, least=1) * math.exp(-2 / temperature(tau)))
