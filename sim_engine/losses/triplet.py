"""Triplet margin loss: the positive nearer than the negative, by a margin (Schroff et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, paired_views
from sim_engine._check import positive as above_zero
from sim_engine._matmul import gram, symmetrized_product
from sim_engine.losses._guard import at_least_two, finite, same_shape
from sim_engine.losses._select import Select, choose, known
from sim_engine.similarity import Normalized, normalize, tangent

__all__ = ["TripletResult", "TripletViewsResult", "triplet", "triplet_views"]


@dataclass(frozen=True, eq=False)
class TripletResult:
    """The loss of given triplets and its gradients.

    Attributes:
        value: the loss, a squared distance.
        grad_anchor, grad_positive, grad_negative: (N, d), in the rows as given (not normalised).
    """

    value: float
    grad_anchor: Array
    grad_positive: Array
    grad_negative: Array


@dataclass(frozen=True, eq=False)
class TripletViewsResult:
    """The loss of triplets chosen from two views, its gradients, and how many were chosen.

    Attributes:
        value: the loss, a squared distance.
        grad_a, grad_b: (N, d), in the views as given (not normalised).
        triplets: how many were chosen; where it is 0, so are the loss and the gradients.
    """

    value: float
    grad_a: Array
    grad_b: Array
    triplets: int


def triplet(
    anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, margin: float = 0.2
) -> TripletResult:
    r"""Mean over given triplets of what is missing to the margin, in squared distance on the sphere.

    $$L = \frac1N\sum_{i=1}^{N}\Big[\lVert a_i - p_i\rVert_2^2 - \lVert a_i - n_i\rVert_2^2
    + m\Big]_+$$

    of the rows made unit. A triplet that keeps the margin counts in N, with loss and gradient 0. In
    cosines the bracket is $2(a \cdot n - a \cdot p) + m$. The paper sums, this takes the mean.

    Args:
        anchor, positive, negative: each (N, d), any length of row; row i of the three is a triplet.
        margin: m > 0, a squared distance, which lies in [0, 4]; the paper uses 0.2.

    Returns:
        The loss, at least 0, and its gradients, each (N, d). float16 is computed in float32.

    Raises:
        ValueError: shapes differ, a row is zero, something is not finite, margin <= 0, or a gradient
            is too large for its dtype.

    Source:
        Schroff, Kalenichenko, Philbin (2015), FaceNet, arXiv:1503.03832, eq. 3, which sums.

    Examples:
        >>> result = triplet([[1.0, 0.0]], [[0.0, 1.0]], [[-1.0, 0.0]], margin=2.5)
        >>> round(result.value, 6)  # 2 - 4 + 2.5
        0.5
    """
    a, p, n = (
        normalize(z, name=name)
        for name, z in zip(
            ("anchor", "positive", "negative"),
            same_shape(anchor=anchor, positive=positive, negative=negative),
            strict=True,
        )
    )
    margin = above_zero("margin", margin)
    to_positive, to_negative = a.u - p.u, a.u - n.u
    gap = _squared(to_negative) - _squared(to_positive)
    active = gap < margin
    value = float(np.where(active, margin - gap, 0.0).mean())
    factor = (active * (2.0 / len(gap))).astype(a.u.dtype)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        grads = (
            tangent((n.u - p.u) * factor, a),
            tangent(-to_positive * factor, p),
            tangent(to_negative * factor, n),
        )
    finite(value, anchor=grads[0], positive=grads[1], negative=grads[2])
    return TripletResult(value, *grads)


def triplet_views(
    z_a: ArrayLike, z_b: ArrayLike, margin: float = 0.2, *, select: Select = "nearest"
) -> TripletViewsResult:
    r"""Triplet loss of two views, each of the 2N an anchor, with negatives chosen in the batch.

    With $D_{ik} = \lVert u_i - u_k\rVert_2^2$ of the unit rows and $p(i)$ the other view of the
    same image, the loss is the mean of $D_{i,p(i)} - D_{ik} + m$ over the triplets chosen:

    - "violating": every negative k with $D_{ik} < D_{i,p(i)} + m$;
    - "semi-hard": of these, those farther than the positive, $D_{i,p(i)} < D_{ik}$;
    - "nearest": of these, the nearest to the anchor, so at most one triplet an anchor.

    An anchor without such a negative is left out: no easier or harder one takes its place. Where no
    anchor has one, loss and gradients are 0. So it is in a collapsed encoder, where no negative is
    farther than the positive: semi-hard selection gives no way out of it, "violating" has loss m.
    As the mean is over those chosen, the value jumps where the choice changes, and the gradient is
    that of the choice held fixed. Two distances closer than rounding count as equal.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, any length of row; row i of both comes from image i.
        margin: m > 0, a squared distance; the paper uses 0.2.
        select: which negatives, as above.

    Returns:
        The loss, its gradients (N, d), and the number of triplets.

    Raises:
        ValueError: shapes differ, N = 1, a row is zero, something is not finite, margin <= 0, another
            `select`, or a gradient is too large for its dtype.

    Source:
        Schroff, Kalenichenko, Philbin (2015), FaceNet, arXiv:1503.03832, eq. 3, and eq. 4 for
        the semi-hard negatives.
        The paper does not say what becomes of an anchor without a semi-hard negative.

    Examples:
        >>> eye = [[1.0, 0.0], [0.0, 1.0]]
        >>> result = triplet_views(eye, eye, margin=2.5)  # the positive at 0, both negatives at 2
        >>> round(result.value, 6), result.triplets
        (0.5, 4)
    """
    z_a, z_b = paired_views(z_a, z_b)
    n = len(z_a)
    at_least_two(n, "z_a and z_b", "with one image there is no negative")
    margin, select = above_zero("margin", margin), known(select)
    a, b = normalize(z_a, name="z_a"), normalize(z_b, name="z_b")
    both = Normalized(np.concatenate([a.u, b.u]), np.concatenate([a.norms, b.norms]))
    anchor = np.arange(2 * n)
    other = (anchor + n) % (2 * n)
    gap = gram(both.u)
    own = gap[anchor, other]
    gap -= own[:, None]
    gap *= -2  # D_ik - D_ip, from -4 to 4
    gap[anchor, anchor] = gap[anchor, other] = np.inf  # no negatives
    # No gap exceeds 4, and float32 holds no 1e300.
    chosen = choose(gap, min(margin, 8.0), select, float(np.finfo(gap.dtype).eps))
    count = int(np.count_nonzero(chosen))
    if count == 0:
        return TripletViewsResult(0.0, np.zeros_like(z_a), np.zeros_like(z_b), 0)
    value = max(0.0, margin - float(gap[chosen].mean(dtype=np.float64)))
    weight = chosen.astype(gap.dtype)
    del gap  # the product below may need a matrix of its size
    weight[anchor, other] = -weight.sum(axis=1)
    weight *= weight.dtype.type(2.0 / count)
    with np.errstate(over="ignore", invalid="ignore"):
        grad = tangent(symmetrized_product(weight, both.u), both)
    finite(value, z_a=grad[:n], z_b=grad[n:])
    return TripletViewsResult(value, grad[:n], grad[n:], count)


def _squared(difference: Array) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", difference, difference).astype(np.float64)
    return squares
