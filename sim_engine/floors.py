"""Values of NT-Xent and of uniformity to measure a run against: chance, collapse, and the best there is."""

from __future__ import annotations

import math

import numpy as np

from sim_engine import sphere
from sim_engine._check import positive, temperature, whole

__all__ = ["best", "best_uniformity", "equal", "uniform"]


def equal(n: int) -> float:
    r"""NT-Xent when all similarities are equal: $\log(2N - 1)$, at every temperature.

    The value of a collapsed encoder, and of a fresh one whose outputs are nearly constant.

    Args:
        n: images N in the batch, >= 2.

    Returns:
        nats.

    Raises:
        ValueError: n < 2.
    """
    return math.log(2 * whole("n", n, least=2) - 1)


def uniform(n: int, d: int, tau: float) -> float:
    r"""Expected NT-Xent when all 2N rows are independent and uniform on the sphere.

    The positive's cosine averages 0, so the loss is $\mathbb{E}\log\sum_{k=1}^{2N-1} e^{s_k/\tau}$
    with independent cosines $s_k$ of random pairs. With $X = e^{s/\tau}$ and $M = 2N - 1$,

    $$\mathbb{E}\log\sum_k X_k = \int_0^\infty \frac{e^{-u} - (\mathbb{E}\,e^{-uX})^{M}}{u}\,du,$$

    which is summed by the trapezoid rule in $\log u$. It exceeds $\log(2N - 1)$ by about
    $1/(2d\tau^2)$ when that is small.

    Args:
        n: images N in the batch, >= 2.
        d: dimension of z, >= 1.
        tau: temperature, at least 0.01.

    Returns:
        nats, within 1e-8.

    Raises:
        ValueError: n < 2, d < 1, or tau < 0.01.
    """
    n, d, tau = whole("n", n, least=2), whole("d", d, least=1), temperature(tau)
    if tau < 0.01:
        raise ValueError(f"tau must be at least 0.01 here, got {tau}: below, the integral is too sharp")
    count = 2 * n - 1
    # exp(-u X) is a step of width tau in the cosine, which the panels must resolve.
    s, weight = sphere.nodes(d, panels=max(64, math.ceil(2 / tau)))
    log_x = (s - 1) / tau  # <= 0; the shift comes back at the end
    step = 0.125
    # Below, both terms are 1 to the last digit; the loop ends when both are 0.
    lower = -math.log(count) - 45.0
    v = lower + step * np.arange(64)
    total = 0.0
    while True:
        # 1 - E exp(-uX) = E(1 - exp(-uX)), which keeps its digits for small u.
        missing = -np.expm1(-np.exp(np.minimum(v[:, None] + log_x, 700.0))) @ weight
        with np.errstate(divide="ignore"):
            power = np.exp(count * np.log1p(-np.minimum(missing, 1.0)))
        total += step * float(np.sum(np.exp(-np.exp(np.minimum(v, 700.0))) - power))
        if power[-1] < 1e-20 and v[-1] > 5:
            return 1 / tau + total
        v += 64 * step


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
    """
    n, tau = whole("n", n, least=2), temperature(tau)
    if d is not None and whole("d", d, least=1) < n - 1:
        raise ValueError(
            f"d must be at least n - 1 = {n - 1} for a simplex of {n} points, got {d}; "
            "leave d out for the bound that holds in every dimension but is not reached there"
        )
    return math.log1p(2 * (n - 1) * math.exp(-n / (n - 1) / tau))


def best_uniformity(d: int, t: float = 2.0) -> float:
    r"""Least possible uniformity, $\log\mathbb{E}\,e^{-t\lVert x - y\rVert^2}$ of the uniform distribution.

    On the unit sphere $\lVert x - y\rVert^2 = 2 - 2s$, so this is $\log\mathbb{E}\,e^{2ts} - 2t$. A
    finite sample measured over distinct pairs can lie a little below.

    Args:
        d: dimension of z, >= 1.
        t: inverse width, > 0; the paper uses 2.

    Returns:
        nats, <= 0.

    Raises:
        ValueError: d < 1 or t <= 0.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1 and proposition 1.
    """
    kappa = 2 * positive("t", t)
    return sphere.log_mean_exp(kappa, d, below_most=True)
