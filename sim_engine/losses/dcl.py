"""Decoupled contrastive learning: NT-Xent without the positive in its denominator (Yeh et al. 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._simd import row_max
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import exponentiate, mean
from sim_engine.losses._two_views import backward, cosines, of_views, own, unit_views


def dcl(z_a: ArrayLike, z_b: ArrayLike, tau: float) -> LossResult:
    r"""NT-Xent whose denominator holds the negatives alone, so that a won positive is pulled on.

    $$\ell_i = -\frac{s_{i,p(i)}}{\tau} + \log\sum_{k \ne i,\, p(i)} \exp(s_{ik}/\tau),
    \qquad L = \frac1{2N}\sum_{i=1}^{2N}\ell_i$$

    A row's NT-Xent is $\log(1 + e^{\ell_i})$, so $\ell_i = \log(e^{\ell_i^{\text{NT-Xent}}} - 1)$, the two
    differ by $-\log(1 - P_{i,p(i)}) \ge 0$, and NT-Xent's gradient is that of $\ell_i$ times
    $1 - P_{i,p(i)}$: the multiplier that the paper removes. The paper sums over the 2N rows; here it
    is their mean, to be compared with NT-Xent.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0, without unit.

    Returns:
        The loss in nats, from log(2N - 2) - 2/tau, and below 0 where the positive is far ahead; its
        gradients in the given (unnormalised) rows, each (N, d). float16 is computed, and its gradients
        returned, in float32.

    Raises:
        ValueError: as `nt_xent`.

    Source:
        Yeh, Hong, Hsu, Liu, Chen, LeCun (2022), arXiv:2110.06848, eq. 6; the multiplier is the one it
        names after negative-positive coupling.

    Examples:
        >>> import numpy as np
        >>> round(dcl(np.eye(3), np.eye(3), tau=0.5).value, 4)  # log 4 - 1/tau
        -0.6137
    """
    normalized, tau = unit_views(z_a, z_b, tau)
    share, positive = cosines(normalized.u)
    # The largest negative sets the scale: with the positive's, all negatives might vanish.
    hardest = row_max(share)
    rest = exponentiate(share, hardest, 1.0 / tau)  # >= 1
    ell = np.log(rest) + (hardest - positive) * rest.dtype.type(1.0 / tau)
    share /= rest[:, None]
    share[own(len(share))] = -1.0
    return of_views(mean(ell), backward(share, normalized, 1.0 / tau))
