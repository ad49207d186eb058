"""What a loss of two views returns."""

from __future__ import annotations

from typing import NamedTuple

from sim_engine._check import Array


class LossResult(NamedTuple):
    """A loss and its gradients.

    Attributes:
        value: the loss, in nats.
        grad_a: (N, d), its gradient in `z_a` as it was given (not normalised), nats per unit of z.
        grad_b: (N, d), its gradient in `z_b`.
    """

    value: float
    grad_a: Array
    grad_b: Array
