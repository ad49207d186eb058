"""Mutual information: two lower bounds from a critic's scores, and the truth for a Gaussian pair."""

from __future__ import annotations

import math
import numbers

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import rows, whole
from sim_engine._matmul import matmul

__all__ = ["gaussian_log_ratio", "gaussian_mutual_information", "info_nce_bound", "nwj_bound"]

Float64 = NDArray[np.float64]


def gaussian_mutual_information(rho: float, d: int) -> float:
    r"""Mutual information of two standard Gaussian vectors whose coordinates correlate in pairs.

    $$I(x; y) = -\tfrac{d}{2}\log(1 - \rho^2)$$

    Args:
        rho: correlation of $x_j$ and $y_j$, between -1 and 1, both excluded; other coordinates are
            independent.
        d: coordinates, >= 1.

    Returns:
        nats, >= 0.

    Raises:
        ValueError: rho is not a number between -1 and 1, or d < 1.

    Source:
        Poole, Ozair, van den Oord, Alemi, Tucker (2019), arXiv:1905.06922, the correlated Gaussians
        of its experiments; the entropy of a Gaussian.

    Examples:
        >>> round(gaussian_mutual_information(0.9, 10), 4)
        8.3037
    """
    rho = _correlation(rho)
    # (1 - rho)(1 + rho) keeps its digits near 1; log1p keeps them near 0.
    log_rest = math.log1p(-rho * rho) if abs(rho) < 0.5 else math.log((1 - rho) * (1 + rho))
    return -whole("d", d, least=1) / 2 * log_rest


def gaussian_log_ratio(x: ArrayLike, y: ArrayLike, rho: float) -> Float64:
    r"""The best critic there is for a Gaussian pair, $\log\frac{p(y_j \mid x_i)}{p(y_j)}$ for all i, j.

    $$-\tfrac{d}{2}\log(1 - \rho^2)
    - \frac{\rho^2\lVert x_i\rVert^2 - 2\rho\,x_i\cdot y_j + \rho^2\lVert y_j\rVert^2}{2(1 - \rho^2)}$$

    Its mean over true pairs is the mutual information itself.

    Args:
        x, y: (N, d) each, standard Gaussian coordinates; row i of both is one pair.
        rho: as in `gaussian_mutual_information`.

    Returns:
        Scores in nats, (N, N); entry (i, j) is of x_i with y_j, true pairs on the diagonal.

    Raises:
        ValueError: shapes differ, something is not finite or above 1e100, or rho is out of range.

    Source:
        Derived here: the ratio of two normal densities; those of SciPy in the tests.

    Examples:
        >>> gaussian_log_ratio([[0.0]], [[0.0]], 0.6).round(4).tolist()  # log(1.25)
        [[0.2231]]
    """
    a, b = _bounded("x", x), _bounded("y", y)
    if a.shape != b.shape:
        raise ValueError(f"x and y must have one shape, row i of both one pair, got {a.shape} and {b.shape}")
    rho = _correlation(rho)
    rest = (1 - rho) * (1 + rho)
    squares = np.einsum("id,id->i", a, a)[:, None] + np.einsum("id,id->i", b, b)
    scores: Float64 = (rho / rest) * matmul(a, b.T) - (0.5 * rho * rho / rest) * squares
    scores += gaussian_mutual_information(rho, a.shape[1])
    return scores


def info_nce_bound(scores: ArrayLike) -> float:
    r"""InfoNCE's lower bound, $I(x; y) \ge \log N - L$.

    $$L = -\frac1N\sum_{i=1}^{N}\log\frac{e^{f(x_i, y_i)}}{\sum_{j=1}^{N} e^{f(x_i, y_j)}}$$

    Its expectation over batches of N pairs is at most the mutual information, for every critic f, and
    no batch gives more than log N: what lies above cannot be seen with N pairs. One batch may exceed
    the truth.

    Args:
        scores: f in nats, (N, N); entry (i, j) is of x_i with y_j, true pairs on the diagonal. For an
            encoder: the cosines of two views over the temperature.

    Returns:
        nats, at most log N. Below 0 when the critic is worse than chance.

    Raises:
        ValueError: scores is not a finite square array.

    Source:
        van den Oord, Li, Vinyals (2018), arXiv:1807.03748, section 2.3 and appendix A.1; Poole et al.
        (2019), arXiv:1905.06922, eq. 10.

    Examples:
        >>> round(info_nce_bound([[9.0, 0.0], [0.0, 9.0]]), 4)  # log 2 = 0.6931
        0.693
    """
    f = _square(scores)
    # The truth's lead over each score, which cannot overflow where its parts do not.
    # Means of parts, here and below, so that no sum overflows.
    return math.log(len(f)) - float(np.sum(_log_sum_exp(_lead(f)) / len(f)))


def nwj_bound(scores: ArrayLike) -> float:
    r"""The lower bound of Nguyen, Wainwright and Jordan, which log N does not limit.

    $$I(x; y) \ge \mathbb{E}_{p(x,y)}\,f(x, y) - \mathbb{E}_{p(x)p(y)}\,e^{f(x, y) - 1}$$

    The mean of the diagonal less $e^{-1}$ times the mean exponential of all else. Its best critic is
    the log ratio plus 1; its price is a variance that grows as $e^{I}$.

    Args:
        scores: f in nats, (N, N), N >= 2; entry (i, j) is of x_i with y_j, true pairs on the diagonal.

    Returns:
        nats; -inf where the exponential leaves float64.

    Raises:
        ValueError: scores is not a finite square array, or N = 1.

    Source:
        Nguyen, Wainwright, Jordan (2010), arXiv:0809.0853; Poole et al. (2019), arXiv:1905.06922, eq. 7.

    Examples:
        >>> nwj_bound([[1.0, 1.0], [1.0, 1.0]])  # a constant 1 knows nothing
        0.0
    """
    f = _square(scores)
    n = len(f)
    if n < 2:
        raise ValueError("scores must be of at least 2 pairs, got 1: nothing is off the diagonal")
    rest = f[~np.eye(n, dtype=bool)]
    top = float(rest.max())
    log_mean = top + math.log(float(np.mean(np.exp(rest - top))))
    own = float(np.sum(np.diagonal(f) / n))
    return own - math.exp(log_mean - 1) if log_mean < 700 else -math.inf


def _bounded(name: str, values: ArrayLike) -> Float64:
    array = rows(name, values).astype(np.float64)
    if (largest := float(np.abs(array).max())) > 1e100:
        raise ValueError(f"{name} must have entries up to 1e100 in size, got {largest:.3g}")
    return array


def _square(scores: ArrayLike) -> Float64:
    f = rows("scores", scores).astype(np.float64)
    if f.shape[0] != f.shape[1]:
        raise ValueError(f"scores must be square, entry (i, j) of x_i with y_j, got shape {f.shape}")
    if float(np.abs(f).max()) > 1e300:
        raise ValueError("scores must be up to 1e300 in size")
    return f


def _lead(f: Float64) -> Float64:
    lead: Float64 = f - np.diagonal(f)[:, None]
    return lead


def _log_sum_exp(a: Float64) -> Float64:
    top = a.max(axis=1)  # >= 0, since the truth leads itself by 0
    result: Float64 = top + np.log(np.exp(a - top[:, None]).sum(axis=1))
    return result


def _correlation(rho: float) -> float:
    if isinstance(rho, bool | np.bool_) or not isinstance(rho, numbers.Real):
        raise ValueError(f"rho must be a number between -1 and 1, got {rho!r}")
    number = float(rho)
    if not -1 < number < 1:
        raise ValueError(f"rho must lie between -1 and 1, both excluded, got {rho!r}")
    return number
