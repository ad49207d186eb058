"""The least debiased loss, which is also the hard-negative loss's at every beta."""

from __future__ import annotations

import math

from sim_engine._check import temperature, whole
from sim_engine.floors._shared import fits, not_negative

__all__ = ["best"]


def best(n: int, tau: float, tau_plus: float, d: int | None = None) -> float:
    r"""Least debiased loss of N images: positives coincide, the N points form a regular simplex.

    $$L_{\min} = \log\!\left(1 + K\max\!\left\{\frac{e^{-\frac1\tau\frac{N}{N-1}} - \tau^+}{1 - \tau^+},\
    e^{-2/\tau}\right\}\right), \qquad K = 2N - 2$$

    The second member holds for every row, since no cosine leaves [-1, 1]; where it is the larger, the
    simplex stands at the loss's floor and nothing lies below. The first comes by Jensen's inequality,
    as NT-Xent's: a row's loss is at least $\log(1 - K\tau^+/(1-\tau^+) + K e^{x/\tau}/(1-\tau^+))$, x its
    mean cosine to the negatives less that to the positive, and this is convex in x as long as
    $\tau^+ \le 1/(2N-1)$. Between the two the function is concave and proves nothing: the least lies
    from $\log(1 + Ke^{-2/\tau})$ to the simplex's loss, and the error says both.

    The weights of the hard-negative loss grow with the cosine and only raise the mean over negatives,
    and on the simplex they are equal: the value is the same at every beta.

    Args:
        n: images N in the batch, >= 2.
        tau: temperature, > 0.
        tau_plus: probability that a negative is of the anchor's class, in [0, 1).
        d: dimension of z. A simplex of N points needs d >= N - 1; None assumes that many. With fewer,
            the value is still below every loss, but none need reach it.

    Returns:
        nats, >= 0; NT-Xent's at tau_plus = 0.

    Raises:
        ValueError: n < 2, tau <= 0, tau_plus is not in [0, 1) or lies between 1 / (2N - 1) and the
            share from which the simplex stands at the floor, or d < n - 1.

    Source:
        Derived here: Jensen's inequality, as above; the loss of a simplex, and the end of a descent, in the
        tests.

    Examples:
        >>> round(best(256, 0.5, 0.12), 3)  # NT-Xent's least is 4.244
        2.336
        >>> round(best(3, 0.5, 0.02), 4)
        0.1147
    """
    n, tau, tau_plus = whole("n", n, least=2), temperature(tau), not_negative("tau_plus", tau_plus, most=1.0)
    if tau_plus == 1:
        raise ValueError("tau_plus must be below 1, a share of false negatives, got 1")
    fits(n, d)
    simplex, lowest = math.exp(-n / (n - 1) / tau), math.exp(-2 / tau)
    negatives, estimate = 2 * n - 2, (simplex - tau_plus) / (1 - tau_plus)
    if estimate > lowest and tau_plus * (2 * n - 1) > 1:
        few, many = 1 / (2 * n - 1), (simplex - lowest) / (1 - lowest)
        raise ValueError(
            f"tau_plus must be at most 1 / (2n - 1) = {few:.3g} or at least {many:.3g} "
            f"at n = {n} and tau = {tau}, got {tau_plus}: between, the least is only known to lie from "
            f"{math.log1p(negatives * lowest):.4g} to {math.log1p(negatives * estimate):.4g}"
        )
    return math.log1p(negatives * max(estimate, lowest))
