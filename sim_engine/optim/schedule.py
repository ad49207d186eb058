"""Cosine schedule: the rate rises in a line, then falls along half a cosine."""

from __future__ import annotations

import math

from sim_engine._check import whole
from sim_engine.optim._optimizer import not_negative


def cosine_schedule(step: int, *, peak: float, steps: int, warmup: int = 0) -> float:
    r"""Return the learning rate of one step.

    $$\eta_t = \begin{cases}\eta\,\frac{t+1}{w} & t < w\\[2pt]
    \frac{\eta}{2}\Bigl(1 + \cos\frac{\pi(t-w)}{T-w}\Bigr) & w \le t \le T\end{cases}$$

    The first step is not lost on a rate of 0. The peak is reached with the last step of the warm-up,
    and 0 at step T, after the last of the steps 0 to T - 1.

    Args:
        step: t, from 0 to T.
        peak: $\eta$, >= 0.
        steps: T, at least 1.
        warmup: w, steps of the warm-up, from 0 to T.

    Returns:
        A rate in [0, peak].

    Raises:
        ValueError: step, steps or warmup out of range, or peak negative.

    Source:
        Loshchilov & Hutter (2017), arXiv:1608.03983, eq. 5, without restarts; the warm-up of Goyal
        et al. (2017), arXiv:1706.02677, section 2.2.

    Examples:
        >>> [round(cosine_schedule(t, peak=1.0, steps=8, warmup=4), 3) for t in range(9)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    steps = whole("steps", steps, least=1)
    step = whole("step", step, least=0, most=steps)
    warmup = whole("warmup", warmup, least=0, most=steps)
    peak = not_negative("peak", peak)
    if step < warmup:
        return peak * (step + 1) / warmup
    if step == steps:
        return 0.0
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
