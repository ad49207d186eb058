"""NT-Xent: which of the other 2N - 1 views is mine? (Chen et al. 2020, eq. 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array
from sim_engine._simd import pair_scale
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import cross_entropy, exponentiate, mean, weigh
from sim_engine.losses._two_views import backward, backward_both_ways, cosines, of_views, own, unit_views

# Exponents this far apart, by bytes of a number, leave room for sums of either and for their inverses.
WIDEST = {4: 60.0, 8: 600.0}


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

    Examples:
        >>> import numpy as np
        >>> result = nt_xent(np.eye(3), np.eye(3), tau=0.5)
        >>> round(result.value, 4), result.grad_a.shape
        (0.4327, (3, 3))
    """
    normalized, tau = unit_views(z_a, z_b, tau)
    value, rest, total, share, symmetric = _softmax(normalized.u, tau)
    # P - 1 at the positive is -rest / total; subtracting would lose all digits near the optimum.
    pull, place = rest / total, own(len(share))
    if symmetric:
        pair_scale(share, 1.0 / total)
        share[place] = -(pull + pull[place[1]])
        grad = backward_both_ways(share, normalized, 1.0 / tau)
    else:
        share /= total[:, None]
        share[place] = -pull
        grad = backward(share, normalized, 1.0 / tau)
    return of_views(value, grad)


def nt_xent_value(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> float:
    r"""The value of `nt_xent` alone, in nats; the gradient is not computed.

    $$L = -\frac1{2N}\sum_{i=1}^{2N}\log\frac{\exp(s_{i,p(i)}/\tau)}{\sum_{k \ne i}\exp(s_{ik}/\tau)}$$

    of the cosines $s_{ik}$ of all 2N rows, $p(i)$ the other view of the same image.

    Args:
        z_a, z_b: as `nt_xent`.
        tau: as `nt_xent`.

    Returns:
        nats, at least 0.

    Raises:
        ValueError: as `nt_xent`.

    Source:
        Chen et al. (2020), arXiv:2002.05709, eq. 1.

    Examples:
        >>> import numpy as np
        >>> round(nt_xent_value(np.ones((4, 2)), np.ones((4, 2)), tau=0.1), 4)  # log 7
        1.9459
    """
    normalized, tau = unit_views(z_a, z_b, tau)
    return _softmax(normalized.u, tau)[0]


def _softmax(u: Array, tau: float) -> tuple[float, Array, Array, Array, bool]:
    """Return the loss, and of each row the sum without its positive, the whole sum, and the terms.

    The terms are exp((s - m) / tau), (2N, 2N), 0 on the diagonal and at the positive. One matrix of that
    size is made. m is 1, the largest cosine there can be, where no term is lost by that: then the terms are
    symmetric, which the last value tells. Where tau is so small that some would vanish, m is the row's
    largest cosine to another view.
    """
    s, positive = cosines(u)
    inverse = 1.0 / tau
    symmetric = 2.0 * inverse <= WIDEST[s.dtype.itemsize]
    if symmetric:
        rest = exponentiate(s, np.ones(len(s), s.dtype), inverse)
        won = np.exp((positive - 1) * s.dtype.type(inverse))
        return mean(np.log1p(rest / won)), rest, rest + won, s, True
    gap, rest, _ = weigh(s, positive, inverse)
    ell, total = cross_entropy(gap, rest)
    return mean(ell), rest, total, s, False
