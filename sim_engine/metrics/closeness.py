"""How close rows lie that belong together: two views of one image, and images of one class."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import paired_views, positive
from sim_engine.metrics._labels import label_array
from sim_engine.similarity import normalize

__all__ = ["alignment", "tolerance"]


def alignment(z_a: ArrayLike, z_b: ArrayLike, *, alpha: float = 2.0) -> float:
    r"""Mean distance between positives, $\mathbb{E}\,\lVert z_a - z_b\rVert_2^{\alpha}$.

    Args:
        z_a, z_b: unit rows, each (N, d); row i of both comes from image i.
        alpha: exponent, > 0; the paper uses 2.

    Returns:
        A distance to the power alpha; 0 when every pair coincides, at most 2**alpha.

    Raises:
        ValueError: shapes differ, rows are not unit, alpha <= 0, or alpha is so large that a power
            overflows, which takes more than 1000.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1.1; the definition bears no number.

    Examples:
        >>> round(alignment([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]), 6)  # of 0 and 2
        1.0
    """
    z_a, z_b = paired_views(z_a, z_b, unit=True)
    alpha = positive("alpha", alpha)
    distance = np.linalg.norm(z_a - z_b, axis=1).astype(np.float64)
    with np.errstate(over="ignore"):
        mean = float(np.mean(distance**alpha))
    if not math.isfinite(mean):
        raise ValueError(f"alpha must be smaller: {distance.max():.4g} to the power {alpha:g} overflows")
    return mean


def tolerance(z: ArrayLike, labels: ArrayLike) -> float:
    r"""Mean cosine of two different samples of one class.

    $$T = \mathbb{E}_{x, y \sim p_\text{data}}\left[f(x)^\top f(y) \mid l(x) = l(y)\right]$$

    over all pairs i ≠ j with equal labels, each pair once whatever its class, so a class of n images
    weighs as n(n - 1). The paper writes the product times the indicator of $l(x) = l(y)$; read as it
    stands that mean could not exceed the share of such pairs, about 0.1 with ten equal classes. The
    paper's text (the mean similarity of samples of the same class) and its values, 0.372 on CIFAR-10
    at a temperature of 1, are of the conditional mean, and so is this.

    Args:
        z: (N, d), any length of row.
        labels: (N,), whole numbers.

    Returns:
        A cosine: 1 when every class lies in one place, about 0 when the classes are ignored and the
        directions uniform, and at least -1.

    Raises:
        ValueError: z is not a finite (N, d) array, a row is zero, labels do not fit, or no two rows
            have one label.

    Source:
        Wang & Liu (2021), Understanding the behaviour of contrastive loss, arXiv:2012.09740, eq. 11.

    Examples:
        >>> round(tolerance([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]], [4, 4, 9]), 6)
        0.6
    """
    u = normalize(z).u.astype(np.float64)
    known = label_array("labels", labels, len(u))
    classes, index = np.unique(known, return_inverse=True)
    sums = np.zeros((len(classes), u.shape[1]))
    np.add.at(sums, index, u)
    # Of all n² products of a class, n are of a row with itself.
    products = float(np.sum(sums * sums) - np.sum(u * u))
    size = np.bincount(index).astype(np.int64)  # 32 bits, as in the browser, would not hold the squares
    pairs = int(np.sum(size * (size - 1)))
    if pairs == 0:
        raise ValueError("labels must hold some label twice: tolerance is of pairs of one class")
    return min(1.0, max(-1.0, products / pairs))
