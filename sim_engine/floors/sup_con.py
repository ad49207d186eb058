"""SupCon's values to measure a run against: no encoder brings it near 0, since positives compete."""

from __future__ import annotations

import math
from typing import Literal

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import fits, mean_log_sum_exp

__all__ = ["best", "equal", "uniform"]


def equal(rows: int) -> float:
    r"""SupCon when all similarities are equal: $\log(M - 1)$, in both variants, at every temperature.

    Args:
        rows: M in the batch, views counted each, >= 2.

    Returns:
        nats.

    Raises:
        ValueError: rows < 2.

    Source:
        Derived here: M - 1 equal logits; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(512), 3)
        6.236
    """
    return math.log(whole("rows", rows, least=2) - 1)


def uniform(
    rows: int, d: int, tau: float, *, positives: int = 1, variant: Literal["out", "in"] = "out"
) -> float:
    r"""Expected SupCon when all M rows are independent and uniform on the sphere, whatever their labels.

    $$L_\text{out} = \mathbb{E}\log\sum_{k=1}^{M-1} e^{s_k/\tau}, \qquad
    L_\text{in} = L_\text{out} - \mathbb{E}\log\frac1P\sum_{k=1}^{P} e^{s_k/\tau}$$

    Args:
        rows: M in the batch, >= 2.
        d: dimension of z, >= 1.
        tau: temperature, at least 0.01.
        positives: P, the other rows of an anchor's class, from 1 to M - 1; "out" does not depend on it.
        variant: "out" or "in", the place of the mean over positives.

    Returns:
        nats, within 2e-8.

    Raises:
        ValueError: an argument is out of range.

    Source:
        Derived here: one expectation for every anchor; the mean of random batches in the tests.

    Examples:
        >>> round(uniform(512, 128, 0.1), 2)
        6.62
    """
    rows = whole("rows", rows, least=2)
    positives = whole("positives", positives, least=1, most=rows - 1)
    if variant not in ("out", "in"):
        raise ValueError(f"variant must be 'out' or 'in', got {variant!r}")
    outside = mean_log_sum_exp(rows - 1, d, tau)
    if variant == "out":
        return outside
    return outside - mean_log_sum_exp(positives, d, tau) + math.log(positives)


def best(classes: int, rows_each: int, tau: float, d: int | None = None) -> float:
    r"""Least SupCon of K classes with m rows each: every class in one place, the K places a regular simplex.

    $$L_{\min} = \log\!\left(m - 1 + m(K-1)\exp\!\left(-\tfrac1\tau\,\tfrac{K}{K-1}\right)\right)$$

    of both variants; at least $\log(m - 1)$, since an anchor's positives cannot all win. A row's loss is,
    by Jensen's inequality, at least $\log(m - 1 + m(K-1)e^{x/\tau})$, x its mean cosine to the negatives
    less that to the positives ("in": less 1), which is convex in x. The sum of all rows has a length, so
    $1 + (m-1)\bar p + m(K-1)\bar q \ge 0$, and $\bar q - \bar p$ is least at $\bar p = 1$. With m = 2, two
    views of each image, it is NT-Xent's.

    Args:
        classes: K, >= 1; with one class there are no negatives, and the loss is log(m - 1) at least.
        rows_each: m, rows of each class, views counted each, >= 2.
        tau: temperature, > 0.
        d: dimension of z. A simplex of K points needs d >= K - 1; None assumes that many. With fewer,
            the value is still below every loss, but none reaches it.

    Returns:
        nats, >= 0.

    Raises:
        ValueError: an argument is out of range, or d < K - 1: the simplex does not fit.

    Source:
        Graf, Hofer, Niethammer, Kwitt (2021), arXiv:2102.08817, the theorem on the
        supervised contrastive loss.

    Examples:
        >>> round(best(10, 50, 0.1), 3)  # log 49 = 3.892
        3.892
    """
    k, m = whole("classes", classes, least=1), whole("rows_each", rows_each, least=2)
    tau = temperature(tau)
    fits(k, d)
    if k == 1:
        return math.log(m - 1)
    return math.log(m - 1) + math.log1p(m / (m - 1) * (k - 1) * math.exp(-k / (k - 1) / tau))
