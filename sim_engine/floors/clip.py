"""Values of CLIP's loss, and of InfoNCE within a batch of pairs, to measure a run against."""

from __future__ import annotations

import math

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import fits, mean_log_sum_exp

__all__ = ["best", "equal", "uniform"]


def equal(n: int) -> float:
    r"""The loss when all similarities are equal: $\log N$, at every temperature.

    Args:
        n: pairs N in the batch, >= 2.

    Returns:
        nats.

    Raises:
        ValueError: n < 2.

    Source:
        Derived here: N equal logits; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(32768), 2)  # CLIP's batch
        10.4
    """
    return math.log(whole("n", n, least=2))


def uniform(n: int, d: int, tau: float) -> float:
    r"""Expected loss when all rows of both sides are independent and uniform on the sphere.

    The positive's cosine averages 0, so the loss is $\mathbb{E}\log\sum_{k=1}^{N} e^{s_k/\tau}$, with
    independent cosines of random pairs, in either direction.

    Args:
        n: pairs N in the batch, >= 2.
        d: dimension of the embeddings, >= 1.
        tau: temperature, the inverse of the logit scale, at least 0.01: CLIP's own bound.

    Returns:
        nats, within 1e-8.

    Raises:
        ValueError: n < 2, d < 1, or tau < 0.01.

    Source:
        Derived here: one expectation for every anchor; the mean of random batches in the tests.

    Examples:
        >>> round(uniform(256, 512, 0.07), 2)
        5.74
    """
    return mean_log_sum_exp(whole("n", n, least=2), d, tau)


def best(n: int, tau: float, d: int | None = None) -> float:
    r"""Least loss of N pairs: both sides coincide, and the N points form a regular simplex.

    $$L_{\min} = \log\!\left(1 + (N-1)\exp\!\left(-\tfrac{1}{\tau}\,\tfrac{N}{N-1}\right)\right)$$

    By Jensen's inequality the loss, of either direction, is at least
    $\log(1 + (N-1)e^{(\bar q - \bar p)/\tau})$, $\bar p$ and $\bar q$ the mean cosine of positives and of
    negatives. With A and B the sums of the sides, $N\bar p + N(N-1)\bar q = A \cdot B \ge
    -\lVert A - B\rVert^2/4 \ge -N^2(1 - \bar p)/2$, so
    $\bar q - \bar p \ge -\tfrac{N}{N-1}\,\tfrac{1 + \bar p}{2}$, least at $\bar p = 1$. Two sides give no
    way to be better than one.

    Args:
        n: pairs N in the batch, >= 2.
        tau: temperature, > 0, the inverse of the logit scale (at most 100 in CLIP).
        d: dimension of the embeddings. A simplex of N points needs d >= N - 1; None assumes that many.
            With fewer, the value is still below every loss, but none reaches it.

    Returns:
        nats, >= 0.

    Raises:
        ValueError: n < 2, tau <= 0, or d < n - 1: the simplex does not fit.

    Source:
        Derived here: Jensen's inequality, as above; the loss of a simplex, and the end of a descent with both
        sides free, in the tests.

    Examples:
        >>> round(best(256, 0.5), 2)
        3.56
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    fits(n, d)
    return math.log1p((n - 1) * math.exp(-n / (n - 1) / tau))
