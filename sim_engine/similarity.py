"""Cosine similarity: what only the directions of two vectors decide, and how gradients pass through it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, all_finite, rows
from sim_engine._matmul import matmul
from sim_engine._simd import row_max

__all__ = ["Normalized", "cosine", "cosine_backward", "normalize", "normalize_backward"]

# By bytes of a number: a sum of squares between these lost no square that counts, and did not overflow.
SAFE_SQUARES = {
    limits.dtype.itemsize: (float(limits.smallest_normal / limits.eps**2), float(limits.max))
    for limits in (np.finfo(np.float32), np.finfo(np.float64))
}


class Normalized(NamedTuple):
    """Unit rows and the lengths they had.

    Attributes:
        u: (N, d), unit rows.
        norms: (N,), their lengths before.
    """

    u: Array
    norms: Array


def normalize(z: ArrayLike, *, name: str = "z") -> Normalized:
    r"""Put every row on the unit sphere, $u_i = z_i / \lVert z_i \rVert_2$.

    Rows as long as 1e300 or as short as 1e-300 are scaled before they are squared, so that nothing
    overflows or vanishes.

    Args:
        z: (N, d), any unit.
        name: the argument's name in errors.

    Returns:
        `u` (N, d), unit rows without unit; `norms` (N,), in the unit of z.

    Raises:
        ValueError: z is not a finite (N, d) array, or a row is zero: it has no direction.

    Source:
        Derived here: the definition of a direction; torch's normalize in the tests.

    Examples:
        >>> u, norms = normalize([[3.0, 4.0]])
        >>> u.tolist(), norms.tolist()
        ([[0.6, 0.8]], [5.0])
    """
    return directions(rows(name, z), name)


def directions(array: Array, name: str) -> Normalized:
    """`normalize` for those who have checked that the array is finite and has rows: the losses.

    Args:
        array: (N, d), float32 or float64.
        name: the argument's name in errors.

    Returns:
        As `normalize`.

    Raises:
        ValueError: a row is zero.
    """
    squares = np.einsum("ij,ij->i", array, array)
    least, most = SAFE_SQUARES[array.dtype.itemsize]
    if squares.min() >= least and squares.max() <= most:
        lengths = np.sqrt(squares)
        return Normalized(array / lengths[:, None], lengths)
    largest = row_max(np.abs(array))
    if not (largest > 0).all():
        row = int(np.argmin(largest))
        raise ValueError(f"{name} must have no zero row (it has no direction), got one at row {row}")
    # A power of two changes no digit of what it scales. The largest that the dtype holds leaves a row of
    # numbers below the least normal one short, but far from vanishing when squared.
    exponent = np.maximum(np.frexp(largest)[1], 1 - np.finfo(array.dtype).maxexp)
    scaled = array * np.ldexp(array.dtype.type(1), -exponent)[:, None]
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    scaled /= lengths[:, None]
    with np.errstate(over="ignore"):
        norms = np.ldexp(lengths, exponent)
    return Normalized(scaled, norms)


def normalize_backward(grad_u: Array, normalized: Normalized) -> Array:
    r"""Carry a gradient back through `normalize`: $(g - (g \cdot u)\,u) / \lVert z \rVert$.

    Only the part of the gradient that is tangent to the sphere comes through, and a short row gets
    a larger step than a long one.

    Args:
        grad_u: (N, d), gradient in the unit rows.
        normalized: what `normalize` returned.

    Returns:
        (N, d), gradient in z.

    Raises:
        ValueError: grad_u is not finite or has not the shape of the unit rows, or the gradient in z
            is too large for its dtype.

    Source:
        Derived here: the derivative of z over its length; torch's autograd in the tests.

    Examples:
        >>> normalized = normalize([[2.0, 0.0]])
        >>> normalize_backward(np.array([[1.0, 1.0]]), normalized).tolist()  # along z nothing comes through
        [[0.0, 0.5]]
    """
    if not isinstance(normalized, Normalized):
        raise ValueError(f"normalized must be what normalize returned, got {type(normalized).__name__}")
    grad_u = rows("grad_u", grad_u)
    if grad_u.shape != normalized.u.shape:
        wanted = normalized.u.shape
        raise ValueError(f"grad_u must have the shape of the unit rows, {wanted}, got {grad_u.shape}")
    return _finite_tangent("z", grad_u, normalized)


def tangent(grad_u: Array, normalized: Normalized) -> Array:
    """`normalize_backward` for those who know their shapes and judge the result themselves: the losses.

    Args:
        grad_u: (N, d), gradient in the unit rows.
        normalized: what `normalize` returned.

    Returns:
        (N, d), gradient in z, not finite where the dtype cannot hold it.
    """
    u, norms = normalized
    radial = np.einsum("ij,ij->i", grad_u, u)
    grad_z: Array = grad_u - radial[:, None] * u
    grad_z /= norms[:, None]
    return grad_z


def cosine(x: ArrayLike, y: ArrayLike) -> Array:
    r"""All cosines of two sets of rows, $s_{ij} = x_i \cdot y_j / (\lVert x_i \rVert \lVert y_j \rVert)$.

    Args:
        x: (N, d).
        y: (M, d).

    Returns:
        (N, M), each within rounding of [-1, 1].

    Raises:
        ValueError: a set is not a finite 2-D array, the widths differ, or a row is zero.

    Source:
        Derived here: the definition; its loop in the tests.

    Examples:
        >>> cosine([[1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]).tolist()
        [[1.0, 0.0, -1.0]]
    """
    a, b = _pair(x, y)
    return matmul(a.u, b.u.T)


def cosine_backward(grad_s: Array, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    r"""Carry a gradient back through `cosine`.

    $$\partial x_i = \frac{g_i - (g_i \cdot u_i)\,u_i}{\lVert x_i\rVert}, \qquad
    g_i = \sum_j G_{ij}\,v_j$$

    with $u = x/\lVert x\rVert$, $v = y/\lVert y\rVert$ and G the gradient in the cosines; likewise in y, by
    $G^\top$.

    Args:
        grad_s: (N, M), gradient in the cosines.
        x: (N, d).
        y: (M, d).

    Returns:
        Gradients in x (N, d) and in y (M, d).

    Raises:
        ValueError: as `cosine`, `grad_s` has another shape, or a gradient is too large for its dtype.

    Source:
        Derived here: the chain rule through `normalize`; torch's autograd in the tests.

    Examples:
        >>> grad_x, grad_y = cosine_backward(np.ones((1, 1)), [[2.0, 0.0]], [[0.0, 1.0]])
        >>> grad_x.tolist(), grad_y.tolist()
        ([[0.0, 0.5]], [[1.0, 0.0]])
    """
    a, b = _pair(x, y)
    grad_s = rows("grad_s", grad_s)
    if grad_s.shape != (len(a.u), len(b.u)):
        raise ValueError(f"grad_s must have shape {(len(a.u), len(b.u))}, got {grad_s.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        grad_u, grad_v = matmul(grad_s, b.u), matmul(grad_s.T, a.u)
    return _finite_tangent("x", grad_u, a), _finite_tangent("y", grad_v, b)


def _finite_tangent(name: str, grad_u: Array, normalized: Normalized) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        grad_z = tangent(grad_u, normalized)
    if not all_finite(grad_z):
        row = int(np.argmin(np.isfinite(grad_z).all(axis=1)))
        raise ValueError(
            f"the gradient in {name} overflows {grad_z.dtype} at row {row}: "
            "the row is too short, or what comes back too large"
        )
    return grad_z


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Normalized, Normalized]:
    a, b = normalize(x, name="x"), normalize(y, name="y")
    if a.u.shape[1] != b.u.shape[1]:
        raise ValueError(f"x and y must have rows of one length, got {a.u.shape[1]} and {b.u.shape[1]}")
    return a, b
