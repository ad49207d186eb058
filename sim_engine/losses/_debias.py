"""What is left of the negatives when the expected share of false ones is taken out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim_engine._check import Array
from sim_engine.losses._guard import number


class Debiased(NamedTuple):
    """Each anchor's loss and the coefficients of its gradient, (2N,) each.

    Attributes:
        ell: the loss, in nats.
        pull: coefficient of the positive's cosine over tau, <= 0.
        push: by what a derivative of the sum over the negatives is multiplied; 0 at the floor.
    """

    ell: Array
    pull: Array
    push: Array


def class_prior(tau_plus: float) -> float:
    """Return `tau_plus` as a float in [0, 1), or raise `ValueError`."""
    prior = number("tau_plus", tau_plus)
    if not 0.0 <= prior < 1.0:
        raise ValueError(f"tau_plus must lie in [0, 1), a share of false negatives, got {tau_plus}")
    return prior


def debias(rest: Array, gap: Array, largest: Array, count: int, tau: float, tau_plus: float) -> Debiased:
    r"""Return $\log(1 + G/e^{g})$, with $G = \max\{(R - \tau^+ K e^g)/(1 - \tau^+),\ K e^{(-1 - m)/\tau}\}$.

    All sums are of exp((s - m) / tau), as `_softmax.weigh` leaves them.

    Args:
        rest: (2N,), R, the sum over the negatives, weighted or not.
        gap: (2N,), g, the positive's exponent, <= 0.
        largest: (2N,), m, the largest cosine of each row.
        count: K, negatives of each row.
        tau: temperature.
        tau_plus: share of false negatives, in [0, 1).
    """
    dtype = rest.dtype.type
    positive = np.exp(gap)
    lowest = np.minimum(-1 - largest, 0) * dtype(1.0 / tau)  # rounding may put a cosine below -1
    floor = count * np.exp(lowest)
    estimate = (rest - tau_plus * count * positive) / (1.0 - tau_plus)
    above = estimate > floor
    negatives = np.where(above, estimate, floor)
    with np.errstate(divide="ignore"):  # log 0 is -inf, and the loss then 0, where all negatives vanish
        ell = np.logaddexp(dtype(0), np.log(negatives) - gap)
    total = negatives + positive
    push = np.where(above, 1.0 / ((1.0 - tau_plus) * total), dtype(0))
    return Debiased(ell, -np.where(above, push * rest, negatives / total), push)
