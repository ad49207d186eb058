"""InfoNCE with explicit negatives: which of these K + 1 keys is the query's? (van den Oord et al. 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, rows, temperature
from sim_engine._matmul import matmul
from sim_engine.losses._guard import finite
from sim_engine.losses._result import QueryResult
from sim_engine.losses._softmax import cross_entropy, mean, weigh
from sim_engine.similarity import Normalized, normalize, tangent


def info_nce(query: ArrayLike, positive: ArrayLike, negatives: ArrayLike, tau: float) -> QueryResult:
    r"""Cross-entropy of picking the positive key among given negatives, by cosine over temperature.

    $$\ell_i = -\log\frac{\exp(q_i \cdot k_i^+/\tau)}
    {\exp(q_i \cdot k_i^+/\tau) + \sum_{j=1}^{K}\exp(q_i \cdot k_{ij}^-/\tau)},
    \qquad L = \frac1N\sum_{i=1}^{N}\ell_i$$

    of unit rows $q = \text{query}/\lVert\text{query}\rVert$, $k$ likewise. With $P$ the softmax over the
    K + 1 keys, the gradient in $q_i$ is $\big(\sum_j P_{ij}k_{ij}^- - (1 - P_{i+})k_i^+\big)/(N\tau)$,
    in $k_i^+$ it is $-(1 - P_{i+})q_i/(N\tau)$, and in $k_{ij}^-$ it is $P_{ij}q_i/(N\tau)$, summed over i
    where negatives are shared. Keys that get no gradient in training, as those of MoCo's queue, simply
    leave theirs unused.

    Args:
        query: (N, d), N >= 1, any length of row.
        positive: (N, d), the key of each query.
        negatives: (N, K, d), each query's own, or (K, d), the same for all; K >= 1.
        tau: temperature, > 0, without unit.

    Returns:
        The loss in nats, at least 0 (log(K + 1) when all cosines are equal), and its gradients in the
        three arrays as given (unnormalised). float16 is computed, and its gradients returned, in float32.

    Raises:
        ValueError: shapes do not fit, K = 0, a row is zero, anything is NaN or infinite, tau <= 0, or a
            gradient is too large for its dtype.

    Source:
        van den Oord, Li, Vinyals (2018), arXiv:1807.03748, eq. 4, with the f of He et al. (2020),
        arXiv:1911.05722, eq. 1.

    Examples:
        >>> result = info_nce([[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0], [-1.0, 0.0]], tau=0.5)
        >>> round(result.value, 4)  # log(1 + exp(-2) + exp(-4))
        0.1429
        >>> result.grad_negatives.round(4).tolist()
        [[0.2346, 0.0], [0.0, 0.0]]
    """
    q, k, others, shape = _keys(query, positive, negatives)
    tau = temperature(tau, q.u.dtype)
    n, d = q.u.shape
    own, by_query = len(shape) == 3, others.u.reshape(shape)
    # Each own negative meets one query only, so there is nothing for a matrix product to share.
    share = np.einsum("id,ijd->ij", q.u, by_query) if own else matmul(q.u, by_query.T)
    gap, rest, _ = weigh(share, np.einsum("id,id->i", q.u, k.u), 1.0 / tau)
    ell, total = cross_entropy(gap, rest)
    share /= total[:, None]
    pull = (rest / total)[:, None]  # 1 - P(positive), with all its digits
    if own:
        grad_q = np.einsum("ij,ijd->id", share, by_query)
        grad_others = (share[:, :, None] * q.u[:, None, :]).reshape(-1, d)
    else:
        grad_q, grad_others = matmul(share, by_query), matmul(share.T, q.u)
    grad_q -= pull * k.u
    grads = [
        _backward(g, unit, 1.0 / tau / n)
        for g, unit in ((grad_q, q), (-pull * q.u, k), (grad_others, others))
    ]
    value = mean(ell)
    finite(value, query=grads[0], positive=grads[1], negatives=grads[2])
    return QueryResult(value, grads[0], grads[1], grads[2].reshape(shape))


def _backward(grad_u: Array, unit: Normalized, scale: float) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return tangent(grad_u * grad_u.dtype.type(scale), unit)


def _keys(
    query: ArrayLike, positive: ArrayLike, negatives: ArrayLike
) -> tuple[Normalized, Normalized, Normalized, tuple[int, ...]]:
    """Return unit queries, positives and negatives, all below one another, and the negatives' shape."""
    a, b, c = rows("query", query), rows("positive", positive), floats("negatives", negatives)
    if a.shape != b.shape:
        raise ValueError(f"query and positive must have one shape, row i a pair, got {a.shape} and {b.shape}")
    n, d = a.shape
    if not (c.ndim == 2 and c.shape[1] == d) and not (c.ndim == 3 and (c.shape[0], c.shape[2]) == (n, d)):
        raise ValueError(f"negatives must have shape ({n}, K, {d}) or (K, {d}) to fit query, got {c.shape}")
    zero = np.argwhere(~c.any(axis=-1))
    if len(zero):
        at = ", ".join(str(int(i)) for i in zero[0])
        raise ValueError(f"negatives must have no zero row (it has no direction), got one at [{at}]")
    dtype = np.result_type(a, b, c)
    a, b, flat = (z.astype(dtype, copy=False) for z in (a, b, c.reshape(-1, d)))
    q, k = normalize(a, name="query"), normalize(b, name="positive")
    return q, k, normalize(flat, name="negatives"), c.shape
