"""Values of the triplet loss to measure a run against: the margin at a collapse, 0 where it is kept."""

from __future__ import annotations

from sim_engine._check import positive, whole

__all__ = ["best", "equal"]


def equal(margin: float = 0.2) -> float:
    r"""The triplet loss when all similarities are equal: the margin m, $[D - D + m]_+$.

    So it is for given triplets, and for those of two views with `select="violating"`. "nearest" and
    "semi-hard" find no negative farther than the positive then, and have 0.

    Args:
        margin: m, > 0, a squared distance.

    Returns:
        A squared distance.

    Raises:
        ValueError: margin <= 0.

    Source:
        Derived here: the two distances cancel; the loss of equal rows in the tests.

    Examples:
        >>> equal(0.2)
        0.2
    """
    return positive("margin", margin)


def best(margin: float = 0.2, n: int | None = None) -> float:
    r"""Least triplet loss: $\max(0,\, m - 4)$, or $\max\big(0,\, m - \tfrac{2N}{N-1}\big)$ of N images.

    In a given triplet the negative can be opposite, at squared distance 4, and so it can for
    "nearest" and "semi-hard", with all images in two opposite places: what lies no farther than the
    positive is not chosen there.

    For `select="violating"` the negatives are images too. With $\bar p$ and $\bar q$ the mean cosine of
    positives and of negatives, the loss is at least $m - 2(\bar p - \bar q)$, since what keeps the
    margin is left out of the mean; and $\bar p - \bar q \le N/(N-1)$, reached by a regular simplex with
    positives that coincide, which needs N - 1 dimensions.

    Args:
        margin: m, > 0, a squared distance.
        n: images N, >= 2, of `triplet_views` with `select="violating"`; None for all else.

    Returns:
        A squared distance, >= 0.

    Raises:
        ValueError: margin <= 0 or n < 2.

    Source:
        Derived here: the farthest a negative can be, as above; no loss lies below in the tests, and a descent
        ends there.

    Examples:
        >>> best(0.2), best(2.5), best(2.5, n=5)
        (0.0, 0.0, 0.0)
        >>> best(2.5, n=9)
        0.25
    """
    margin = positive("margin", margin)
    if n is None:
        return max(0.0, margin - 4.0)
    n = whole("n", n, least=2)
    return max(0.0, margin - 2 * n / (n - 1))
