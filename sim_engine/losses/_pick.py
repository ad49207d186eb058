"""Cross-entropy of picking one column in each row, and its gradient in the logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_engine._check import Array
from sim_engine.losses._softmax import cross_entropy, mean, weigh


def pick(s: Array, target: NDArray[np.integer[Any]], scale: float) -> tuple[float, Array]:
    r"""Return the mean of $-\log P_{i,t(i)}$ and $P - T$, $P$ the softmax of the rows of scale * s.

    Args:
        s: (N, K), at least one column; it is overwritten.
        target: (N,), the column that is right in each row.
        scale: >= 0, such that scale times a difference in s is finite.

    Returns:
        nats, and (N, K), the gradient of each row's own loss in its logits, in the memory of s.
    """
    row = np.arange(len(s))
    own = s[row, target]
    s[row, target] = -np.inf  # the others' terms alone
    gap, rest, _ = weigh(s, own, scale)
    ell, total = cross_entropy(gap, rest)
    s /= total[:, None]
    s[row, target] = -rest / total  # P - 1, of which subtracting would lose the digits near the optimum
    return mean(ell), s
