"""Alignment and uniformity as a loss: what NT-Xent balances, each with its own weight (Wang & Isola 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, paired_views, positive
from sim_engine._matmul import gram, matmul
from sim_engine.losses._guard import at_least_two, finite, not_negative
from sim_engine.losses._result import LossResult
from sim_engine.similarity import normalize, tangent

__all__ = ["align_uniform"]

# Beyond, products with the distances, which reach 2 to the power alpha, might leave float64.
LARGEST = {"align_weight": 1e30, "uniform_weight": 1e30, "alpha": 100.0, "t": 1e30}


def align_uniform(
    z_a: ArrayLike,
    z_b: ArrayLike,
    *,
    align_weight: float = 1.0,
    uniform_weight: float = 1.0,
    alpha: float = 2.0,
    t: float = 2.0,
) -> LossResult:
    r"""Weighted sum of the distance of positives and of how unevenly each view covers the sphere.

    $$L = w_{\text{al}}\,\frac1N\sum_i\lVert u^a_i - u^b_i\rVert_2^{\alpha}
    + w_{\text{un}}\,\frac{U(u^a) + U(u^b)}2, \qquad
    U(u) = \log\frac2{N(N-1)}\sum_{i<j}e^{-t\lVert u_i - u_j\rVert_2^2}$$

    of the rows made unit, $u = z/\lVert z\rVert$. The terms are `metrics.alignment` and
    `metrics.uniformity`. A collapsed encoder has 0 in both, the largest U there is.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        align_weight: >= 0, nats per distance to the power alpha.
        uniform_weight: >= 0, without unit.
        alpha: exponent, > 0; the paper uses 2. Where a pair coincides its gradient is taken as 0, which
            for alpha <= 1 is one of many subgradients.
        t: inverse width, > 0; the paper uses 2.

    Returns:
        The loss in nats, and its gradients, each (N, d). float16 is computed in float32.

    Raises:
        ValueError: shapes differ, N = 1, a row is zero, something is not finite, a weight is negative,
            alpha or t <= 0, one of the four is huge, or a gradient is too large for its dtype.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, sections 4.1.1 and 4.1.2, whose definitions bear no
        numbers, and their sum in figure 6.

    Examples:
        >>> opposite = [[1.0, 0.0], [-1.0, 0.0]]
        >>> round(align_uniform(opposite, opposite).value, 6)  # log exp(-2 * 4)
        -8.0
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    at_least_two(n, "z_a and z_b", "uniformity is of pairs")
    align_weight = not_negative("align_weight", align_weight)
    uniform_weight = not_negative("uniform_weight", uniform_weight)
    alpha, t = positive("alpha", alpha), positive("t", t)
    named = {"align_weight": align_weight, "uniform_weight": uniform_weight, "alpha": alpha, "t": t}
    for name, given in named.items():
        if given > LARGEST[name]:
            raise ValueError(f"{name} must be at most {LARGEST[name]:g}, got {given}")
    a, b = normalize(z_a, name="z_a"), normalize(z_b, name="z_b")
    with np.errstate(over="ignore", invalid="ignore"):
        apart, pull = _alignment(a.u, b.u, alpha)
        uneven_a, push_a = _uniformity(a.u, t)
        uneven_b, push_b = _uniformity(b.u, t)
        value = align_weight * apart + uniform_weight * (uneven_a + uneven_b) / 2
        grad_u_a = align_weight * pull + uniform_weight / 2 * push_a
        grad_u_b = -align_weight * pull + uniform_weight / 2 * push_b
        grad_a = tangent(grad_u_a, a).astype(z_a.dtype, copy=False)
        grad_b = tangent(grad_u_b, b).astype(z_b.dtype, copy=False)
    finite(value, z_a=grad_a, z_b=grad_b)
    return LossResult(value, grad_a, grad_b)


def _alignment(u_a: Array, u_b: Array, alpha: float) -> tuple[float, Array]:
    """Return the alignment and its gradient in u_a, which is minus that in u_b."""
    difference = (u_a - u_b).astype(np.float64)
    distance = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    there = distance > 0
    slope = np.zeros_like(distance)
    slope[there] = alpha * distance[there] ** (alpha - 1) / distance[there]
    return float(np.mean(distance**alpha)), difference * (slope / len(distance))[:, None]


def _uniformity(u: Array, t: float) -> tuple[float, Array]:
    """Return the uniformity and its gradient in u, less a radial part that `tangent` drops."""
    s = gram(u)
    s -= 1.0
    np.minimum(s, 0.0, out=s)  # -distance^2 / 2; rounding may put a cosine of equal rows above 1
    np.fill_diagonal(s, -4.0)  # below every other, so never the largest
    top = float(s.max())
    s -= s.dtype.type(top)
    s *= s.dtype.type(2 * t)
    np.exp(s, out=s)
    np.fill_diagonal(s, 0.0)  # no row is paired with itself
    total = float(s.sum(dtype=np.float64))  # every pair twice
    value = 2 * t * top + float(np.log(total / (len(u) * (len(u) - 1))))
    s *= s.dtype.type(2 / total)
    return value, 2 * t * matmul(s, u).astype(np.float64)
