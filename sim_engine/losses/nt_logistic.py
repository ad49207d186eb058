"""NT-Logistic: of every pair of views, alone, is it the same image? (Chen et al. 2020, table 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array
from sim_engine._matmul import matmul
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import mean, not_zero
from sim_engine.losses._two_views import cosines, of_views, own, unit_views
from sim_engine.similarity import tangent


def nt_logistic(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> LossResult:
    r"""Logistic loss of every pair, positives towards 1 and negatives towards 0, by cosine over temperature.

    $$\ell_i = -\log\sigma(s_{i,p(i)}/\tau) - \sum_{k \ne i,\, p(i)} \log\sigma(-s_{ik}/\tau),
    \qquad L = \frac1{2N}\sum_{i=1}^{2N}\ell_i$$

    over all 2N rows of both views, $p(i)$ the other view of the same image. The 2N - 2 negatives of a
    row are summed, not averaged; only anchors are. The table prints one negative $v^-$ and for it the
    gradient $-\sigma(u \cdot v^-/\tau)/\tau \cdot v^-$ (of what is maximised): a sum gives just that to
    each negative, whatever their number, as the sum in NT-Xent's row of the table runs over all of
    them, while a mean would divide it by 2N - 2. So negatives outweigh the positive, the more the
    larger the batch. A negative's push does not depend on the others: `logistic_weights`.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0, without unit.

    Returns:
        The loss in nats, above 0 (near (2N - 1) log 2 at a huge tau), and its gradients in the given
        (unnormalised) rows, each (N, d). float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: as `nt_xent`, or the loss is too large for float64.

    Source:
        Chen, Kornblith, Norouzi, Hinton (2020), arXiv:2002.05709, table 2; that the 2N - 2 negatives of
        eq. 1 are summed is read from its gradient column.

    Examples:
        >>> import numpy as np
        >>> round(nt_logistic(np.eye(2), np.eye(2), tau=0.5).value, 4)  # log(1 + exp(-2)) + 2 log 2
        1.5132
    """
    normalized, tau = unit_views(z_a, z_b, tau)
    u = normalized.u
    count = len(u)
    share, positive = cosines(u)
    share[own(count)] = -positive  # the answer wanted is yes: σ(s) = 1 - σ(-s)
    share *= not_zero(1.0 / tau, share)
    value = _soften(share)
    if not np.isfinite(value):
        raise ValueError(f"the loss overflows float64: tau = {tau} is too small")
    share[own(count)] *= -1.0
    # The coefficients are symmetric, so that (A + Aᵀ)u is 2Au.
    grad_u = matmul(share, u)
    grad_u *= u.dtype.type(2.0 / count)
    with np.errstate(over="ignore", invalid="ignore"):
        grad_u *= u.dtype.type(1.0 / tau)
        return of_views(value, tangent(grad_u, normalized))


def _soften(x: Array) -> float:
    r"""Return the mean over rows of $\sum_j \log(1 + e^{x_{ij}})$, and overwrite x with $\sigma(x)$."""
    yes = x >= 0
    with np.errstate(over="ignore"):
        ell: Array = np.sum(x, axis=1, where=yes, dtype=np.float64)
    decay = np.abs(x)
    np.negative(decay, out=decay)
    np.exp(decay, out=decay)  # <= 1, so it cannot overflow
    ell = ell + np.log1p(decay, out=x).sum(axis=1, dtype=np.float64)
    np.copyto(x, decay)
    np.copyto(x, 1.0, where=yes)
    decay += 1.0
    x /= decay
    return mean(ell)
