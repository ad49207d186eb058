"""What a linear classifier can read off frozen features, from all labels or from a few of each class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import generator, rows, whole
from sim_engine.metrics._labels import label_array
from sim_engine.metrics._softmax_regression import SoftmaxRegression, softmax_regression

__all__ = ["FewLabels", "SoftmaxRegression", "few_label_probe", "linear_probe", "softmax_regression"]

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


class FewLabels(NamedTuple):
    """What `few_label_probe` found.

    Attributes:
        mean: of the accuracies, in [0, 1].
        spread: their standard deviation over the draws (divided by draws - 1); 0 for one draw. The
            error of the mean is spread / sqrt(draws).
        accuracies: (draws,), in the order they were drawn.
    """

    mean: float
    spread: float
    accuracies: Float64


def linear_probe(
    z: ArrayLike, labels: ArrayLike, z_test: ArrayLike, labels_test: ArrayLike, *, l2: float = 1.0
) -> float:
    r"""Share of test rows that a softmax regression on the features gives their label.

    $$\frac1M\sum_{j=1}^{M}\big[\arg\max_k\,(w_k \cdot z_j + b_k) = l_j\big]$$

    over the M test rows, with the weights and biases of `softmax_regression` on the training rows.

    Args:
        z: training features, (N, d), taken as they are.
        labels: their labels, (N,), whole numbers, at least two different ones.
        z_test: features to be judged, (M, d).
        labels_test: their labels, (M,). One that no training row has is never right.
        l2: weight of the penalty, > 0, as in `softmax_regression`.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: as `softmax_regression`, or the test rows do not fit.

    Source:
        The linear evaluation of Chen et al. (2020), arXiv:2002.05709, section 2.3, with a convex
        objective solved to its minimum in place of their stochastic steps.

    Examples:
        >>> linear_probe([[0.0], [1.0], [4.0], [5.0]], [7, 7, 3, 3], [[0.5], [4.5]], [7, 3])
        1.0
    """
    test, truth = _test_set(z, z_test, labels_test)
    return _accuracy(softmax_regression(z, labels, l2=l2), test, truth)


def few_label_probe(
    z: ArrayLike,
    labels: ArrayLike,
    z_test: ArrayLike,
    labels_test: ArrayLike,
    *,
    per_class: int,
    rng: np.random.Generator,
    draws: int = 10,
    l2: float = 1.0,
) -> FewLabels:
    r"""Accuracy of `linear_probe` when only a few rows of each class have their label.

    $$\bar a = \frac1R\sum_{r=1}^{R}a_r, \qquad
    \text{spread} = \sqrt{\frac1{R-1}\sum_{r=1}^{R}(a_r - \bar a)^2}$$

    with $a_r$ the accuracy of draw r among R.

    Each draw takes `per_class` training rows of every class without replacement, fits on these
    alone, and is judged on all test rows. Full labels hide differences between features that a few
    labels show.

    Args:
        z: training features, (N, d).
        labels: their labels, (N,), whole numbers, at least two different ones.
        z_test: features to be judged, (M, d).
        labels_test: their labels, (M,).
        per_class: labelled rows of each class, from 1 to the size of the smallest class.
        rng: decides the draws; the same state gives the same draws.
        draws: how often, >= 1.
        l2: weight of the penalty, > 0.

    Returns:
        `FewLabels`: mean, spread and all accuracies, shares in [0, 1].

    Raises:
        ValueError: as `linear_probe`, `per_class` or `draws` is out of range, or rng is no generator.

    Source:
        Derived here: `linear_probe`, whose source is Chen et al. (2020), arXiv:2002.05709, section 2.3, on
        rows drawn; its mean and spread in the tests.

    Examples:
        >>> import numpy as np
        >>> z, labels = [[0.0], [1.0], [4.0], [5.0]], [0, 0, 1, 1]
        >>> few_label_probe(z, labels, z, labels, per_class=1, rng=np.random.default_rng(0)).mean
        1.0
    """
    features = rows("z", z)
    known = label_array("labels", labels, len(features))
    test, truth = _test_set(features, z_test, labels_test)
    size = np.unique(known, return_counts=True)[1]
    per_class = whole("per_class", per_class, least=1, most=int(size.min()))
    draws, rng = whole("draws", draws, least=1), generator(rng)
    accuracies = np.empty(draws)
    for draw in range(draws):
        chosen = _few_of_each(known, per_class, rng)
        accuracies[draw] = _accuracy(softmax_regression(features[chosen], known[chosen], l2=l2), test, truth)
    spread = float(accuracies.std(ddof=1)) if draws > 1 else 0.0
    return FewLabels(float(accuracies.mean()), spread, accuracies)


def _few_of_each(labels: Int64, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return np.concatenate([rng.choice(rows_of, size=count, replace=False) for rows_of in members])


def _test_set(z: ArrayLike, z_test: ArrayLike, labels_test: ArrayLike) -> tuple[Float64, Int64]:
    width = rows("z", z).shape[1]
    test = rows("z_test", z_test).astype(np.float64)
    if test.shape[1] != width:
        raise ValueError(f"z and z_test must have rows of one length, got {width} and {test.shape[1]}")
    return test, label_array("labels_test", labels_test, len(test))


def _accuracy(model: SoftmaxRegression, test: Float64, truth: Int64) -> float:
    return float(np.mean(model.predict(test) == truth))
