"""Debiased contrastive loss: the expected false negatives are subtracted (Chuang et al. 2020)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from sim_engine.losses._debias import class_prior, debias
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import mean, weigh
from sim_engine.losses._two_views import backward, cosines, of_views, own, unit_views


def debiased(z_a: ArrayLike, z_b: ArrayLike, tau: float, tau_plus: float) -> LossResult:
    r"""NT-Xent with what same-class images are expected to add to the negatives taken out of their sum.

    $$\ell_i = -\log\frac{e^{s_i^+/\tau}}{e^{s_i^+/\tau} + K g_i},\quad
    g_i = \max\Big\{\frac{1}{1 - \tau^+}\Big(\frac1K\sum_{k \ne i,\, p(i)} e^{s_{ik}/\tau}
    - \tau^+ e^{s_i^+/\tau}\Big),\ e^{-1/\tau}\Big\},\quad L = \frac1{2N}\sum_{i=1}^{2N}\ell_i$$

    with $s_i^+ = s_{i,p(i)}$ the cosine to the other view and $K = 2N - 2$ negatives; the positive is the
    one sample (the paper's M = 1) of what a false negative looks like. The floor is the least that
    $e^{s/\tau}$ can be. A row at its floor no longer pushes its negatives; where the two meet, the
    gradient has a jump, and the floor's is taken. With $\tau^+ = 0$ the floor cannot bind, since every
    $s \ge -1$, and the loss is NT-Xent exactly, value and gradient.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0, without unit.
        tau_plus: probability that a negative is of the anchor's class, in [0, 1); 0.1 for ten even classes.

    Returns:
        The loss in nats, at least 0, and its gradients in the given (unnormalised) rows, each (N, d).
        float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: as `nt_xent`, or tau_plus is not in [0, 1).

    Source:
        Chuang, Robinson, Yen-Chen, Torralba, Jegelka (2020), arXiv:2007.00224, the debiased
        contrastive loss (L_Debiased in its notation) with the estimator g and its floor.

    Examples:
        >>> import numpy as np
        >>> z = np.eye(3)
        >>> [round(debiased(z, z, tau=0.5, tau_plus=t).value, 4) for t in (0.0, 0.02, 0.1)]
        [0.4327, 0.3858, 0.1459]
    """
    tau_plus = class_prior(tau_plus)
    normalized, tau = unit_views(z_a, z_b, tau)
    share, positive = cosines(normalized.u)
    gap, rest, largest = weigh(share, positive, 1.0 / tau)
    ell, pull, push = debias(rest, gap, largest, len(share) - 2, tau, tau_plus)
    share *= push[:, None]
    share[own(len(share))] = pull
    return of_views(mean(ell), backward(share, normalized, 1.0 / tau))
