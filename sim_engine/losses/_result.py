"""What a loss returns: its value, then one gradient for each array it was given, in their order."""

from __future__ import annotations

from typing import NamedTuple

from sim_engine._check import Array


class LossResult(NamedTuple):
    """A loss of two views and its gradients.

    Attributes:
        value: the loss, in nats unless the function says otherwise.
        grad_a: (N, d), its gradient in `z_a` as it was given (not normalised), its unit per unit of z.
        grad_b: (N, d), its gradient in `z_b`.
    """

    value: float
    grad_a: Array
    grad_b: Array


class RowsResult(NamedTuple):
    """A loss of one set of rows and its gradient.

    Attributes:
        value: the loss, in nats.
        grad_z: (M, d), its gradient in `z` as it was given (not normalised), nats per unit of z.
    """

    value: float
    grad_z: Array


class QueryResult(NamedTuple):
    """A loss of queries, their positives and explicit negatives, and its gradients.

    Attributes:
        value: the loss, in nats.
        grad_query: (N, d), its gradient in `query` as it was given, nats per unit of query.
        grad_positive: (N, d), its gradient in `positive`.
        grad_negatives: its gradient in `negatives`, of their shape, (N, K, d) or (K, d).
    """

    value: float
    grad_query: Array
    grad_positive: Array
    grad_negatives: Array
