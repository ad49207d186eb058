"""VICReg's value at a collapse, to measure a run against; the least is 0 for d < N."""

from __future__ import annotations

import math

from sim_engine._check import positive
from sim_engine.floors._shared import not_negative

__all__ = ["equal"]


def equal(variance: float = 25.0, gamma: float = 1.0, eps: float = 1e-4) -> float:
    r"""VICReg when all rows are equal: $2\mu\,[\gamma - \sqrt\varepsilon]_+$.

    The views agree and nothing varies, so only the two hinges cost. N rows in fewer than N columns can
    have the loss 0: columns of deviation $\gamma$ that are not correlated.

    Args:
        variance: $\mu$, weight of the hinge, >= 0, at most 1e100; the paper uses 25.
        gamma: deviation each column shall reach, > 0, at most 1e100, in the unit of z.
        eps: added to each variance, > 0, in the unit of z squared.

    Returns:
        The loss, >= 0.

    Raises:
        ValueError: variance < 0, gamma <= 0 or eps <= 0, or one of the first two is huge.

    Source:
        Derived here: both deviations are the root of eps; the loss of equal rows in the tests.

    Examples:
        >>> round(equal(), 6)
        49.5
    """
    variance, gamma = not_negative("variance", variance, most=1e100), positive("gamma", gamma, most=1e100)
    eps = positive("eps", eps)
    return 2 * variance * max(0.0, gamma - math.sqrt(eps))
