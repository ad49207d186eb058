"""Cosine similarity: what only the directions of two vectors decide, and how gradients pass through it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, rows
from sim_engine._matmul import matmul

__all__ = ["Normalized", "cosine", "cosine_backward", "normalize", "normalize_backward"]


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

    Examples:
        >>> u, norms = normalize([[3.0, 4.0]])
        >>> u.tolist(), norms.tolist()
        ([[0.6, 0.8]], [5.0])
    """
    array = rows(name, z)
    largest = np.abs(array).max(axis=1)
    if not (largest > 0).all():
        row = int(np.argmin(largest))
        raise ValueError(f"{name} must have no zero row (it has no direction), got one at row {row}")
    # A power of two changes no digit of what it scales.
    _, exponent = np.frexp(largest)
    scaled = np.ldexp(array, -exponent[:, None])
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

    Examples:
        >>> normalized = normalize([[2.0, 0.0]])
        >>> normalize_backward(np.array([[1.0, 1.0]]), normalized).tolist()  # along z nothing comes through
        [[0.0, 0.5]]
    """
    u, norms = normalized
    radial = np.einsum("ij,ij->i", grad_u, u)
    tangent: Array = grad_u - radial[:, None] * u
    tangent /= norms[:, None]
    return tangent


def cosine(x: ArrayLike, y: ArrayLike) -> Array:
    r"""All cosines of two sets of rows, $s_{ij} = x_i \cdot y_j / (\lVert x_i \rVert \lVert y_j \rVert)$.

    Args:
        x: (N, d).
        y: (M, d).

    Returns:
        (N, M), each within rounding of [-1, 1].

    Raises:
        ValueError: a set is not a finite 2-D array, the widths differ, or a row is zero.

    Examples:
        >>> cosine([[1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]).tolist()
        [[1.0, 0.0, -1.0]]
    """
    a, b = _pair(x, y)
    return matmul(a.u, b.u.T)


def cosine_backward(grad_s: Array, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Carry a gradient back through `cosine`.

    Args:
        grad_s: (N, M), gradient in the cosines.
        x: (N, d).
        y: (M, d).

    Returns:
        Gradients in x (N, d) and in y (M, d).

    Raises:
        ValueError: as `cosine`, or `grad_s` has another shape.

    Examples:
        >>> grad_x, grad_y = cosine_backward(np.ones((1, 1)), [[2.0, 0.0]], [[0.0, 1.0]])
        >>> grad_x.tolist(), grad_y.tolist()
        ([[0.0, 0.5]], [[1.0, 0.0]])
    """
    a, b = _pair(x, y)
    grad_s = rows("grad_s", grad_s)
    if grad_s.shape != (len(a.u), len(b.u)):
        raise ValueError(f"grad_s must have shape {(len(a.u), len(b.u))}, got {grad_s.shape}")
    grad_x = normalize_backward(matmul(grad_s, b.u), a)
    grad_y = normalize_backward(matmul(grad_s.T, a.u), b)
    return grad_x, grad_y


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Normalized, Normalized]:
    a, b = normalize(x, name="x"), normalize(y, name="y")
    if a.u.shape[1] != b.u.shape[1]:
        raise ValueError(f"x and y must have rows of one length, got {a.u.shape[1]} and {b.u.shape[1]}")
    return a, b
