"""Hard-negative weighting: near negatives count more, false ones less (Robinson et al. 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._simd import row_max
from sim_engine.losses._debias import class_prior, debias
from sim_engine.losses._guard import not_negative
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import exponentiate, mean, weigh
from sim_engine.losses._two_views import backward, cosines, of_views, own, unit_views


def hard_negative(z_a: ArrayLike, z_b: ArrayLike, tau: float, tau_plus: float, beta: float) -> LossResult:
    r"""The debiased loss with negatives drawn in proportion to $e^{\beta s/\tau}$, by importance weights.

    $$\ell_i = -\log\frac{e^{s_i^+/\tau}}{e^{s_i^+/\tau} + K g_i},\quad
    g_i = \max\Big\{\frac{1}{1 - \tau^+}\Big(\sum_{k} w_{ik}\, e^{s_{ik}/\tau}
    - \tau^+ e^{s_i^+/\tau}\Big),\ e^{-1/\tau}\Big\},\quad
    w_{ik} = \frac{e^{\beta s_{ik}/\tau}}{\sum_{j} e^{\beta s_{ij}/\tau}}$$

    with j and k over the K = 2N - 2 negatives, $s_i^+$ the cosine to the other view, and L the mean of
    the 2N terms. The weights are part of the loss and are differentiated too: with
    $\bar e_i = \sum_k w_{ik} e^{s_{ik}/\tau}$, the derivative of $\bar e_i$ in $s_{ik}/\tau$ is
    $w_{ik}\big((1 + \beta) e^{s_{ik}/\tau} - \beta \bar e_i\big)$, so an easy negative is attracted.
    At $\beta = 0$ all weights are 1/K and this is `debiased` exactly; as $\beta$ grows only the hardest
    negative counts, K times. The paper reweights the positives' expectation too, which with one positive
    changes nothing. At the floor, as in `debiased`, the negatives are not pushed.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0, without unit.
        tau_plus: probability that a negative is of the anchor's class, in [0, 1).
        beta: concentration on hard negatives, >= 0, per unit of cosine over tau, as in the paper's code.

    Returns:
        The loss in nats, at least 0, and its gradients in the given (unnormalised) rows, each (N, d).
        float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: as `debiased`, or beta < 0, or beta / tau is too large for the dtype.

    Source:
        Robinson, Chuang, Sra, Jegelka (2021), arXiv:2010.04592, section 3: the debiased objective whose
        negatives are drawn from q of concentration beta, their expectation by importance sampling.

    Examples:
        >>> z = [[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]
        >>> [round(hard_negative(z, z, 0.5, 0.1, beta).value, 4) for beta in (0.0, 1.0, 1e6)]
        [0.8612, 1.0296, 1.1541]
    """
    tau_plus, beta = class_prior(tau_plus), not_negative("beta", beta)
    normalized, tau = unit_views(z_a, z_b, tau)
    share, positive = cosines(normalized.u)
    most = float(np.finfo(share.dtype).max) / 4.0  # differences of cosines reach 2
    if beta > most * min(tau, 1.0):
        raise ValueError(f"beta / tau must be at most {most:.3g} in this precision, got {beta} / {tau}")
    weight = share.copy()
    weight /= exponentiate(weight, row_max(weight), beta / tau)[:, None]
    gap, _, largest = weigh(share, positive, 1.0 / tau)
    count = len(share) - 2
    average = np.einsum("ij,ij->i", weight, share)
    ell, pull, push = debias(count * average, gap, largest, count, tau, tau_plus)
    share *= 1.0 + beta
    share -= (beta * average)[:, None]
    share *= weight
    del weight  # its memory is what the product below may need
    share *= (count * push)[:, None]
    share[own(len(share))] = pull
    return of_views(mean(ell), backward(share, normalized, 1.0 / tau))
