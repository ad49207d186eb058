"""NT-Logistic's values to measure a run against; unlike NT-Xent's, a collapse is worse than chance."""

from __future__ import annotations

import math

import numpy as np

from sim_engine import sphere
from sim_engine._check import floats, temperature, whole
from sim_engine.floors._shared import fits

__all__ = ["best", "equal", "uniform"]


def equal(n: int, tau: float, similarity: float = 1.0) -> float:
    r"""NT-Logistic when all cosines are s: $\log(1 + e^{-s/\tau}) + (2N - 2)\log(1 + e^{s/\tau})$.

    Pairs are judged one by one, so it depends on s, where NT-Xent does not.

    Args:
        n: images N in the batch, >= 2.
        tau: temperature, > 0.
        similarity: s, from -1 to 1; 1 is a collapsed encoder.

    Returns:
        nats.

    Raises:
        ValueError: n < 2, tau <= 0, or so small that the loss overflows, or the similarity is no cosine.

    Source:
        Derived here: `nt_logistic` with every cosine s; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(2, 0.5), 4)
        4.3808
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    s = float(floats("similarity", similarity, ndim=0))
    if not -1 <= s <= 1:
        raise ValueError(f"similarity must lie in [-1, 1], got {s}")
    value = _softplus(-s / tau) + (2 * n - 2) * _softplus(s / tau)
    if not math.isfinite(value):
        raise ValueError(f"the loss overflows at n = {n} and tau = {tau}: make n smaller or tau larger")
    return value


def uniform(n: int, d: int, tau: float) -> float:
    r"""Expected NT-Logistic when all 2N rows are independent and uniform on the sphere.

    A cosine and its negative are equally likely, so it is $(2N - 1)\,\mathbb{E}\log(1 + e^{s/\tau})$.

    Args:
        n: images N in the batch, >= 2.
        d: dimension of z, >= 1.
        tau: temperature, at least 0.01.

    Returns:
        nats, within 1e-8 of its size.

    Raises:
        ValueError: n < 2, d < 1, or tau < 0.01.

    Source:
        Derived here: one expectation for each of a row's 2N - 1 pairs; the mean of random batches in the
        tests.

    Examples:
        >>> round(uniform(2, 10_000, 0.5) / math.log(2), 3)  # 2N - 1 coins
        3.0
    """
    n, d, tau = whole("n", n, least=2), whole("d", d, least=1), temperature(tau)
    if tau < 0.01:
        raise ValueError(f"tau must be at least 0.01 here, got {tau}: below, the integral is too sharp")
    s, weight = sphere.nodes(d, panels=max(64, math.ceil(2 / tau)))
    softplus = np.log1p(np.exp(-np.abs(s) / tau)) + np.maximum(s, 0) / tau
    return (2 * n - 1) * float(np.sum(weight * softplus))


def best(n: int, tau: float, d: int | None = None) -> float:
    r"""Least NT-Logistic of N images: positives coincide, the N points form a regular simplex.

    $$L_{\min} = \log(1 + e^{-1/\tau}) + (2N - 2)\log\!\left(1 + e^{-1/((N-1)\tau)}\right)$$

    Both terms are convex in the cosine, so the loss is at least that of the mean cosines $\bar p$ and
    $\bar q$. The sum of all 2N rows has a length, so $1 + \bar p + (2N - 2)\bar q \ge 0$; both terms fall
    as $\bar p$ rises to 1. With many images nearly $(2N - 2)\log 2$ remain, since negatives cannot all
    be opposite: compare with `uniform` of the same N.

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
        Derived here: Jensen's inequality, as above; the loss of a simplex in the tests.

    Examples:
        >>> round(best(2, 0.5), 4)
        0.3808
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    fits(n, d)
    return _softplus(-1 / tau) + (2 * n - 2) * _softplus(-1 / (n - 1) / tau)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
