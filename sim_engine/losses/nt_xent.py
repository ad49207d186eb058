"""NT-Xent: which of the other 2N - 1 views is mine? (Chen et al. 2020, eq. 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, paired_views, temperature
from sim_engine._matmul import gram, symmetrized_product
from sim_engine.losses._result import LossResult
from sim_engine.similarity import Normalized, normalize, normalize_backward


def nt_xent(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> LossResult:
    r"""Cross-entropy of picking the positive among the other views, by cosine over temperature.

    $$\ell_i = -\log\frac{\exp(s_{i,p(i)}/\tau)}{\sum_{k \ne i}\exp(s_{ik}/\tau)},
    \qquad L = \frac1{2N}\sum_{i=1}^{2N}\ell_i$$

    over all 2N rows of both views, $p(i)$ the other view of the same image. The positive stays in
    the denominator; a view is never compared with itself. With $P_{ik}$ the softmax and $T_{ik}$
    one at the positive, the gradient in the unit rows is $(A + A^\top)u$, $A = (P - T)/(2N\tau)$:
    a row is pulled as an anchor and again as the positive or negative of others.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0, without unit.

    Returns:
        The loss in nats, at least 0, and its gradients in the given (unnormalised) rows, each
        (N, d). float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: shapes differ, N = 1 (there is no negative), a row is zero, anything is NaN or
            infinite, tau <= 0, or a gradient is too large for its dtype.

    Source:
        Chen, Kornblith, Norouzi, Hinton (2020), arXiv:2002.05709, eq. 1 and algorithm 1.
    """
    normalized, tau = _unit_views(z_a, z_b, tau)
    u = normalized.u
    value, rest, total, share = _softmax(u, tau)
    count = len(u)
    n = count // 2
    share /= total[:, None]
    # P - 1 at the positive is -rest / total; subtracting would lose all digits near the optimum.
    anchor = np.arange(count)
    share[anchor, (anchor + n) % count] = -rest / total
    grad_u = symmetrized_product(share, u)
    grad_u /= count
    grad_u *= u.dtype.type(1.0 / tau)
    with np.errstate(over="ignore", invalid="ignore"):
        grad = normalize_backward(grad_u, normalized)
    if not np.isfinite(grad).all():
        row = int(np.argmin(np.isfinite(grad).all(axis=1))) % n
        raise ValueError(f"the gradient at row {row} overflows {grad.dtype}: its length or tau is too small")
    return LossResult(value, grad[:n], grad[n:])


def nt_xent_value(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> float:
    """The value of `nt_xent` alone, in nats; the gradient is not computed.

    Args:
        z_a, z_b: as `nt_xent`.
        tau: as `nt_xent`.

    Raises:
        ValueError: as `nt_xent`.
    """
    normalized, tau = _unit_views(z_a, z_b, tau)
    return _softmax(normalized.u, tau)[0]


def _unit_views(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> tuple[Normalized, float]:
    z_a, z_b = paired_views(z_a, z_b)
    tau = temperature(tau, z_a.dtype)
    if len(z_a) < 2:
        raise ValueError("z_a and z_b must hold at least 2 rows, got 1: with one image there is no negative")
    a, b = normalize(z_a, name="z_a"), normalize(z_b, name="z_b")
    return Normalized(np.concatenate([a.u, b.u]), np.concatenate([a.norms, b.norms])), tau


def _softmax(u: Array, tau: float) -> tuple[float, Array, Array, Array]:
    """Return the loss, and of each row the sum without its positive, the whole sum, and the terms.

    Sums are of exp((s - m) / tau), m the row's largest cosine to another view, so that none overflows.
    The terms (2N, 2N) hold 0 on the diagonal and at the positive. One matrix of that size is made.
    """
    count = len(u)
    anchor = np.arange(count)
    positive = (anchor + count // 2) % count
    inverse = u.dtype.type(1.0 / tau)
    s = gram(u)
    np.fill_diagonal(s, -2.0)  # below every cosine, so never a row's largest
    largest = s.max(axis=1)
    gap = (s[anchor, positive] - largest) * inverse  # <= 0
    s -= largest[:, None]
    s *= inverse
    np.exp(s, out=s)
    np.fill_diagonal(s, 0.0)
    s[anchor, positive] = 0.0
    rest = s.sum(axis=1)
    total = rest + np.exp(gap)
    # log(total) = log1p(rest + exp(gap) - 1), which keeps its digits when the positive has won.
    ell = np.log1p(rest + np.expm1(gap)) - gap
    return float(ell.mean(dtype=np.float64)), rest, total, s
