"""What an embedding is like, without and with labels: spread, closeness of views, retrieval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats, paired_views, positive, rows, whole
from sim_engine._matmul import gram, matmul
from sim_engine.similarity import normalize

__all__ = [
    "alignment",
    "effective_rank",
    "knn_accuracy",
    "mean_vector_length",
    "positive_retrieval",
    "uniformity",
]


def alignment(z_a: ArrayLike, z_b: ArrayLike, *, alpha: float = 2.0) -> float:
    r"""Mean distance between positives, $\mathbb{E}\,\lVert z_a - z_b\rVert_2^{\alpha}$.

    Args:
        z_a, z_b: unit rows, each (N, d); row i of both comes from image i.
        alpha: exponent, > 0; the paper uses 2.

    Returns:
        A distance to the power alpha; 0 when every pair coincides, at most 2**alpha.

    Raises:
        ValueError: shapes differ, rows are not unit, or alpha <= 0.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1.
    """
    z_a, z_b = paired_views(z_a, z_b, unit=True)
    alpha = positive("alpha", alpha)
    distance = np.linalg.norm(z_a - z_b, axis=1).astype(np.float64)
    return float(np.mean(distance**alpha))


def uniformity(z: ArrayLike, *, t: float = 2.0) -> float:
    r"""How evenly points cover the sphere, $\log\mathbb{E}\,e^{-t\lVert z_i - z_j\rVert_2^2}$ over pairs.

    Over all pairs i < j, as in the paper's code. Lower is more even; `floors.best_uniformity` is the
    value of the uniform distribution.

    Args:
        z: unit rows, (N, d), N >= 2.
        t: inverse width, > 0; the paper uses 2.

    Returns:
        nats, from about -4t (two opposite points) to 0 (all points in one place).

    Raises:
        ValueError: rows are not unit, N < 2, or t <= 0.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1.
    """
    z = rows("z", z, unit=True)
    t = positive("t", t)
    if len(z) < 2:
        raise ValueError("z must hold at least 2 rows, got 1: uniformity is of pairs")
    i, j = np.triu_indices(len(z), k=1)
    # Rounding may put a cosine of equal rows above 1, a squared distance below 0.
    exponent = np.minimum(gram(z)[i, j].astype(np.float64) - 1.0, 0.0) * (2.0 * t)
    top = float(exponent.max())
    return top + float(np.log(np.mean(np.exp(exponent - top))))


def positive_retrieval(z_a: ArrayLike, z_b: ArrayLike, k: int = 1) -> float:
    """Share of the 2N views whose positive is among the k most similar of the other 2N - 1.

    The contrastive accuracy of SimCLR (k = 1). Ties are broken as a fair draw would on average: a
    collapsed encoder, all of whose similarities are equal, gets k / (2N - 1) and not 1.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        k: how many of the most similar count, from 1 to 2N - 1.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: shapes differ, N = 1, a row is zero or not finite, or k is out of range.
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    if n < 2:
        raise ValueError("z_a and z_b must hold at least 2 rows, got 1: with one image there is no negative")
    k = whole("k", k, least=1, most=2 * n - 1)
    u = np.concatenate([normalize(z_a, name="z_a").u, normalize(z_b, name="z_b").u])
    s = gram(u)
    np.fill_diagonal(s, -2.0)  # below every cosine
    anchor = np.arange(2 * n)
    own = s[anchor, (anchor + n) % (2 * n)][:, None]
    # Equal vectors may differ in the last digits of their cosines, by the order of summation.
    slack = 8 * np.finfo(s.dtype).eps
    ahead = np.count_nonzero(s > own + slack, axis=1)
    level = np.count_nonzero(s >= own - slack, axis=1) - ahead  # the positive among them
    return float(np.mean(np.clip((k - ahead) / level, 0.0, 1.0)))


def knn_accuracy(
    z: ArrayLike, labels: ArrayLike, z_test: ArrayLike, labels_test: ArrayLike, *, k: int = 15
) -> float:
    """Share of test rows whose k nearest rows, by cosine, vote for their label.

    Each neighbour has one vote. Of labels with equally many votes, the one of the nearest neighbour
    among them wins.

    Args:
        z: reference rows, (N, d), any length of row.
        labels: their labels, (N,), whole numbers.
        z_test: rows to be judged, (M, d).
        labels_test: their labels, (M,).
        k: neighbours, from 1 to N.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: shapes do not fit, labels are not whole numbers, or k is out of range.
    """
    u, v = normalize(z, name="z").u, normalize(z_test, name="z_test").u
    if u.shape[1] != v.shape[1]:
        raise ValueError(f"z and z_test must have rows of one length, got {u.shape[1]} and {v.shape[1]}")
    known, truth = _labels("labels", labels, len(u)), _labels("labels_test", labels_test, len(v))
    k = whole("k", k, least=1, most=len(u))
    nearest = np.argsort(-matmul(v, u.T), axis=1, kind="stable")[:, :k]
    votes = known[nearest]  # (M, k), nearest first
    support = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)  # votes for each neighbour's label
    winner = votes[np.arange(len(v)), support.argmax(axis=1)]  # argmax takes the first, the nearest
    return float(np.mean(winner == truth))


def mean_vector_length(z: ArrayLike) -> float:
    r"""Length of the mean direction, $\lVert \frac1N \sum_i z_i / \lVert z_i \rVert \rVert$.

    Args:
        z: (N, d), any length of row.

    Returns:
        From 0 (directions cancel) to 1 (all alike: a cone that has closed).

    Raises:
        ValueError: z is not a finite (N, d) array, or a row is zero.
    """
    return float(np.linalg.norm(normalize(z).u.mean(axis=0, dtype=np.float64)))


def effective_rank(z: ArrayLike) -> float:
    r"""Number of directions in use, $\exp(-\sum_k p_k \log p_k)$, $p_k = \sigma_k / \sum_j \sigma_j$.

    Args:
        z: (N, d), taken as it is (not centred, not normalised).

    Returns:
        From 1 (all rows on one line) to min(N, d).

    Raises:
        ValueError: z is not a finite (N, d) array, or is zero throughout.

    Source:
        Roy & Vetterli (2007), The effective rank, definition 1.
    """
    array = rows("z", z).astype(np.float64)
    largest = np.abs(array).max()
    if largest == 0:
        raise ValueError("z must not be zero throughout: it has no direction")
    sigma = np.linalg.svd(array / largest, compute_uv=False)
    share = sigma[sigma > 0] / sigma.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def _labels(name: str, labels: ArrayLike, count: int) -> NDArray[np.int64]:
    array: Array = floats(name, labels, ndim=1)
    if len(array) != count:
        raise ValueError(f"{name} must hold one label per row: {count}, got {len(array)}")
    if not (array == np.round(array)).all():
        raise ValueError(f"{name} must be whole numbers, got {array[array != np.round(array)][0]}")
    return array.astype(np.int64)
