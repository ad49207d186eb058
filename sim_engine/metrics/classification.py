"""Which classes are taken for which: confusion, and precision, recall and F1 of each class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine.metrics._labels import label_array

__all__ = ["ClassScores", "Confusion", "confusion", "precision_recall_f1"]

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


class Confusion(NamedTuple):
    """How often each class was taken for each.

    Attributes:
        counts: (K, K); entry (i, j) counts samples of class i that were called j.
        classes: (K,), the labels, rising; row and column i are of `classes[i]`.
    """

    counts: Int64
    classes: Int64


class ClassScores(NamedTuple):
    """Scores of each class.

    Attributes:
        precision: (K,), share of the samples called so that are of the class; 0 when none was.
        recall: (K,), share of the class's samples that were called so; 0 when there is none.
        f1: (K,), the harmonic mean of both; 0 when both are.
        support: (K,), samples of the class.
        classes: (K,), the labels, rising.
    """

    precision: Float64
    recall: Float64
    f1: Float64
    support: Int64
    classes: Int64


def confusion(labels: ArrayLike, predicted: ArrayLike, *, classes: ArrayLike | None = None) -> Confusion:
    r"""Count who was taken for whom, $C_{ij} = \#\{n : l_n = i,\ \hat l_n = j\}$.

    Args:
        labels: the truth, (N,), whole numbers.
        predicted: what was said, (N,), whole numbers.
        classes: all labels there are, (K,), in any order; None takes those that occur in either.

    Returns:
        `Confusion`: counts of samples, and the classes, rising.

    Raises:
        ValueError: lengths differ, labels are not whole numbers, `classes` names one twice or lacks
            one that occurs.

    Source:
        Derived here: a count is its own definition; scikit-learn's confusion_matrix in the tests.

    Examples:
        >>> confusion([0, 0, 1], [0, 1, 1]).counts.tolist()
        [[1, 1], [0, 1]]
    """
    truth = label_array("labels", labels)
    said = label_array("predicted", predicted, len(truth))
    both = np.concatenate([truth, said])
    if classes is None:
        known = np.unique(both)
    else:
        given = label_array("classes", classes)
        known = np.unique(given)
        if len(known) != len(given):
            raise ValueError(
                f"classes must name each label once, got {len(given)} with {len(known)} distinct"
            )
        strange = both[~np.isin(both, known)]
        if strange.size:
            raise ValueError(f"classes must hold every label that occurs, and {strange[0]} is not among them")
    k = len(known)
    # Row k·i + j of a flat table is entry (i, j).
    flat = np.searchsorted(known, truth) * k + np.searchsorted(known, said)
    return Confusion(np.bincount(flat, minlength=k * k).reshape(k, k).astype(np.int64), known)


def precision_recall_f1(
    labels: ArrayLike, predicted: ArrayLike, *, classes: ArrayLike | None = None
) -> ClassScores:
    r"""Precision, recall and F1 of each class, one against all others.

    $$\text{precision} = \frac{TP}{TP + FP},\qquad \text{recall} = \frac{TP}{TP + FN},\qquad
    F_1 = \frac{2\,TP}{2\,TP + FP + FN}$$

    0/0 counts as 0, in all three: a class that nothing was called, or that does not occur, scores
    nothing. The mean of `f1` is the macro F1; weighted by `support`, the weighted one.

    Args:
        labels: the truth, (N,), whole numbers.
        predicted: what was said, (N,), whole numbers.
        classes: as in `confusion`.

    Returns:
        `ClassScores`: shares in [0, 1], (K,) each.

    Raises:
        ValueError: as `confusion`.

    Source:
        Van Rijsbergen (1979), Information retrieval, chapter 7; scikit-learn's scores with zero_division=0 in
        the tests.

    Examples:
        >>> scores = precision_recall_f1([0, 0, 1], [0, 1, 1])
        >>> scores.precision.tolist(), scores.recall.tolist()
        ([1.0, 0.5], [0.5, 1.0])
    """
    counts, known = confusion(labels, predicted, classes=classes)
    hits = np.diagonal(counts)
    called, support = counts.sum(axis=0), counts.sum(axis=1)
    return ClassScores(
        _share(hits, called), _share(hits, support), _share(2 * hits, called + support), support, known
    )


def _share(part: Int64, whole: Int64) -> Float64:
    """Return part / whole, and 0 for 0/0."""
    share: Float64 = part / np.maximum(whole, 1)
    return share
