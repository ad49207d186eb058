"""MoCo: InfoNCE against a queue of earlier keys (He et al. 2020, eq. 1), and the state around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, generator, rows, temperature, whole
from sim_engine._matmul import matmul
from sim_engine.losses._guard import finite, same_shape, share
from sim_engine.losses._pick import pick
from sim_engine.similarity import normalize, tangent

__all__ = ["MocoResult", "Queue", "moco", "momentum_update"]


@dataclass(frozen=True, eq=False)
class Queue:
    """The last K keys, first in, first out; it never changes, `enqueue` returns the next one.

    Attributes:
        keys: (K, d), unit rows, read-only; in no order but that of `start`.
        start: the row that is written next, which holds the oldest key; from 0 to K - 1.

    Raises:
        ValueError: keys are not a finite (K, d) array of unit rows, or start is out of range.

    Source:
        He, Fan, Wu, Xie, Girshick (2020), arXiv:1911.05722, section 3.2, the dictionary as a queue.

    Examples:
        >>> queue = Queue([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
        >>> later = queue.enqueue([[0.0, 1.0], [0.0, 2.0]]).enqueue([[-1.0, 0.0], [0.0, -1.0]])
        >>> later.keys.tolist(), later.start
        ([[0.0, -1.0], [0.0, 1.0], [-1.0, 0.0]], 1)
    """

    keys: Array
    start: int = 0

    def __post_init__(self) -> None:
        """Check both, and copy the keys, so that nobody else can write to them."""
        keys = rows("keys", self.keys, unit=True).copy()
        keys.flags.writeable = False
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "start", whole("start", self.start, least=0, most=len(keys) - 1))

    @classmethod
    def random(cls, size: int, d: int, rng: np.random.Generator) -> Queue:
        """Return a queue of `size` keys, uniform on the sphere: what MoCo starts from.

        Args:
            size: keys K, >= 1; the paper has 65,536.
            d: dimension of a key, >= 1.
            rng: where they are drawn.

        Raises:
            ValueError: size or d < 1, or rng is no generator.

        Examples:
            >>> Queue.random(5, 2, np.random.default_rng(0)).keys.shape
            (5, 2)
        """
        shape = whole("size", size, least=1), whole("d", d, least=1)
        return cls(normalize(generator(rng).normal(size=shape)).u)

    def enqueue(self, keys: ArrayLike) -> Queue:
        """Return the queue with `keys` written over its oldest, from `start` on and round its end.

        Args:
            keys: (N, d), any length of row; made unit. Of more than K the last K remain.

        Returns:
            A queue of the same size and dtype.

        Raises:
            ValueError: keys are not a finite (N, d) array with the queue's d, or a row is zero.
        """
        fresh = normalize(keys, name="keys").u
        size, d = self.keys.shape
        if fresh.shape[1] != d:
            raise ValueError(f"keys must have rows of the queue's length {d}, got {fresh.shape[1]}")
        last = fresh[-size:]
        first = self.start + len(fresh) - len(last)
        following = self.keys.copy()
        following[(first + np.arange(len(last))) % size] = last
        return Queue(following, (self.start + len(fresh)) % size)


@dataclass(frozen=True, eq=False)
class MocoResult:
    """MoCo's loss, its gradient, and the queue for the next step.

    Attributes:
        value: the loss, in nats.
        grad_q: (N, d), in the queries as given (not normalised); keys and queue have exactly 0.
        queue: the queue with this step's keys in it.
    """

    value: float
    grad_q: Array
    queue: Queue


def moco(q: ArrayLike, k: ArrayLike, queue: Queue, tau: float = 0.07) -> MocoResult:
    r"""Cross-entropy of picking a query's own key among it and all keys of the queue.

    $$L = -\frac1N\sum_i\log\frac{\exp(q_i \cdot k_i/\tau)}
    {\exp(q_i \cdot k_i/\tau) + \sum_{j=1}^{K}\exp(q_i \cdot m_j/\tau)}$$

    of the rows made unit, $m_j$ the queue's keys as they were before this step. Other images of the
    batch are no negatives. Only q learns; keys follow by `momentum_update`.

    Args:
        q: queries, (N, d), N >= 1, any length of row.
        k: keys of the same images from the momentum encoder, (N, d), any length of row.
        queue: keys of earlier steps, (K, d).
        tau: temperature, > 0, without unit; the paper uses 0.07.

    Returns:
        The loss in nats, at least 0; its gradient in q, (N, d), in q's and k's dtype (float16: float32);
        and the next queue.

    Raises:
        ValueError: shapes differ, the queue's keys have another length, a row is zero, something is not
            finite, tau <= 0, or a gradient is too large for its dtype.

    Source:
        He, Fan, Wu, Xie, Girshick (2020), arXiv:1911.05722, eq. 1 and algorithm 1.

    Examples:
        >>> queue = Queue([[0.0, 1.0], [0.0, -1.0], [0.0, 1.0]])
        >>> result = moco([[1.0, 0.0]], [[0.0, 1.0]], queue, tau=0.5)  # four equal cosines
        >>> round(result.value, 6), result.queue.start  # log 4
        (1.386294, 1)
    """
    if not isinstance(queue, Queue):
        raise ValueError(f"queue must be a moco.Queue, got {type(queue).__name__}; Queue(keys) makes one")
    q, k = same_shape(q=q, k=k)
    tau = temperature(tau, q.dtype)
    if queue.keys.shape[1] != q.shape[1]:
        raise ValueError(f"q must have rows of the queue's length {queue.keys.shape[1]}, got {q.shape[1]}")
    n = len(q)
    query, key = normalize(q, name="q"), normalize(k, name="k").u
    others = queue.keys.astype(q.dtype, copy=False)
    s = np.empty((n, 1 + len(others)), q.dtype)
    s[:, 0] = np.einsum("ij,ij->i", query.u, key)
    s[:, 1:] = matmul(query.u, others.T)
    value, grad_s = pick(s, np.zeros(n, np.intp), 1.0 / tau)
    grad_u = grad_s[:, :1] * key + matmul(grad_s[:, 1:], others)
    grad_u /= n
    with np.errstate(over="ignore", invalid="ignore"):
        grad_u *= q.dtype.type(1.0 / tau)
        grad_q = tangent(grad_u, query)
    finite(value, q=grad_q)
    return MocoResult(value, grad_q, queue.enqueue(key))


def momentum_update(
    params_k: Mapping[str, ArrayLike], params_q: Mapping[str, ArrayLike], momentum: float = 0.999
) -> dict[str, Array]:
    r"""Return $\theta_k \leftarrow m\,\theta_k + (1 - m)\,\theta_q$, in new arrays.

    Args:
        params_k: the momentum encoder's arrays by name.
        params_q: the trained encoder's, of the same names and shapes.
        momentum: m, from 0 (a copy of params_q) to 1 (params_k stays); the paper uses 0.999.

    Returns:
        The momentum encoder's next arrays, in the order of params_k.

    Raises:
        ValueError: names or shapes differ, something is not finite, or m lies outside [0, 1].

    Source:
        He et al. (2020), arXiv:1911.05722, eq. 2.

    Examples:
        >>> momentum_update({"w": [1.0, 0.0]}, {"w": [0.0, 1.0]}, momentum=0.75)["w"].tolist()
        [0.75, 0.25]
    """
    m = share("momentum", momentum)
    for argument, params in (("params_k", params_k), ("params_q", params_q)):
        if not isinstance(params, Mapping):
            raise ValueError(f"{argument} must map names to arrays, got {type(params).__name__}")
    if params_k.keys() != params_q.keys():
        raise ValueError(
            f"params_k and params_q must have the same names, got {sorted(params_k)} and {sorted(params_q)}"
        )
    following: dict[str, Array] = {}
    for name in params_k:
        slow, fast = (
            floats(f"params_k[{name!r}]", params_k[name]),
            floats(f"params_q[{name!r}]", params_q[name]),
        )
        if slow.shape != fast.shape:
            raise ValueError(
                f"params_k and params_q must agree in {name!r}, got {slow.shape} and {fast.shape}"
            )
        with np.errstate(over="ignore"):
            mixed = m * slow + (1 - m) * fast
            # Rounding may lead past either; equal parameters stay as they are.
            mixed = np.clip(mixed, np.minimum(slow, fast), np.maximum(slow, fast)).astype(slow.dtype)
        following[name] = floats(f"the mean of {name!r} in {slow.dtype}", mixed)
    return following
