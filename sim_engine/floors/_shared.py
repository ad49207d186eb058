"""What the reference values of several losses share."""

from __future__ import annotations

import math

import numpy as np

from sim_engine import sphere
from sim_engine._check import floats, temperature, whole


def mean_log_sum_exp(count: int, d: int, tau: float) -> float:
    r"""Expected log of a sum over random pairs, $\mathbb{E}\log\sum_{k=1}^{M} e^{s_k/\tau}$.

    The cosines $s_k$ are of one direction with M independent uniform ones. With $X = e^{s/\tau}$,

    $$\mathbb{E}\log\sum_k X_k = \int_0^\infty \frac{e^{-u} - (\mathbb{E}\,e^{-uX})^{M}}{u}\,du,$$

    which is summed by the trapezoid rule in $\log u$.

    Args:
        count: M, >= 1.
        d: dimension, >= 1.
        tau: temperature, at least 0.01.

    Returns:
        nats, within 1e-8.

    Raises:
        ValueError: count < 1, d < 1, or tau < 0.01.
    """
    count, d, tau = whole("count", count, least=1, most=2**65), whole("d", d, least=1), temperature(tau)
    if tau < 0.01:
        raise ValueError(f"tau must be at least 0.01 here, got {tau}: below, the integral is too sharp")
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
        missing = -np.einsum("ij,j->i", np.expm1(-np.exp(np.minimum(v[:, None] + log_x, 700.0))), weight)
        with np.errstate(divide="ignore"):
            power = np.exp(count * np.log1p(-np.minimum(missing, 1.0)))
        total += step * float(np.sum(np.exp(-np.exp(np.minimum(v, 700.0))) - power))
        # For a single term the power is what rounding leaves of 1 minus the weights' sum, which need not
        # be 0; beyond 2 / tau + 7 no exp(-uX) is left.
        if v[-1] > 5 and (power[-1] < 1e-20 or v[-1] > 2 / tau + 7):
            return 1 / tau + total
        v += 64 * step


def fits(vertices: int, d: int | None) -> None:
    """Refuse a dimension in which a regular simplex of so many points has no place."""
    if d is not None and whole("d", d, least=1) < vertices - 1:
        raise ValueError(
            f"d must be at least n - 1 = {vertices - 1} for a simplex of {vertices} points, got {d}; "
            "leave d out for the bound that holds in every dimension but is not reached there"
        )


def not_negative(name: str, value: float, *, most: float) -> float:
    """Return `value` as a float in [0, most], or raise `ValueError`."""
    number = float(floats(name, value, ndim=0))
    if number < 0:
        raise ValueError(f"{name} must be >= 0, got {number}")
    if number > most:
        raise ValueError(f"{name} must be at most {most:g}, got {number}")
    return number
