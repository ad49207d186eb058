"""Barlow Twins: columns of the two views agree each with itself and with no other (Zbontar et al. 2021)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, paired_views
from sim_engine._matmul import matmul
from sim_engine.losses._guard import at_least_two, finite, not_negative
from sim_engine.losses._result import LossResult

__all__ = ["barlow_twins"]


def barlow_twins(z_a: ArrayLike, z_b: ArrayLike, *, lam: float = 0.0051, eps: float = 1e-5) -> LossResult:
    r"""Distance of the table of correlations between two views' columns from the identity.

    $$L = \sum_i(1 - C_{ii})^2 + \lambda\sum_i\sum_{j \ne i}C_{ij}^2, \qquad
    C = \frac1N\hat z_a^\top\hat z_b, \qquad
    \hat z = \frac{z - \bar z}{\sqrt{\operatorname{Var}(z) + \varepsilon}}$$

    with mean and (biased) variance of each column over the batch. No row is compared with another:
    there are no negatives. With $\varepsilon = 0$ it is the paper's equation to the letter; its code
    standardises by batch normalisation, whose $\varepsilon$ is 1e-5. Then a column that has collapsed to
    a constant has $C_{ii} = 0$ and costs 1, a collapsed encoder d; its gradient there is 0 all the
    same, an unstable rest.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2; row i of both comes from image i.
        lam: weight of the off-diagonal entries, >= 0; the paper says 0.005, its code 0.0051.
        eps: added to each variance, >= 0, in the unit of z squared.

    Returns:
        The loss, at least 0, without unit, and its gradients, each (N, d). float16 is computed in float32.

    Raises:
        ValueError: shapes differ, N = 1 (one row has no variance), something is not finite, lam or eps is
            negative, a column is constant while eps = 0, or a gradient is too large for its dtype.

    Source:
        Zbontar, Jing, Misra, LeCun, Deny (2021), arXiv:2103.03230, eq. 1 and 2.

    Examples:
        >>> z = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
        >>> round(barlow_twins(z, z, eps=0.0).value, 6)
        0.0
        >>> barlow_twins([[3.0, 4.0]] * 2, [[3.0, 4.0]] * 2).value  # collapsed
        2.0
    """
    z_a, z_b = paired_views(z_a, z_b)
    n, d = z_a.shape
    at_least_two(n, "z_a and z_b", "one row has no variance")
    lam, eps = not_negative("lam", lam), not_negative("eps", eps)
    a, b = _standardize(z_a, eps, "z_a"), _standardize(z_b, eps, "z_b")
    c = matmul(a.x.T, b.x) / n  # (d, d)
    diagonal = np.arange(d)
    missing = 1.0 - c[diagonal, diagonal]
    c[diagonal, diagonal] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(np.sum(missing.astype(np.float64) ** 2) + lam * np.sum(c.astype(np.float64) ** 2))
        grad_c = c * c.dtype.type(2 * lam)
        grad_c[diagonal, diagonal] = -2 * missing
        grad_c /= n
        grad_a = _standardize_backward(matmul(b.x, grad_c.T), a)
        grad_b = _standardize_backward(matmul(a.x, grad_c), b)
    finite(value, z_a=grad_a, z_b=grad_b)
    return LossResult(value, grad_a, grad_b)


class _Standardized(NamedTuple):
    """`x` (N, d) standardised; its deviations are `scale` * 2**`exponent`, each (d,)."""

    x: Array
    scale: Array
    exponent: Array


def _standardize(z: Array, eps: float, name: str) -> _Standardized:
    constant = (z == z[0]).all(axis=0)
    if eps == 0 and constant.any():
        column = int(np.argmax(constant))
        raise ValueError(f"{name} must have no constant column when eps = 0, got one at column {column}")
    # A power of two changes no digit, and squares neither overflow nor (without eps) vanish.
    _, exponent = np.frexp(np.abs(z).max(axis=0))
    exponent[constant] = 0
    if eps > 0:
        exponent = np.maximum(exponent, 0)
    x = np.ldexp(z, -exponent).astype(np.float64)
    x -= x.mean(axis=0)
    x[:, constant] = 0.0  # a mean may be off by a rounding
    scale = np.sqrt(np.mean(x * x, axis=0) + np.ldexp(eps, -2 * exponent))
    x /= scale
    return _Standardized(x.astype(z.dtype, copy=False), scale, exponent)


def _standardize_backward(grad_x: Array, s: _Standardized) -> Array:
    # Columns of grad_x are made of the other view's, so centring finds their mean 0 already.
    inner = grad_x - s.x * np.mean(grad_x * s.x, axis=0)
    grad: Array = np.ldexp(inner / s.scale, -s.exponent).astype(grad_x.dtype, copy=False)
    return grad
