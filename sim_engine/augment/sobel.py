"""Sobel: only the edges remain."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sim_engine.augment._pixels import View, pixels


def sobel(image: ArrayLike) -> View:
    r"""The length of the gradient of each channel, $\sqrt{g_x^2 + g_y^2}$.

    $$g_x = \tfrac14\begin{pmatrix} -1 & 0 & 1 \\ -2 & 0 & 2 \\ -1 & 0 & 1 \end{pmatrix} * x,$$

    and $g_y$ its transpose; so an upright step from black to white is 1, and what exceeds 1 (at
    most 1.12, at a corner) is clipped. At the border the last pixel is repeated. kornia's weights
    are half as large.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range.

    Source:
        Chen et al. (2020), arXiv:2002.05709, figure 4 ("Sobel filtering").

    Examples:
        >>> step = np.zeros((3, 4, 3), np.uint8)
        >>> step[:, 2:] = 255
        >>> sobel(step)[1, :, 0]
        array([  0, 255, 255,   0], dtype=uint8)
    """
    p = pixels(image)
    wide = np.pad(p.x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    across = wide[:, :, 2:] - wide[:, :, :-2]  # (N, H + 2, W, 3)
    down = wide[:, 2:] - wide[:, :-2]  # (N, H, W + 2, 3)
    g_x = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    g_y = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return p.restore(np.sqrt(g_x * g_x + g_y * g_y) / 4)
