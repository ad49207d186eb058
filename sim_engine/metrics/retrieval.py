"""Which rows lie nearest: the positive of a view, and neighbours that vote for a label."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import paired_views, whole
from sim_engine._matmul import gram, matmul
from sim_engine.metrics._labels import label_array
from sim_engine.similarity import normalize

__all__ = ["knn_accuracy", "positive_retrieval"]


def positive_retrieval(z_a: ArrayLike, z_b: ArrayLike, k: int = 1) -> float:
    r"""Share of the 2N views whose positive is among the k most similar of the other 2N - 1.

    $$\frac1{2N}\sum_{i=1}^{2N}\min\Big\{1,\ \max\Big\{0,\ \frac{k - a_i}{e_i}\Big\}\Big\}$$

    with $a_i$ the views that are more similar to view i than its positive is, and $e_i$ those that are as
    similar, the positive among them. The contrastive accuracy of SimCLR (k = 1). Ties are broken as a
    fair draw would on average: a collapsed encoder, all of whose similarities are equal, gets
    k / (2N - 1) and not 1.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        k: how many of the most similar count, from 1 to 2N - 1.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: shapes differ, N = 1, a row is zero or not finite, or k is out of range.

    Source:
        Chen et al. (2020), arXiv:2002.05709, table 5, the column of contrastive accuracy; the treatment of
        ties is derived here: the mean over fair draws.

    Examples:
        >>> z = [[1.0, 0.0], [0.0, 1.0]]
        >>> positive_retrieval(z, z)
        1.0
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
    r"""Share of test rows whose k nearest rows, by cosine, vote for their label.

    $$\frac1M\sum_{j=1}^{M}\Big[\arg\max_c\,\#\{i \in \mathcal N_k(j) : l_i = c\} = l_j\Big]$$

    with $\mathcal N_k(j)$ the k reference rows of largest cosine to test row j. Each neighbour has
    one vote. Of labels with equally many votes, the one of the nearest neighbour among them wins.

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

    Source:
        Cover & Hart (1967), Nearest neighbor pattern classification, the rule of the k nearest; by cosine as
        Wu, Xiong, Yu, Lin (2018), arXiv:1805.01978, whose votes are weighted, as these are not.

    Examples:
        >>> z = [[1.0, 0.0], [0.0, 1.0]]
        >>> knn_accuracy(z, [3, 7], [[0.9, 0.1]], [3], k=1)
        1.0
    """
    u, v = normalize(z, name="z").u, normalize(z_test, name="z_test").u
    if u.shape[1] != v.shape[1]:
        raise ValueError(f"z and z_test must have rows of one length, got {u.shape[1]} and {v.shape[1]}")
    known, truth = label_array("labels", labels, len(u)), label_array("labels_test", labels_test, len(v))
    k = whole("k", k, least=1, most=len(u))
    nearest = np.argsort(-matmul(v, u.T), axis=1, kind="stable")[:, :k]
    votes = known[nearest]  # (M, k), nearest first
    support = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)  # votes for each neighbour's label
    winner = votes[np.arange(len(v)), support.argmax(axis=1)]  # argmax takes the first, the nearest
    return float(np.mean(winner == truth))
