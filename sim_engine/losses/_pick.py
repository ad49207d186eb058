"""Cross-entropy of picking one column in each row, and its gradient in the logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_engine._check import Array


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
    factor = s.dtype.type(scale)
    largest = s.max(axis=1)
    gap = (s[row, target] - largest) * factor  # <= 0
    s -= largest[:, None]
    s *= factor
    np.exp(s, out=s)
    s[row, target] = 0.0
    rest = s.sum(axis=1)
    total = rest + np.exp(gap)
    # log(total) and P - 1 = -rest / total keep their digits when the target has all but won.
    ell = np.log1p(rest + np.expm1(gap)) - gap
    s /= total[:, None]
    s[row, target] = -rest / total
    # Divided before it is added up: at the smallest temperatures a sum would overflow.
    return float(np.sum(ell.astype(np.float64) / len(ell))), s
