"""Values of the Barlow Twins loss to measure a run against; a small batch has a floor well above 0."""

from __future__ import annotations

from sim_engine._check import whole
from sim_engine.floors._shared import not_negative

__all__ = ["best", "equal", "uniform"]


def equal(d: int) -> float:
    r"""Barlow Twins when all rows are equal: d, as every $C_{ii} = 0$ costs 1.

    So it is with $\varepsilon > 0$; without, a constant column has no correlation and the loss refuses it.

    Args:
        d: columns of z, >= 1.

    Returns:
        The loss, without unit.

    Raises:
        ValueError: d < 1.

    Source:
        Derived here: centred columns are 0, so C = 0; the loss of equal rows in the tests.

    Examples:
        >>> equal(8192)
        8192.0
    """
    return float(whole("d", d, least=1))


def uniform(n: int, d: int, lam: float = 0.0051) -> float:
    r"""Expected Barlow Twins loss of two views that have nothing to do with each other.

    $$\mathbb{E}L = d\Big(1 + \frac{1 + \lambda(d - 1)}{N - 1}\Big)$$

    at $\varepsilon = 0$, whatever the distribution of the rows, uniform on the sphere or not: the order
    of the rows of one view means nothing to the other, and over all orders a correlation has the mean 0
    and the mean square $1/(N-1)$.

    Args:
        n: images N in the batch, >= 2.
        d: columns of z, >= 1.
        lam: weight of the off-diagonal entries, >= 0, at most 1e100.

    Returns:
        The loss, without unit.

    Raises:
        ValueError: n < 2, d < 1, lam < 0 or lam > 1e100.

    Source:
        Derived here: moments over all orders of the rows; the mean of 3000 batches in the tests.

    Examples:
        >>> round(uniform(2048, 8192), 1)
        8363.2
    """
    n, d, lam = whole("n", n, least=2), whole("d", d, least=1), not_negative("lam", lam, most=1e100)
    return d * (1 + (1 + lam * (d - 1)) / (n - 1))


def best(n: int, d: int, lam: float = 0.0051) -> float:
    r"""Least Barlow Twins loss: 0 if the columns are fewer than the rows; else they cannot all differ.

    $$L_{\min} = d\,\frac{\lambda(d - r)}{r + \lambda(d - r)}, \qquad r = \min(d,\, N - 1)$$

    Centred columns lie in N - 1 dimensions, so C has at most the rank r and
    $\lVert C\rVert_F^2 \ge (\operatorname{tr}C)^2/r$. With t the mean of $C_{ii}$ the loss is, for
    $\lambda \le 1$ by Jensen's inequality, at least $d\big[(1-t)^2 - \lambda t^2 + \lambda d t^2/r\big]$,
    which is least at $t = r/(r + \lambda(d - r))$. Both views alike, their columns spread evenly over the
    r dimensions (a tight frame) and of variance v with $v/(v + \varepsilon) = t$, reach it. With
    $\varepsilon = 0$, or t = 1, it is a bound: the second is approached as the variance grows.

    Args:
        n: images N in the batch, >= 2.
        d: columns of z, >= 1.
        lam: weight of the off-diagonal entries, in [0, 1]; beyond, the inequality does not hold.

    Returns:
        The loss, >= 0, without unit.

    Raises:
        ValueError: n < 2, d < 1, or lam is not in [0, 1].

    Source:
        Derived here: the rank of C, as above; the loss of a tight frame, and the end of a descent, in the
        tests.

    Examples:
        >>> best(256, 128)
        0.0
        >>> round(best(2048, 8192), 1)  # the paper's batch and width
        123.5
    """
    n, d, lam = whole("n", n, least=2), whole("d", d, least=1), not_negative("lam", lam, most=1.0)
    rank = min(d, n - 1)
    spare = lam * (d - rank)
    return d * spare / (rank + spare)
