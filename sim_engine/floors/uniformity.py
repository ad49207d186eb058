"""The least uniformity there is, in a dimension or with a number of points."""

from __future__ import annotations

from sim_engine import sphere
from sim_engine._check import positive, whole

__all__ = ["best_uniformity", "best_uniformity_of_points"]


def best_uniformity(d: int, t: float = 2.0) -> float:
    r"""Least possible uniformity, $\log\mathbb{E}\,e^{-t\lVert x - y\rVert^2}$ of the uniform distribution.

    On the unit sphere $\lVert x - y\rVert^2 = 2 - 2s$, so this is $\log\mathbb{E}\,e^{2ts} - 2t$. A
    finite sample measured over distinct pairs can lie a little below.

    Args:
        d: dimension of z, >= 1.
        t: inverse width, > 0, at most 1e300; the paper uses 2.

    Returns:
        nats, <= 0.

    Raises:
        ValueError: d < 1, t <= 0 or t > 1e300.

    Source:
        Wang & Isola (2020), arXiv:2005.10242, section 4.1 and proposition 1.

    Examples:
        >>> round(best_uniformity(2), 3)
        -1.575
    """
    kappa = 2 * positive("t", t, most=1e300)
    return sphere.log_mean_exp(kappa, d, below_most=True)


def best_uniformity_of_points(n: int, t: float = 2.0) -> float:
    r"""Least uniformity of N points: $-2t\,N/(N-1)$, that of a regular simplex.

    By Jensen's inequality the log of the mean is at least $-t$ times the mean squared distance, and
    that is at most $2N/(N-1)$, since $\lVert\sum_i z_i\rVert^2 \ge 0$. Reached for d >= N - 1; with
    many points in few dimensions `best_uniformity` is near. With positives that coincide it is also
    the least alignment + uniformity.

    Args:
        n: points N, >= 2.
        t: inverse width, > 0, at most 1e300; the paper uses 2.

    Returns:
        nats, < 0.

    Raises:
        ValueError: n < 2, t <= 0 or t > 1e300.

    Source:
        Derived here: Jensen's inequality, as above; the uniformity of a simplex in the tests. That such
        points grow uniform with N is proposition 2 of Wang & Isola (2020), arXiv:2005.10242.

    Examples:
        >>> best_uniformity_of_points(2)
        -8.0
    """
    n = whole("n", n, least=2)
    return -2 * positive("t", t, most=1e300) * n / (n - 1)
