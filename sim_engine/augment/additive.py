"""Brightness, contrast and saturation as TensorFlow has them, which the paper's first listing calls.

Brightness is added, contrast keeps the mean of each channel, saturation is that of HSV. `colour.py`
has the blends of the second listing.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from sim_engine.augment import _colour
from sim_engine.augment._pixels import View, column, per_image, pixels


def brightness_added(image: ArrayLike, delta: ArrayLike) -> View:
    r"""A constant added to every channel: $x' = x + \delta$.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        delta: a part of the whole range (1 is black to white), one number or one an image.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, or a delta is not finite.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the TensorFlow listing
        (tf.image.adjust_brightness).

    Examples:
        >>> import numpy as np
        >>> brightness_added(np.full((1, 1, 3), 100, np.uint8), 0.2)
        array([[[151, 151, 151]]], dtype=uint8)
    """
    p = pixels(image)
    return p.restore(p.x + column(per_image("delta", delta, len(p.x)), p.x))


def contrast_by_channel(image: ArrayLike, factor: ArrayLike) -> View:
    r"""The distance from each channel's own mean times a factor: $x'_c = m_c + f(x_c - m_c)$.

    Unlike `contrast` it keeps the cast of the image: at 0 the view is the mean colour, not a grey.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        factor: f >= 0, one number or one an image.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, or a factor is negative or not finite.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the TensorFlow listing
        (tf.image.adjust_contrast).

    Examples:
        >>> import numpy as np
        >>> contrast_by_channel(np.array([[[0, 0, 9], [200, 100, 9]]], np.uint8), 0.0)[0, 0]
        array([100,  50,   9], dtype=uint8)
    """
    p = pixels(image)
    f = column(per_image("factor", factor, len(p.x), least=0.0), p.x)
    return p.restore(_colour.blend(p.x, _colour.mean_colour(p.x), f))


def saturation_hsv(image: ArrayLike, factor: ArrayLike) -> View:
    r"""The S of HSV times a factor, at most 1: $S' = \min(1, fS)$, H and V as they are.

    Unlike `saturation` it keeps the largest channel, not the luma: at 0 the view is max(R, G, B).

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        factor: f >= 0, one number or one an image.

    Returns:
        The view, shape and dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: as `contrast_by_channel`.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the TensorFlow listing
        (tf.image.adjust_saturation).

    Examples:
        >>> import numpy as np
        >>> saturation_hsv(np.array([[[200, 100, 150]]], np.uint8), 0.5)
        array([[[200, 150, 175]]], dtype=uint8)
    """
    p = pixels(image)
    f = column(per_image("factor", factor, len(p.x), least=0.0), p.x)
    return p.restore(_colour.scale_saturation(p.x, f))
