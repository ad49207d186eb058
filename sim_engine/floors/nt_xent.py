"""NT-Xent's values to measure a run against: chance, collapse, and the best there is."""

from __future__ import annotations

import math

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import fits, mean_log_sum_exp

__all__ = ["best", "equal", "uniform"]


def equal(n: int) -> float:
    r"""NT-Xent when all similarities are equal: $\log(2N - 1)$, at every temperature.

    The value of a collapsed encoder, and of a fresh one whose outputs are nearly constant.

    Args:
        n: images N in the batch, >= 2.

    Returns:
        nats.

    Raises:
        ValueError: n < 2.

    Source:
        Derived here: 2N - 1 equal logits; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(256), 3)
        6.236
    """
    return math.log(2 * whole("n", n, least=2) - 1)


def uniform(n: int, d: int, tau: float) -> float:
    r"""Expected NT-Xent when all 2N rows are independent and uniform on the sphere.

    The positive's cosine averages 0, so the loss is $\mathbb{E}\log\sum_{k=1}^{2N-1} e^{s_k/\tau}$
    with independent cosines $s_k$ of random pairs. It exceeds $\log(2N - 1)$ by about
    $1/(2d\tau^2)$ when that is small.

    Args:
        n: images N in the batch, >= 2.
        d: dimension of z, >= 1.
        tau: temperature, at least 0.01.

    Returns:
        nats, within 1e-8.

    Raises:
        ValueError: n < 2, d < 1, or tau < 0.01.

    Source:
        Derived here: one expectation for every anchor; the mean of random batches in the tests.

    Examples:
        >>> round(uniform(256, 128, 0.1), 2)
        6.62
    """
    return mean_log_sum_exp(2 * whole("n", n, least=2) - 1, d, tau)


def best(n: int, tau: float, d: int | None = None) -> float:
    r"""Least NT-Xent of N images: positives coincide, the N points form a regular simplex.

    $$L_{\min} = \log\!\left(1 + 2(N-1)\exp\!\left(-\tfrac{1}{\tau}\,\tfrac{N}{N-1}\right)\right)$$

    No encoder goes below it, since the loss is convex in the similarities and these average at
    least -1/(N - 1) over the negatives. It depends on τ and N, so losses at different temperatures
    or batch sizes cannot be compared.

    Args:
        n: images N in the batch, >= 2.
        tau: temperature, > 0.
        d: dimension of z. A simplex of N points needs d >= N - 1; None assumes that many. With
            fewer, the value is still below every loss, but none reaches it.

    Returns:
        nats, > 0.

    Raises:
        ValueError: n < 2, tau <= 0, or d < n - 1: the simplex does not fit.

    Source:
        Derived here: Jensen's inequality, as above; the loss of a simplex, and the end of a descent, in the
        tests.

    Examples:
        >>> round(best(256, 0.5), 2)
        4.24
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    fits(n, d)
    return math.log1p(2 * (n - 1) * math.exp(-n / (n - 1) / tau))
