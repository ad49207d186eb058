"""SupCon: all rows of the anchor's class are positives (Khosla et al. 2020, eqs. 2 and 3)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats, temperature
from sim_engine._matmul import gram
from sim_engine._simd import row_max
from sim_engine.losses._guard import finite
from sim_engine.losses._result import RowsResult
from sim_engine.losses._softmax import exponentiate, mean
from sim_engine.losses._two_views import backward
from sim_engine.similarity import normalize


def sup_con(
    z: ArrayLike, labels: ArrayLike, tau: float, *, variant: Literal["out", "in"] = "out"
) -> RowsResult:
    r"""Cross-entropy of picking a row of the same class, averaged over these rows outside or inside the log.

    $$\ell_i^{\text{out}} = -\frac1{|P(i)|}\sum_{p \in P(i)}
    \log\frac{e^{s_{ip}/\tau}}{\sum_{a \ne i} e^{s_{ia}/\tau}}, \qquad
    \ell_i^{\text{in}} = -\log\Big(\frac1{|P(i)|}\sum_{p \in P(i)}
    \frac{e^{s_{ip}/\tau}}{\sum_{a \ne i} e^{s_{ia}/\tau}}\Big)$$

    $P(i)$ are the other rows with the label of row i, and L is the mean over the rows that have one; a
    row that has none is a negative of others only. The paper sums over rows, and its code averages.
    With $P_{ia}$ the softmax, the coefficient of $s_{ip}/\tau$ is $P_{ip} - 1/|P(i)|$ outside, and
    inside $P_{ip} - P_{ip}/\sum_{p'} P_{ip'}$, which leaves a positive that is far off alone. Of a
    negative it is $P_{in}$ in both. By Jensen's inequality L_in <= L_out; with one positive each, as
    two views labelled by image, both are NT-Xent.

    Args:
        z: (M, d), M >= 2, any length of row; views of one image are rows like any other.
        labels: (M,), whole numbers, the class of each row.
        tau: temperature, > 0, without unit.
        variant: "out", which the paper recommends, or "in".

    Returns:
        The loss in nats, at least 0, and its gradient in the given (unnormalised) rows, (M, d). float16
        is computed, and its gradient returned, in float32.

    Raises:
        ValueError: M = 1, no two rows have one label, labels are not M whole numbers, a row is zero,
            anything is NaN or infinite, tau <= 0, another variant, or the gradient is too large.

    Source:
        Khosla et al. (2020), arXiv:2004.11362, eq. 2 ("out") and eq. 3 ("in").

    Examples:
        >>> z, labels = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [1.0, 0.0]], [0, 0, 1, 0]
        >>> [round(sup_con(z, labels, 0.5, variant=v).value, 4) for v in ("out", "in")]
        [0.8547, 0.8414]
    """
    if variant not in ("out", "in"):
        raise ValueError(f"variant must be 'out' or 'in', got {variant!r}")
    unit = normalize(z)
    tau = temperature(tau, unit.u.dtype)
    same = _same(labels, len(unit.u))
    count = same.sum(axis=1).astype(unit.u.dtype)  # |P(i)|
    anchor = count > 0
    if not anchor.any():
        raise ValueError("labels must give at least two rows of z one label, got all different: no positive")
    count = np.maximum(count, 1)
    share = gram(unit.u)
    np.fill_diagonal(share, -np.inf)
    share -= row_max(share)[:, None]
    if variant == "out":
        ell = _outside(share, same, count, 1.0 / tau)
    else:
        ell = _inside(share, same, count, 1.0 / tau)
    share[~anchor] = 0.0
    value = mean(ell[anchor])
    grad = backward(share, unit, 1.0 / tau, anchors=int(anchor.sum()))
    finite(value, z=grad)
    return RowsResult(value, grad)


def _outside(gaps: Array, same: NDArray[np.bool_], count: Array, inverse: float) -> Array:
    """Return each row's L_out; the gaps (M, M) of cosines, <= 0, become the coefficients of s / tau."""
    mean_gap = np.sum(gaps, axis=1, where=same) / count * gaps.dtype.type(inverse)
    exponentiate(gaps, np.zeros_like(count), inverse)
    own, rest = np.sum(gaps, axis=1, where=same), np.sum(gaps, axis=1, where=~same)
    # P - 1 / |P(i)| times the common denominator; with one positive it is -rest, with all its digits.
    pull = gaps * count[:, None]
    pull -= own[:, None]
    pull -= rest[:, None]
    pull /= (count * (own + rest))[:, None]
    gaps /= (own + rest)[:, None]
    np.copyto(gaps, pull, where=same)
    ell: Array = np.log1p(rest + (own - 1)) - mean_gap
    return ell


def _inside(gaps: Array, same: NDArray[np.bool_], count: Array, inverse: float) -> Array:
    """Return each row's L_in; the gaps (M, M) of cosines, <= 0, become the coefficients of s / tau."""
    # Positives have a scale of their own, since all of them may vanish beside a negative.
    nearest = np.max(gaps, axis=1, where=same, initial=-np.inf)
    nearest[~same.any(axis=1)] = 0.0
    pull = np.where(same, gaps, -np.inf)
    own = np.maximum(exponentiate(pull, nearest, inverse), 1)  # at least 1 where there is a positive
    log_own = nearest * gaps.dtype.type(inverse) + np.log(own)
    exponentiate(gaps, np.zeros_like(count), inverse)
    rest = np.sum(gaps, axis=1, where=~same)
    total = rest + np.exp(log_own)
    pull *= (-rest / (own * total))[:, None]
    gaps /= total[:, None]
    np.copyto(gaps, pull, where=same)
    with np.errstate(divide="ignore"):  # no negative, or all vanished: log 0 is -inf, and its term 0
        ell: Array = np.log(count) + np.logaddexp(gaps.dtype.type(0), np.log(rest) - log_own)
    return ell


def _same(labels: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Return where two different rows have one label, (M, M)."""
    array = floats("labels", labels, ndim=1)
    if len(array) != count:
        raise ValueError(f"labels must hold one label per row of z: {count}, got {len(array)}")
    if not (array == np.round(array)).all():
        raise ValueError(f"labels must be whole numbers, got {array[array != np.round(array)][0]}")
    exact = np.asarray(labels)  # as a float, 2**60 would equal 2**60 + 1
    same: NDArray[np.bool_] = exact[:, None] == exact[None, :]
    np.fill_diagonal(same, False)
    return same
