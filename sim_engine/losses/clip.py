"""CLIP: which caption belongs to this image, and which image to this caption? (Radford et al. 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array
from sim_engine._matmul import matmul
from sim_engine.losses._guard import at_least_two, finite, number, same_shape
from sim_engine.losses._pick import pick
from sim_engine.similarity import normalize, tangent

__all__ = ["LARGEST_SCALE", "ClipResult", "clip", "clip_log_scale"]

# The paper lets no logit be scaled by more, "which we found necessary to prevent training instability".
LARGEST_SCALE = 100.0


@dataclass(frozen=True, eq=False)
class ClipResult:
    """CLIP's loss and its gradients.

    Attributes:
        value: the loss, in nats.
        grad_image, grad_text: (N, d), in the embeddings as given (not normalised).
        grad_log_scale: in the logarithm of the scale; 0 where the scale is clipped.
    """

    value: float
    grad_image: Array
    grad_text: Array
    grad_log_scale: float


def clip(image: ArrayLike, text: ArrayLike, log_scale: float) -> ClipResult:
    r"""Mean of two cross-entropies over one table of cosines, along its rows and along its columns.

    $$S_{ij} = \min(e^{t}, 100)\,\frac{x_i \cdot y_j}{\lVert x_i\rVert\,\lVert y_j\rVert}, \qquad
    L = -\frac1{2N}\sum_{i=1}^{N}\Big(\log\frac{e^{S_{ii}}}{\sum_j e^{S_{ij}}}
    + \log\frac{e^{S_{ii}}}{\sum_j e^{S_{ji}}}\Big)$$

    $t$ is learned; $e^{t} = 1/\tau$ starts at 1/0.07. There are no negatives within a modality.
    For $t > \log 100$ the loss no longer depends on t and its gradient there is 0: a step beyond would
    never come back. So training clips t itself after each step (`clip_log_scale`), and at
    $t = \log 100$ the gradient is that from below.

    Args:
        image, text: embeddings x and y, each (N, d), N >= 2, any length of row; row i of both is a pair.
        log_scale: t, any finite number, without unit.

    Returns:
        The loss in nats, at least 0, and its gradients in all three. float16 is computed in float32.

    Raises:
        ValueError: shapes differ, N = 1 (there is no negative), a row is zero, something is not finite,
            or a gradient is too large for its dtype.

    Source:
        Radford et al. (2021), arXiv:2103.00020, figure 3, the loss as code, and section 2.5,
        the bound of 100.

    Examples:
        >>> eye = [[1.0, 0.0], [0.0, 1.0]]
        >>> round(clip(eye, eye, 0.0).value, 6)  # log(1 + exp(-1))
        0.313262
        >>> clip(eye, eye, 5.0).grad_log_scale  # exp(5) > 100
        0.0
    """
    x, y = same_shape(image=image, text=text)
    n = len(x)
    at_least_two(n, "image and text", "with one pair there is no negative")
    t = number("log_scale", log_scale)
    scale = math.exp(clip_log_scale(t))
    u, v = normalize(x, name="image"), normalize(y, name="text")
    s = matmul(u.u, v.u.T)
    pairs = np.arange(n)
    of_texts, share = pick(s.T.copy(), pairs, scale)
    of_images, grad_s = pick(s, pairs, scale)
    grad_s += share.T
    value = (of_images + of_texts) / 2
    grad_s *= s.dtype.type(scale / (2 * n))
    grad_u, grad_v = matmul(grad_s, v.u), matmul(grad_s.T, u.u)
    # S is linear in the scale: its slope is the radial part of grad_u, which the sphere discards.
    radial = float(np.einsum("ij,ij->", grad_u, u.u, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        grad_image, grad_text = tangent(grad_u, u), tangent(grad_v, v)
    finite(value, image=grad_image, text=grad_text)
    return ClipResult(value, grad_image, grad_text, radial if t <= math.log(LARGEST_SCALE) else 0.0)


def clip_log_scale(log_scale: float) -> float:
    r"""Return $\min(t, \log 100)$, to be done to the parameter after each step of training.

    Args:
        log_scale: t, any finite number, without unit.

    Returns:
        At most log 100.

    Raises:
        ValueError: log_scale is not a finite number.

    Source:
        Radford et al. (2021), arXiv:2103.00020, section 2.5: the scale is clipped at 100.

    Examples:
        >>> round(clip_log_scale(7.0), 6), clip_log_scale(2.0)
        (4.60517, 2.0)
    """
    return min(number("log_scale", log_scale), math.log(LARGEST_SCALE))
