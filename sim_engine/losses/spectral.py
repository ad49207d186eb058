"""Spectral contrastive loss: a factorisation of the graph of augmentations (HaoChen et al. 2021, eq. 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import paired_views
from sim_engine._matmul import matmul
from sim_engine.losses._guard import at_least_two, finite
from sim_engine.losses._result import LossResult

__all__ = ["spectral"]


def spectral(z_a: ArrayLike, z_b: ArrayLike) -> LossResult:
    r"""Pull of the positives, linear; push of the negatives, quadratic, towards right angles.

    $$L = -\frac2N\sum_{i=1}^{N} z^a_i \cdot z^b_i
    + \frac1{N(N-1)}\sum_{i \ne j}\big(z^a_i \cdot z^b_j\big)^2$$

    Rows are taken as they are: their length is learned, there is no temperature. A negative is pushed
    from either side: an opposite row is as wrong as an equal one.

    A collapsed encoder, all rows one v with $r = \lVert v\rVert^2$, has $L = r^2 - 2r$, which is -1 at
    best, at r = 1. Equal shares in d orthogonal directions of length$^2$ d have -d in expectation. In one
    batch of N <= d orthogonal rows, however, no negative is left, and the loss -2r has no floor.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2; row i of both comes from image i.

    Returns:
        The loss, in units of $z^2$ and $z^4$, of either sign, and its gradients, each (N, d).

    Raises:
        ValueError: shapes differ, N = 1 (there is no negative), something is not finite, or the loss
            is too large for the dtype.

    Source:
        HaoChen, Wei, Gaidon, Ma (2021), arXiv:2106.04156, eq. 6; over a batch as in the authors' code,
        which first shortens rows to a given length.

    Examples:
        >>> collapsed = [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
        >>> spectral(collapsed, collapsed).value
        -1.0
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    at_least_two(n, "z_a and z_b", "with one image there is no negative")
    pairs = n * (n - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        s = matmul(z_a, z_b.T)
        pull = float(np.trace(s, dtype=np.float64))
        np.fill_diagonal(s, 0.0)
        push = float(np.einsum("ij,ij->", s, s, dtype=np.float64))
        value = push / pairs - 2 * pull / n
        s /= pairs
        grad_a = 2 * (matmul(s, z_b) - z_b / n)
        grad_b = 2 * (matmul(s.T, z_a) - z_a / n)
    finite(value, z_a=grad_a, z_b=grad_b)
    return LossResult(value, grad_a, grad_b)
