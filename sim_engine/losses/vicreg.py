"""VICReg: views agree, no column dies, no two columns say the same (Bardes, Ponce, LeCun 2022, eq. 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, paired_views, positive
from sim_engine._matmul import matmul
from sim_engine.losses._guard import at_least_two, finite, not_negative
from sim_engine.losses._result import LossResult

__all__ = ["vicreg"]


def vicreg(
    z_a: ArrayLike,
    z_b: ArrayLike,
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    gamma: float = 1.0,
    eps: float = 1e-4,
) -> LossResult:
    r"""Weighted sum of the distance of the views, a hinge on each column's spread, and covariances.

    $$L = \lambda\,s(z_a, z_b) + \mu\,[v(z_a) + v(z_b)] + \nu\,[c(z_a) + c(z_b)], \qquad
    s = \frac1N\sum_i\lVert z^a_i - z^b_i\rVert_2^2,$$

    $$v(z) = \frac1d\sum_{j}\Big[\gamma - \sqrt{\operatorname{Var}(z_{\cdot j}) + \varepsilon}\Big]_+,
    \qquad c(z) = \frac1d\sum_{i \ne j}C_{ij}^2, \qquad
    C = \frac1{N-1}\sum_i(z_i - \bar z)(z_i - \bar z)^\top$$

    with the unbiased variance, divided by N - 1. A collapsed encoder has s = c = 0 and pays
    $2\mu(\gamma - \sqrt\varepsilon)$: 49.5 by the defaults.

    The authors' released code weighs the same terms otherwise: it takes s as the mean over all N d
    entries and v as the mean, not the sum, of the two views. Its 25, 25, 1 are `invariance=25 / d`,
    `variance=12.5`, `covariance=1` here.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, not normalised; row i of both comes from image i.
        invariance, variance, covariance: $\lambda, \mu, \nu$, each >= 0; the paper uses 25, 25, 1.
        gamma: deviation each column shall reach, > 0, in the unit of z; the paper uses 1.
        eps: added to each variance, > 0, in the unit of z squared; the paper uses 1e-4.

    Returns:
        The loss, at least 0, and its gradients, each (N, d). float16 is computed in float32.

    Raises:
        ValueError: shapes differ, N = 1 (one row has no variance), something is not finite, a weight is
            negative, gamma or eps <= 0, or the loss or a gradient is too large for the dtype.

    Source:
        Bardes, Ponce, LeCun (2022), arXiv:2105.04906, eq. 1 to 6.

    Examples:
        >>> collapsed = [[3.0, 4.0], [3.0, 4.0]]
        >>> round(vicreg(collapsed, collapsed).value, 6)
        49.5
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    at_least_two(n, "z_a and z_b", "one row has no variance")
    invariance = not_negative("invariance", invariance)
    variance = not_negative("variance", variance)
    covariance = not_negative("covariance", covariance)
    gamma, eps = positive("gamma", gamma), positive("eps", eps)
    with np.errstate(over="ignore", invalid="ignore"):
        difference = (z_a - z_b).astype(np.float64)
        apart = float(np.einsum("ij,ij->", difference, difference)) / n
        flat_a, spread_a = _variance(z_a, gamma, eps)
        flat_b, spread_b = _variance(z_b, gamma, eps)
        same_a, turn_a = _covariance(z_a)
        same_b, turn_b = _covariance(z_b)
        value = invariance * apart + variance * (flat_a + flat_b) + covariance * (same_a + same_b)
        pull = invariance * 2 / n * difference
        grad_a = (pull + variance * spread_a + covariance * turn_a).astype(z_a.dtype, copy=False)
        grad_b = (-pull + variance * spread_b + covariance * turn_b).astype(z_b.dtype, copy=False)
    finite(value, z_a=grad_a, z_b=grad_b)
    return LossResult(value, grad_a, grad_b)


def _centre(z: Array) -> Array:
    centred: Array = z - z.mean(axis=0, dtype=np.float64).astype(z.dtype)
    centred[:, (z == z[0]).all(axis=0)] = 0.0  # a mean may be off by a rounding
    return centred


def _variance(z: Array, gamma: float, eps: float) -> tuple[float, Array]:
    n, d = z.shape
    centred = _centre(z).astype(np.float64)
    deviation = np.sqrt(np.einsum("ij,ij->j", centred, centred) / (n - 1) + eps)
    short = deviation < gamma
    value = float(np.sum(np.where(short, gamma - deviation, 0.0))) / d
    return value, centred * np.where(short, -1 / (d * (n - 1) * deviation), 0.0)


def _covariance(z: Array) -> tuple[float, Array]:
    n, d = z.shape
    centred = _centre(z)
    c = matmul(centred.T, centred) / (n - 1)
    np.fill_diagonal(c, 0.0)
    value = float(np.einsum("ij,ij->", c, c, dtype=np.float64)) / d
    return value, matmul(centred, c).astype(np.float64) * (4 / (d * (n - 1)))
