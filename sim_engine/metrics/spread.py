"""How the directions of an embedding are spread: over the sphere, and over the dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import positive, rows
from sim_engine._matmul import gram
from sim_engine.similarity import normalize

__all__ = ["effective_rank", "mean_vector_length", "uniformity"]


def uniformity(z: ArrayLike, *, t: float = 2.0) -> float:
    r"""How evenly points cover the sphere, $\log\mathbb{E}\,e^{-t\lVert z_i - z_j\rVert_2^2}$ over pairs.

    Over all pairs i < j, as in the paper's code. Lower is more even; `floors.best_uniformity` is the
    value of the uniform distribution.

    Args:
        z: unit rows, (N, d), N >= 2.
        t: inverse width, > 0, at most 1e300; the paper uses 2.

    Returns:
        nats, from about -4t (two opposite points) to 0 (all points in one place).

    Raises:
        ValueError: rows are not unit, N < 2, t <= 0 or t > 1e300.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1.2; the definition bears no number.

    Examples:
        >>> round(uniformity([[1.0, 0.0], [-1.0, 0.0]]), 6)
        -8.0
    """
    z = rows("z", z, unit=True)
    t = positive("t", t, most=1e300)
    if len(z) < 2:
        raise ValueError("z must hold at least 2 rows, got 1: uniformity is of pairs")
    i, j = np.triu_indices(len(z), k=1)
    # Rounding may put a cosine of equal rows above 1, a squared distance below 0.
    exponent = np.minimum(gram(z)[i, j].astype(np.float64) - 1.0, 0.0) * (2.0 * t)
    top = float(exponent.max())
    return top + float(np.log(np.mean(np.exp(exponent - top))))


def mean_vector_length(z: ArrayLike) -> float:
    r"""Length of the mean direction, $\lVert \frac1N \sum_i z_i / \lVert z_i \rVert \rVert$.

    Args:
        z: (N, d), any length of row.

    Returns:
        From 0 (directions cancel) to 1 (all alike: a cone that has closed).

    Raises:
        ValueError: z is not a finite (N, d) array, or a row is zero.

    Source:
        Mardia & Jupp (2000), Directional statistics: the mean resultant length.

    Examples:
        >>> mean_vector_length([[2.0, 0.0], [-1.0, 0.0]])
        0.0
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

    Examples:
        >>> round(effective_rank([[1.0, 0.0], [0.0, 1.0]]), 6)
        2.0
    """
    array = rows("z", z).astype(np.float64)
    largest = np.abs(array).max()
    if largest == 0:
        raise ValueError("z must not be zero throughout: it has no direction")
    sigma = np.linalg.svd(array / largest, compute_uv=False)
    share = sigma[sigma > 0] / sigma.sum()
    return float(np.exp(-np.sum(share * np.log(share))))
