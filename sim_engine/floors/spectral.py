"""Values of the spectral contrastive loss to measure a run against."""

from __future__ import annotations

from sim_engine._check import floats, whole

__all__ = ["best", "equal"]


def equal(similarity: float = 1.0) -> float:
    r"""The spectral loss when all inner products are s: $s^2 - 2s$, which is -1 at best, at s = 1.

    Args:
        similarity: s, any number from -1e150 to 1e150: rows are not normalised, and a collapsed encoder
            has the square of their length.

    Returns:
        In units of $z^2$ and $z^4$.

    Raises:
        ValueError: the similarity is no such number.

    Source:
        Derived here: both means of a constant; the loss of equal rows in the tests.

    Examples:
        >>> equal(), equal(0.5), equal(3.0)
        (-1.0, -0.75, 3.0)
    """
    s = float(floats("similarity", similarity, ndim=0))
    if abs(s) > 1e150:
        raise ValueError(f"similarity must lie in [-1e150, 1e150], got {s}")
    return s * (s - 2)


def best(d: int) -> float:
    r"""Least expected spectral loss of one encoder: $-d$, reached with d equal shares.

    With $\Sigma = \mathbb{E}\,zz^\top$ of independent images, the negatives cost
    $\lVert\Sigma\rVert_F^2$, and the positives win at most $2\operatorname{tr}\Sigma$, when they
    coincide. So $L \ge \lVert\Sigma\rVert_F^2 - 2\operatorname{tr}\Sigma = \lVert\Sigma - I\rVert_F^2 - d$,
    and the least is at $\Sigma = I$: for one, equal shares of the images in d orthogonal directions,
    at length$^2$ d. Fewer than d distinct images cannot have $\Sigma = I$.

    A batch gives an estimate without bias, which can lie below, since its negatives leave out the
    pairs of an image with itself; one batch alone has no least value.

    Args:
        d: dimension of z, >= 1.

    Returns:
        In units of $z^2$ and $z^4$, < 0.

    Raises:
        ValueError: d < 1.

    Source:
        Derived here: the square completed, as above; the mean of batches of equal shares, and the end of a
        descent, in the tests.

    Examples:
        >>> best(128)
        -128.0
    """
    return -float(whole("d", d, least=1))
