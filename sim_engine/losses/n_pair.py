"""Multi-class N-pair loss: the anchor's own partner against the partners of the others (Sohn 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import paired_views
from sim_engine._matmul import matmul
from sim_engine.losses._result import LossResult
from sim_engine.losses._softmax import cross_entropy, mean, weigh


def n_pair(z_a: ArrayLike, z_b: ArrayLike) -> LossResult:
    r"""Cross-entropy of picking one's partner among the partners of all, by inner product.

    $$L = \frac1N\sum_{i=1}^{N}\log\Big(1 + \sum_{j \ne i}\exp(z^a_i \cdot z^b_j - z^a_i \cdot z^b_i)\Big)$$

    Rows are not normalised and there is no temperature: the length of a row is its sharpness, and it is
    learned. One view asks and the other answers, so $z_a$ and $z_b$ are not interchangeable. With P the
    softmax over j and I the identity, the gradients are $(P - I)z_b/N$ and $(P - I)^\top z_a/N$. The
    paper's penalty on the lengths of rows is not included.

    Args:
        z_a: anchors, (N, d), N >= 2, rows of any length, zero too.
        z_b: their partners, (N, d), one of each class.

    Returns:
        The loss in nats, at least 0 (log N when all products are equal), and its gradients, each (N, d).
        float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: shapes differ, N = 1 (there is no negative), anything is NaN or infinite, or the
            inner products are too large for their dtype.

    Source:
        Sohn (2016), Improved deep metric learning with multi-class N-pair loss objective, NIPS 29, the loss
        called L_N-pair-mc.

    Examples:
        >>> result = n_pair([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
        >>> round(result.value, 4)  # log(1 + 1/e)
        0.3133
        >>> result.grad_a.round(4).tolist()
        [[-0.1345, 0.1345], [0.1345, -0.1345]]
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    if n < 2:
        raise ValueError("z_a and z_b must hold at least 2 rows, got 1: with one pair there is no negative")
    with np.errstate(over="ignore", invalid="ignore"):
        share = matmul(z_a, z_b.T)
        # Differences of two products must not overflow either.
        if not np.abs(share).max() < np.finfo(share.dtype).max / 2:
            raise ValueError(
                f"the inner products of z_a and z_b overflow {share.dtype}; make the rows shorter"
            )
        positive = share.diagonal().copy()
        np.fill_diagonal(share, -np.inf)
        gap, rest, _ = weigh(share, positive, 1.0)
        ell, total = cross_entropy(gap, rest)
        share /= total[:, None]
        np.fill_diagonal(share, -rest / total)
        share /= n
        grad_a, grad_b = matmul(share, z_b), matmul(share.T, z_a)
    return LossResult(mean(ell), grad_a, grad_b)
