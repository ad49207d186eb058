"""BYOL and SimSiam: predict the other view's embedding, which is held fixed (Grill 2020; Chen & He 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array
from sim_engine.losses._guard import finite, same_shape
from sim_engine.similarity import normalize, tangent

__all__ = ["PredictionResult", "SymmetricResult", "byol", "negative_cosine", "normalized_mse", "simsiam"]


@dataclass(frozen=True, eq=False)
class PredictionResult:
    """The loss of a prediction and its gradient; the target's is exactly 0 and is not returned.

    Attributes:
        value: the loss, without unit.
        grad_p: (N, d), in the prediction as given (not normalised).
    """

    value: float
    grad_p: Array


@dataclass(frozen=True, eq=False)
class SymmetricResult:
    """The loss of both predictions and its gradients; the targets' are exactly 0 and not returned.

    Attributes:
        value: the loss, without unit.
        grad_p_a, grad_p_b: (N, d), in the predictions as given (not normalised).
    """

    value: float
    grad_p_a: Array
    grad_p_b: Array


def normalized_mse(p: ArrayLike, z: ArrayLike) -> PredictionResult:
    r"""Squared distance of prediction and target on the sphere: $2 - 2\cos$, averaged over rows.

    $$L = \frac1N\sum_i\Big\lVert\frac{p_i}{\lVert p_i\rVert}
    - \operatorname{sg}\Big(\frac{z_i}{\lVert z_i\rVert}\Big)\Big\rVert_2^2$$

    sg stops the gradient: that in z is exactly 0 by definition, though the loss does depend on z. It is
    therefore not the slope of the loss when both move.

    Args:
        p: predictions, (N, d), any length of row.
        z: targets, (N, d), any length of row; row i of both comes from image i.

    Returns:
        The loss, from 0 (all agree) to 4, and its gradient in p, (N, d). float16 is computed in float32.

    Raises:
        ValueError: shapes differ, a row is zero, something is not finite, or the gradient is too large
            for its dtype.

    Source:
        Grill et al. (2020), BYOL, arXiv:2006.07733, eq. 2.

    Examples:
        >>> normalized_mse([[2.0, 0.0]], [[0.0, 3.0]]).value
        2.0
    """
    value, grad_p = _squared_distance(p, z, "p", "z")
    finite(value, p=grad_p)
    return PredictionResult(value, grad_p)


def negative_cosine(p: ArrayLike, z: ArrayLike) -> PredictionResult:
    r"""Minus the cosine of prediction and target, averaged over rows.

    $$D = -\frac1N\sum_i\frac{p_i}{\lVert p_i\rVert} \cdot
    \operatorname{sg}\Big(\frac{z_i}{\lVert z_i\rVert}\Big)$$

    It is `normalized_mse` / 2 - 1: the same minimiser, half the gradient.

    Args:
        p: predictions, (N, d), any length of row.
        z: targets, (N, d), any length of row; row i of both comes from image i.

    Returns:
        The loss, from -1 (all agree) to 1, and its gradient in p, (N, d); that in z is exactly 0.

    Raises:
        ValueError: as `normalized_mse`.

    Source:
        Chen & He (2021), SimSiam, arXiv:2011.10566, eq. 1 and 3.

    Examples:
        >>> negative_cosine([[2.0, 0.0]], [[3.0, 0.0]]).value
        -1.0
    """
    value, grad_p = _squared_distance(p, z, "p", "z")
    finite(value, p=grad_p)
    return PredictionResult(value / 2 - 1, grad_p / 2)


def byol(p_a: ArrayLike, p_b: ArrayLike, z_a: ArrayLike, z_b: ArrayLike) -> SymmetricResult:
    r"""Each view's prediction against the other view's target, the two added.

    $$L = \operatorname{mse}(p_a, \operatorname{sg} z_b) + \operatorname{mse}(p_b, \operatorname{sg} z_a)$$

    with `normalized_mse`. In BYOL the targets come from a second network, a moving average of the first.

    Args:
        p_a, p_b: the views' predictions, each (N, d), any length of row.
        z_a, z_b: the views' targets, each (N, d), any length of row.

    Returns:
        The loss, from 0 to 8, and its gradients in the predictions, each (N, d); those in the targets
        are exactly 0. A collapsed network has 0, the least there is.

    Raises:
        ValueError: as `normalized_mse`.

    Source:
        Grill et al. (2020), arXiv:2006.07733, eq. 2 and the text below it.

    Examples:
        >>> same = [[1.0, 2.0], [1.0, 2.0]]
        >>> byol(same, same, same, same).value  # collapsed
        0.0
    """
    return _symmetric(p_a, p_b, z_a, z_b, weight=1.0, shift=0.0)


def simsiam(p_a: ArrayLike, p_b: ArrayLike, z_a: ArrayLike, z_b: ArrayLike) -> SymmetricResult:
    r"""Each view's prediction against the other view's embedding, half of each.

    $$L = \tfrac12 D(p_a, \operatorname{sg} z_b) + \tfrac12 D(p_b, \operatorname{sg} z_a)$$

    with `negative_cosine`. The targets come from the same network, which learns only through p.

    Args:
        p_a, p_b: the views' predictions, each (N, d), any length of row.
        z_a, z_b: the views' embeddings, each (N, d), any length of row.

    Returns:
        The loss, from -1 to 1, and its gradients in the predictions, each (N, d); those in the
        embeddings are exactly 0. A collapsed network has -1, the least there is.

    Raises:
        ValueError: as `normalized_mse`.

    Source:
        Chen & He (2021), arXiv:2011.10566, eq. 2 and 4.

    Examples:
        >>> same = [[1.0, 2.0], [1.0, 2.0]]
        >>> simsiam(same, same, same, same).value  # collapsed
        -1.0
    """
    return _symmetric(p_a, p_b, z_a, z_b, weight=0.25, shift=-1.0)


def _symmetric(
    p_a: ArrayLike, p_b: ArrayLike, z_a: ArrayLike, z_b: ArrayLike, *, weight: float, shift: float
) -> SymmetricResult:
    a, b, target_a, target_b = same_shape(p_a=p_a, p_b=p_b, z_a=z_a, z_b=z_b)
    value_a, grad_a = _squared_distance(a, target_b, "p_a", "z_b")
    value_b, grad_b = _squared_distance(b, target_a, "p_b", "z_a")
    value = weight * (value_a + value_b) + shift
    finite(value, p_a=grad_a, p_b=grad_b)
    return SymmetricResult(value, weight * grad_a, weight * grad_b)


def _squared_distance(p: ArrayLike, z: ArrayLike, name_p: str, name_z: str) -> tuple[float, Array]:
    p, z = same_shape(**{name_p: p, name_z: z})
    prediction, target = normalize(p, name=name_p), normalize(z, name=name_z)
    # The difference, not 2 - 2 cos, keeps its digits where the two nearly agree.
    difference = prediction.u - target.u
    value = float(np.einsum("ij,ij->", difference, difference, dtype=np.float64)) / len(difference)
    with np.errstate(over="ignore", invalid="ignore"):
        grad_p = tangent(2 * difference / len(difference), prediction)
    return value, grad_p
