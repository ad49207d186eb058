"""What losses of two views by cosine begin and end with: 2N unit rows, and a gradient in the given ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, all_finite, paired_views, temperature
from sim_engine._matmul import gram, matmul, symmetrized_product
from sim_engine.losses._result import LossResult
from sim_engine.similarity import Normalized, directions, tangent


def unit_views(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> tuple[Normalized, float]:
    """Return both views' rows, made unit, one view above the other: u (2N, d) and the lengths (2N,).

    Raises:
        ValueError: as `nt_xent`, for its arguments.
    """
    z_a, z_b = paired_views(z_a, z_b)
    tau = temperature(tau, z_a.dtype)
    if len(z_a) < 2:
        raise ValueError("z_a and z_b must hold at least 2 rows, got 1: with one image there is no negative")
    try:
        return directions(np.concatenate([z_a, z_b]), "z"), tau
    except ValueError:  # a zero row: of which view?
        directions(z_a, "z_a")
        directions(z_b, "z_b")
        raise


def own(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places (i, p(i)) of the positives in a (2N, 2N) matrix; `count` is 2N."""
    anchor = np.arange(count)
    return anchor, (anchor + count // 2) % count


def cosines(u: Array) -> tuple[Array, Array]:
    """Return all cosines (2N, 2N), -inf at the diagonal and the positive, and the positives' (2N,)."""
    s = gram(u)
    place = own(len(u))
    positive = s[place]
    s[place] = -np.inf
    np.fill_diagonal(s, -np.inf)
    return s, positive


def backward(share: Array, normalized: Normalized, inverse: float, *, anchors: int | None = None) -> Array:
    r"""Carry a gradient in cosines over tau back to the rows as given, by $(A + A^\top)u/(M\tau)$.

    Args:
        share: A (M, M), row i the gradient of the loss of anchor i in its logits.
        normalized: the unit rows u (M, d) and their lengths (M,).
        inverse: 1 / tau.
        anchors: over how many rows the loss is averaged; None for all M.

    Returns:
        (M, d), not finite where the dtype cannot hold it.
    """
    grad_u = symmetrized_product(share, normalized.u)
    return _to_rows(grad_u, normalized, inverse, len(share) if anchors is None else anchors)


def backward_both_ways(weight: Array, normalized: Normalized, inverse: float) -> Array:
    r"""Carry a gradient in cosines over tau back as `backward` does, of $W = A + A^\top$ in place of A.

    Args:
        weight: W (M, M).
        normalized: the unit rows u (M, d) and their lengths (M,).
        inverse: 1 / tau.

    Returns:
        $Wu/(M\tau)$ (M, d), not finite where the dtype cannot hold it.
    """
    return _to_rows(matmul(weight, normalized.u), normalized, inverse, len(weight))


def _to_rows(grad_u: Array, normalized: Normalized, inverse: float, count: int) -> Array:
    grad_u /= count
    with np.errstate(over="ignore", invalid="ignore"):
        grad_u *= grad_u.dtype.type(inverse)
        return tangent(grad_u, normalized)


def of_views(value: float, grad: Array) -> LossResult:
    """Return the loss with the gradient (2N, d) cut into its two views.

    Raises:
        ValueError: the gradient overflows its dtype.
    """
    n = len(grad) // 2
    if not all_finite(grad):
        row = int(np.argmin(np.isfinite(grad).all(axis=1))) % n
        raise ValueError(f"the gradient at row {row} overflows {grad.dtype}: its length or tau is too small")
    return LossResult(value, grad[:n], grad[n:])
