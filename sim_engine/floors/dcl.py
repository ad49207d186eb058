"""DCL's values to measure a run against; all lie below NT-Xent's, and the best below 0."""

from __future__ import annotations

import math

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import fits, mean_log_sum_exp

__all__ = ["best", "equal", "uniform"]


def equal(n: int) -> float:
    r"""DCL when all similarities are equal: $\log(2N - 2)$, at every temperature.

    Args:
        n: images N in the batch, >= 2.

    Returns:
        nats.

    Raises:
        ValueError: n < 2.

    Source:
        Derived here: 2N - 2 equal logits less the positive's, their equal; the loss of equal rows in the
        tests.

    Examples:
        >>> round(equal(256), 3)
        6.234
    """
    return math.log(2 * whole("n", n, least=2) - 2)


def uniform(n: int, d: int, tau: float) -> float:
    r"""Expected DCL when all 2N rows are independent and uniform on the sphere.

    The positive's cosine averages 0, so the loss is $\mathbb{E}\log\sum_{k=1}^{2N-2} e^{s_k/\tau}$
    with independent cosines of random pairs.

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
        >>> round(uniform(256, 128, 0.5), 3)
        6.25
    """
    return mean_log_sum_exp(2 * whole("n", n, least=2) - 2, d, tau)


def best(n: int, tau: float, d: int | None = None) -> float:
    r"""Least DCL of N images: positives coincide, the N points form a regular simplex.

    $$L_{\min} = \log(2N - 2) - \frac1\tau\,\frac{N}{N-1}$$

    By Jensen's inequality the loss is at least $\log(2N - 2) + (\bar q - \bar p)/\tau$, $\bar p$ and
    $\bar q$ the mean cosine of positives and of negatives. The sum of all 2N rows has a length, so
    $1 + \bar p + (2N - 2)\bar q \ge 0$, and $\bar q - \bar p$ is least at $\bar p = 1$.

    Args:
        n: images N in the batch, >= 2.
        tau: temperature, > 0.
        d: dimension of z. A simplex of N points needs d >= N - 1; None assumes that many. With
            fewer, the value is still below every loss, but none reaches it.

    Returns:
        nats, of either sign.

    Raises:
        ValueError: n < 2, tau <= 0, or d < n - 1: the simplex does not fit.

    Source:
        Derived here: Jensen's inequality, as above; the loss of a simplex in the tests.

    Examples:
        >>> round(best(256, 0.1), 3)
        -3.805
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    fits(n, d)
    return math.log(2 * n - 2) - n / (n - 1) / tau
