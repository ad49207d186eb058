"""Pictures of an embedding: principal components, and turning one picture to match another."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, rows, whole
from sim_engine._matmul import matmul

__all__ = ["Components", "align_trajectory", "pca", "procrustes"]


class Components(NamedTuple):
    """Principal components.

    Attributes:
        scores: (N, d), the rows in the new axes.
        axes: (d, D), unit rows, orthogonal; `(x - mean) @ axes.T` is `scores`.
        mean: (D,).
        explained: (d,), share of the variance along each axis, falling.
    """

    scores: Array
    axes: Array
    mean: Array
    explained: Array


def pca(x: ArrayLike, d: int) -> Components:
    r"""Project on the d directions of largest variance.

    $$X - \mathbf 1\bar x^\top = U\Sigma V^\top, \qquad \text{scores} = (X - \mathbf 1\bar x^\top)V_d, \qquad
    \text{explained}_k = \frac{\sigma_k^2}{\sum_j\sigma_j^2}$$

    with $V_d$ the right singular vectors of the d largest singular values $\sigma_k$: the axes.

    An axis has no sign of its own; each is turned so that its entry of largest size is positive, and
    the same data give the same picture.

    Args:
        x: (N, D), any unit.
        d: from 1 to min(N, D).

    Returns:
        `Components`; scores in the unit of x.

    Raises:
        ValueError: x is not a finite (N, D) array, or d is out of range.

    Source:
        Pearson (1901), On lines and planes of closest fit; computed by singular values here,
        as by scikit-learn in the tests.

    Examples:
        >>> parts = pca([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], 1)  # points of one line
        >>> parts.axes.round(6).tolist(), parts.scores.round(6).ravel().tolist()
        ([[0.6, 0.8]], [-5.0, 0.0, 5.0])
    """
    x = rows("x", x)
    d = whole("d", d, least=1, most=min(x.shape))
    mean = x.mean(axis=0)
    _, sigma, axes = np.linalg.svd(x - mean, full_matrices=False)
    axes = axes[:d]
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(d), largest])[:, None]
    variance = sigma**2
    total = variance.sum()
    explained = variance[:d] / total if total > 0 else np.zeros_like(variance[:d])
    return Components(matmul(x - mean, axes.T), axes, mean, explained)


def procrustes(x: ArrayLike, target: ArrayLike, *, reflect: bool = True) -> Array:
    r"""Orthogonal matrix that turns x onto target best, $\arg\min_{R^\top R = I} \lVert xR - t \rVert_F$.

    No shift and no scale, so that points of the sphere stay on it.

    Args:
        x: (N, d).
        target: (N, d), row i the place wanted for row i of x.
        reflect: mirror images are allowed; with False, R is a rotation (determinant 1).

    Returns:
        R, (d, d); `x @ R` is the turned x.

    Raises:
        ValueError: shapes differ, or something is not finite.

    Source:
        Schönemann (1966), A generalized solution of the orthogonal Procrustes problem.

    Examples:
        >>> (procrustes([[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [-2.0, 0.0]]).round(6) + 0.0).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    x, target = rows("x", x), rows("target", target)
    if x.shape != target.shape:
        raise ValueError(f"x and target must have one shape, got {x.shape} and {target.shape}")
    left, _, right = np.linalg.svd(matmul(x.T, target.astype(x.dtype)))
    if not reflect and np.linalg.det(left) * np.linalg.det(right) < 0:
        left[:, -1] *= -1  # the direction that costs least
    return matmul(left, right)


def align_trajectory(frames: ArrayLike, *, reflect: bool = True) -> Array:
    r"""Turn every frame onto the one before it, so that points move and do not jump.

    $$Y_1 = X_1, \qquad Y_t = X_t R_t, \qquad
    R_t = \arg\min_{R^\top R = I}\lVert X_t R - Y_{t-1}\rVert_F$$

    A loss of cosines does not fix the orientation of its embedding, so that two epochs, or two PCAs,
    may differ by a rotation that means nothing. Distances and angles within a frame are kept.

    Args:
        frames: (T, N, d), the same N points at T moments; the first frame stays as it is.
        reflect: as in `procrustes`.

    Returns:
        (T, N, d).

    Raises:
        ValueError: frames differ in shape, or something is not finite.

    Source:
        Derived here: `procrustes`, whose source is Schönemann (1966), from frame to frame; a spinning picture
        stands still in the tests.

    Examples:
        >>> frames = [[[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [-2.0, 0.0]]]  # turned by a right angle
        >>> (align_trajectory(frames)[1].round(6) + 0.0).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
    """
    aligned = floats("frames", frames, ndim=3).copy()
    for before, frame in pairwise(aligned):
        frame[:] = matmul(frame, procrustes(frame, before, reflect=reflect))
    return aligned
