"""NT-Xent's values to measure a run against: chance, collapse, and the best there is."""

from __future__ import annotations

import math

import numpy as np

from sim_engine import sphere
from sim_engine._check import temperature, whole
from sim_engine.floors._levenshtein import rule
from sim_engine.floors._shared import fits, mean_log_sum_exp

__all__ = ["best", "best_bound", "equal", "uniform"]


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
            fewer, the value is still below every loss, but none reaches it: `best_bound` is nearer.

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


def best_bound(n: int, tau: float, d: int) -> float:
    r"""A value that no NT-Xent of N images in d dimensions is below; `best` where the simplex fits.

    $$L \ge \log\Big(1 + 2N\sum_i\rho_i\,e^{(\alpha_i - 1)/\tau}\Big)$$

    with nodes $\alpha_i$ and weights $\rho_i$ of the quadrature
    $\mathbb{E}\,f(s) = f(1)/N + \sum_i\rho_i f(\alpha_i)$ over the cosine s of random directions, of the
    highest degree that N allows: points whose cosines follow it are as evenly spread as can be. For
    N <= d + 1 its only node is $-1/(N-1)$.

    Proof. Let $h(s) \le e^{s/\tau}$ on [-1, 1] have Gegenbauer coefficients >= 0 and the mean
    $h_0 > 0$ over random directions. Then $\sum_{ik} h(s_{ik})\,t_it_k \ge h_0(\sum_i t_i)^2$ over all 2N
    rows, for any t. Of it the rows themselves and their positives are at most $2h(1)\sum_i t_i^2$, and for
    t >= 0 the negatives at most $\sum_i t_i^2 N_i$, $N_i$ the sum of $e^{s/\tau}$ over an anchor's. With
    $t_i = 1/(N_i + 2h(1))$ therefore $\sum_i t_i \le 1/h_0$. An anchor's loss is at least
    $\log(1 + N_ie^{-1/\tau})$, convex and falling in $t_i$, so that by Jensen's inequality
    $L \ge \log\big(1 + 2(Nh_0 - h(1))e^{-1/\tau}\big)$. The best h of its degree touches $e^{s/\tau}$ at the
    $\alpha_i$, and the rule turns $Nh_0 - h(1)$ into the sum above. Where the rule would be long, h is
    $e^{s/\tau}$ itself.

    Few configurations reach it, all with positives that coincide: regular polygons (d = 2), N = 2d points
    on the axes, the icosahedron and other sharp codes; in one dimension any even N. For all else it lies
    below the least loss, which nobody knows in general.

    Args:
        n: images N in the batch, >= 2.
        tau: temperature, > 0.
        d: dimension of z, >= 1.

    Returns:
        nats, >= 0, at least `best(n, tau)`.

    Raises:
        ValueError: n < 2, tau <= 0, or d < 1.

    Source:
        The sum over pairs: Boyvalenkov, Dragnev, Hardin, Saff, Stoyanova (2016), Universal lower bounds for
        potential energy of spherical codes, Constructive Approximation 44, 385-415. The step to NT-Xent, a
        mean of logarithms of sums, is this book's.

    Examples:
        >>> round(best_bound(256, 0.1, d=128), 4), round(best(256, 0.1), 4)  # 256 points on 128 axes
        (0.0228, 0.022)
        >>> round(best_bound(256, 0.1, d=3), 3)
        3.203
    """
    n, tau, d = whole("n", n, least=2), temperature(tau), whole("d", d, least=1)
    bounds = [best(n, tau)]
    if d >= n - 1:
        return bounds[0]
    spread = rule(n, d) if d > 1 else None
    if spread is not None:
        nodes, weights = spread
        bounds.append(math.log1p(2 * n * float(np.sum(weights * np.exp((nodes - 1) / tau)))))
    # Of every degree at once: N times the mean over random directions, less the point itself.
    every = n * math.exp(sphere.log_mean_exp(min(1 / tau, 1e301), d, below_most=True)) - 1
    if every > 0:
        bounds.append(math.log1p(2 * every))
    return max(bounds)
